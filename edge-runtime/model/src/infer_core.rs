//! The core engine on Linux: the packed model and the kernels of edge-core, with the memory that
//! they need.

use crate::aligned::AlignedBytes;
use crate::engine::{Engine, EngineError, EngineKind};
use crate::model_file::ModelFile;
use crate::pack::pack;
use edge_core::infer::{Engine as Core, InferError};
use edge_core::kernels::Kernels;
use edge_core::packed::Packed;

const NAME: &str = EngineKind::Core.name();

/// A packed model, its kernels and its arena. Nothing is allocated after it was made.
pub struct CoreEngine {
    core: Core<AlignedBytes>,
    arena: AlignedBytes,
    /// Whether the arena holds the features of a picture.
    ran: bool,
}

impl CoreEngine {
    /// Packs a model and makes it ready. [`EngineError::Load`] where it cannot be packed.
    pub fn load(model: &ModelFile, kernels: Kernels) -> Result<Self, EngineError> {
        let packed = pack(model);
        let packed = packed.map_err(|e| EngineError::Load { engine: NAME, what: e.to_string() })?;
        Ok(Self::new(packed, kernels))
    }

    /// Makes a packed model ready, with an arena of its [`Packed::arena_bytes`].
    pub fn new(model: Packed<AlignedBytes>, kernels: Kernels) -> Self {
        let arena = AlignedBytes::zeroed(model.arena_bytes());
        Self { core: Core::new(model, kernels), arena, ran: false }
    }

    /// The packed model that it computes.
    pub fn model(&self) -> &Packed<AlignedBytes> {
        self.core.model()
    }

    /// Computes the logit; `observe` sees every layer's output (height x width x channels) under
    /// its number.
    pub fn run(&mut self, input: &[u8], observe: &mut dyn FnMut(usize, &[u8])) -> Result<f32, EngineError> {
        let logit = self.core.infer_observed(self.arena.as_mut(), input, observe);
        self.ran = logit.is_ok();
        logit.map_err(failed)
    }

    /// The class activation map of the last picture: rows from the top, each position's share of
    /// the logit without its bias. [`EngineError::Run`] where `map` does not have one number a
    /// position of the last value.
    pub fn map(&self, map: &mut [f32]) -> Result<(), EngineError> {
        self.core.map(self.arena.as_ref(), map).map_err(failed)
    }
}

impl Engine for CoreEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn infer(&mut self, input: &[u8]) -> Result<f32, EngineError> {
        self.run(input, &mut |_, _| ())
    }

    fn features(&self) -> Result<&[u8], EngineError> {
        let ran = self.ran.then_some(()).ok_or(EngineError::NoFeatures { engine: NAME });
        ran.and_then(|()| self.core.features(self.arena.as_ref()).map_err(failed))
    }
}

fn failed(error: InferError) -> EngineError {
    match error {
        InferError::Input { expected, got } => EngineError::Input { expected, got },
        other => EngineError::Run { engine: NAME, what: other.to_string() },
    }
}
