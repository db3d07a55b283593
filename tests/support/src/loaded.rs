//! Models as they are loaded, and engines and classifiers of them.

use edge_model::classify::Classifier;
use edge_model::engine::{Engine, EngineKind};
use edge_model::model_file::ModelFile;

/// The file of the model that programs are built with.
pub const SHIPPED: &[u8] = include_bytes!("../../../models/pneumonia/model.onnx");

/// The model that programs are built with.
pub fn shipped() -> ModelFile {
    ModelFile::from_bytes(SHIPPED).unwrap()
}

/// A small model, of 32 x 32.
pub fn small(seed: u64) -> ModelFile {
    ModelFile::from_bytes(&crate::model::small(seed)).unwrap()
}

/// An engine of the model, with the fastest kernels of this machine.
pub fn engine(kind: EngineKind, model: &ModelFile) -> Box<dyn Engine> {
    kind.load(model).unwrap()
}

/// The model with an engine of its own.
pub fn classifier(kind: EngineKind, model: &ModelFile) -> Classifier<Box<dyn Engine>> {
    Classifier::new(model, engine(kind, model))
}
