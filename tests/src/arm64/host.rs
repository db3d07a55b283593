//! What the same pictures give on this machine.

use edge_core::Decision;
use edge_model::classify::Classifier;
use edge_model::decode::Picture;
use edge_model::engine::{Engine, EngineKind};
use edge_model::model_file::ModelFile;
use edge_runtime::log::{Hash, frame_hash};

pub struct Host(Classifier<Box<dyn Engine>>);

impl Host {
    pub fn new() -> anyhow::Result<Self> {
        let model = ModelFile::load(crate::shipped_model())?;
        let engine = EngineKind::default().load(&model)?;
        Ok(Self(Classifier::new(&model, engine)))
    }

    /// The decision, and the hash of what the network saw.
    pub fn answer(&mut self, picture: &Picture) -> anyhow::Result<(Decision, Hash)> {
        let classified = self.0.classify(&picture.frame())?;
        Ok((classified.decision, frame_hash(self.0.input())))
    }
}
