//! What the same pictures give on this machine.

use anyhow::Context;
use edge_core::Decision;
use edge_runtime::classify::Classifier;
use edge_runtime::decode::Picture;
use edge_runtime::engine::{self, Engine};
use edge_runtime::log::{Hash, frame_hash};
use edge_runtime::model_file::ModelFile;

pub struct Host(Classifier<Box<dyn Engine>>);

impl Host {
    pub fn new() -> anyhow::Result<Self> {
        let model = ModelFile::load(crate::shipped_model())?;
        let engine =
            engine::load(engine::DEFAULT, &model).context("the default engine is one of the engines")??;
        Ok(Self(Classifier::new(&model, engine)))
    }

    /// The decision, and the hash of what the network saw.
    pub fn answer(&mut self, picture: &Picture) -> anyhow::Result<(Decision, Hash)> {
        let classified = self.0.classify(&picture.frame())?;
        Ok((classified.decision, frame_hash(self.0.input())))
    }
}
