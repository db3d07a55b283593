//! Which model the program uses: the file that was named, or the one that it was built with.

use anyhow::{Context, Result};
use edge_model::engine::{Engine, EngineError, EngineKind};
use edge_model::model_file::ModelFile;
use edge_runtime::site::Site;
use std::path::Path;

const SHIPPED: &[u8] = include_bytes!("../../models/pneumonia/model.onnx");

/// The model was refused: exit code 4.
#[derive(Debug, thiserror::Error)]
#[error("model {name} was refused: {why}")]
pub struct Refused {
    name: String,
    why: String,
}

impl Refused {
    pub fn new(name: &str, why: impl ToString) -> Self {
        Self { name: name.to_owned(), why: why.to_string() }
    }
}

/// Loads the model at `path`, or the built-in one.
pub fn load(path: Option<&Path>) -> Result<ModelFile> {
    let loaded = match path {
        Some(path) => ModelFile::load(path),
        None => ModelFile::from_bytes(SHIPPED),
    };
    let name = path.map_or("(built in)".to_owned(), |path| path.display().to_string());
    Ok(loaded.map_err(|why| Refused { name, why: why.to_string() })?)
}

pub fn engine(kind: EngineKind, model: &ModelFile) -> Result<Box<dyn Engine>> {
    let refused =
        |why: EngineError| Refused { name: model.metadata().name.to_string(), why: why.to_string() };
    Ok(kind.load(model).map_err(refused)?)
}

/// Loads the site's thresholds at `path`, which must be for this model.
pub fn site(path: &Path, model: &ModelFile) -> Result<Site> {
    Site::load(path, model).with_context(|| format!("site file {}", path.display()))
}
