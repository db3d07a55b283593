//! What computes the network: preprocessed picture in, logit out.
//!
//! Every engine gives the same bits for the same model and input; they differ in speed only.

mod contract;
mod kind;

pub use contract::{Convolutions, Engine, EngineError, Fallback};
pub use kind::{EngineKind, UnknownEngine};

use crate::infer_core::CoreEngine;
use crate::infer_tract::{Operators, TractEngine};
use crate::model_file::ModelFile;
use edge_core::kernels::{self, Kernels};

impl EngineKind {
    /// Makes an engine ready to compute `model` with the fastest kernels of this machine.
    pub fn load(self, model: &ModelFile) -> Result<Box<dyn Engine>, EngineError> {
        self.load_with(kernels::best(), model)
    }

    /// The same with chosen kernels, which an engine without kernels ignores.
    pub fn load_with(self, kernels: Kernels, model: &ModelFile) -> Result<Box<dyn Engine>, EngineError> {
        Ok(match self {
            Self::Tract => Box::new(TractEngine::load_with(Operators::Kernels(kernels), model)?),
            Self::Core => Box::new(CoreEngine::load(model, kernels)?),
            Self::TractStock => Box::new(TractEngine::load_with(Operators::Stock, model)?),
        })
    }
}
