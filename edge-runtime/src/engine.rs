//! What computes the network: preprocessed picture in, logit out.
//!
//! Every engine gives the same bits for the same model and input; they differ in speed only.

use crate::infer_tract::TractEngine;
use crate::model_file::ModelFile;

/// One way of computing a model.
pub trait Engine: Send {
    /// Its name on the command line and in reports.
    fn name(&self) -> &'static str;

    /// Computes the logit of `input`, the `side * side` bytes that preprocessing wrote.
    ///
    /// # Errors
    /// [`EngineError`]; the engine stays usable.
    fn infer(&mut self, input: &[u8]) -> Result<f32, EngineError>;
}

impl Engine for Box<dyn Engine> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn infer(&mut self, input: &[u8]) -> Result<f32, EngineError> {
        (**self).infer(input)
    }
}

/// Names of all engines of this build, fastest first; [`load`] takes them.
pub const NAMES: [&str; 1] = [TractEngine::NAME];

/// Makes the engine of that name ready to compute `model`; none where there is no such engine.
///
/// # Errors
/// [`EngineError::Load`].
pub fn load(name: &str, model: &ModelFile) -> Option<Result<Box<dyn Engine>, EngineError>> {
    match name {
        TractEngine::NAME => {
            Some(TractEngine::load(model).map(|engine| -> Box<dyn Engine> { Box::new(engine) }))
        }
        _ => None,
    }
}

/// Why an engine gave no logit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The graph has an operator or a form that the engine cannot compute.
    #[error("{engine} cannot compute this model ({what}); export it again with host-trainer")]
    Load {
        /// Name of the engine.
        engine: &'static str,
        /// What it said.
        what: String,
    },
    /// The input has another size than the model's.
    #[error("expected a preprocessed picture of {expected} bytes, got {got}")]
    Input {
        /// Bytes.
        expected: usize,
        /// Bytes.
        got: usize,
    },
    /// The computation failed.
    #[error("{engine} failed ({what}); the model or the engine is damaged")]
    Run {
        /// Name of the engine.
        engine: &'static str,
        /// What it said.
        what: String,
    },
}
