//! Whether this chip computes with this model what it must: one known input through the engine, its
//! logit compared bit by bit.

use crate::bundle::Bundle;
use core::fmt;
use edge_core::Engine;
use edge_core::infer::InferError;
use edge_core::kernels::Kernels;

/// Runs the bundle's golden input in `arena`, whose content is overwritten.
///
/// # Errors
/// [`SelfTestError`]: nothing that this model says on this chip may be shown.
pub fn run(bundle: &Bundle<'_>, arena: &mut [u8], kernels: Kernels) -> Result<(), SelfTestError> {
    let logit = Engine::new(bundle.model, kernels).infer(arena, bundle.input)?;
    let (expected, got) = (bundle.logit_bits, logit.to_bits());
    if expected == got { Ok(()) } else { Err(SelfTestError::Logit { expected, got }) }
}

/// Why the self-test failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTestError {
    /// The logit is another one.
    Logit {
        /// Bits of the f32 that the bundle promises.
        expected: u32,
        /// Bits of the f32 that this chip computes.
        got: u32,
    },
    /// The engine could not run the model.
    Engine(InferError),
}

impl fmt::Display for SelfTestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Logit { expected, got } => {
                write!(f, "the golden input gives a logit with bits {got:08x}, expected {expected:08x}; ")?;
                write!(f, "sign the model with the logit that the host computes, else the chip is damaged")
            }
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SelfTestError {}

impl From<InferError> for SelfTestError {
    fn from(error: InferError) -> Self {
        Self::Engine(error)
    }
}
