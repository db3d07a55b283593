//! Whether this machine computes what it must: a known picture through decoding, preprocessing and
//! engine. For every start of a device; some milliseconds.

use crate::drawings;
use crate::engine::{Engine, EngineError};
use crate::infer_core::CoreEngine;
use crate::model_file::{ModelFile, sha256_hex};
use edge_core::Scratch;
use edge_core::kernels::Kernels;

/// What `models/pneumonia/golden.json` holds of [`drawings::GOLDEN`]: what onnxruntime made of it.
/// A test compares.
pub mod shipped {
    /// SHA-256 of the shipped model.
    pub const MODEL: &str = "a1fb277b3dc41732d5c5df93d1782e029ae92fb8842506c9ce885124e1f30dfd";
    /// SHA-256 of the network's input.
    pub const INPUT: &str = "eeca3323b4f2cb598cc9549be9bd5956b17baa2b46aae3ff53cf3ad60a4f2c6b";
    /// Bits of the logit.
    pub const LOGIT: u32 = 0x4009_d75c;
    /// Side of the shipped model's input, in pixels.
    pub const SIDE: u16 = 128;
}

/// Why nothing that an engine says may be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelfTestError {
    /// The network's input is another.
    #[error(
        "preprocessing gives SHA-256 {got}, expected {expected}; the program is damaged: install it again"
    )]
    Preprocessing {
        /// SHA-256 of the input as it must be.
        expected: &'static str,
        /// SHA-256 of the input that came.
        got: String,
    },
    /// The logit is another.
    #[error(
        "{engine} gives a logit with bits {got:08x}, expected {expected:08x} as by {reference}; \
         the program, the memory or the processor is damaged: install it again, and if it stays, change the machine"
    )]
    Logit {
        /// [`Engine::name`].
        engine: &'static str,
        /// Whose logit is the expected one.
        reference: &'static str,
        /// Bits of the logit as they must be.
        expected: u32,
        /// Bits of the logit that came.
        got: u32,
    },
    /// The engine, or the one that it is compared with, gave no logit.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Puts a known picture through preprocessing and engine and compares the bits: with onnxruntime's
/// for the shipped model, with the scalar kernels' for any other. The model's own checksum is
/// checked when it is loaded. [`SelfTestError`]: nothing that this engine says may be shown.
pub fn golden(model: &ModelFile, engine: &mut dyn Engine) -> Result<(), SelfTestError> {
    let side = model.metadata().input_side;
    let input = input(side);
    if side == shipped::SIDE {
        let got = sha256_hex(&input);
        if got != shipped::INPUT {
            return Err(SelfTestError::Preprocessing { expected: shipped::INPUT, got });
        }
    }
    if model.sha256() == shipped::MODEL {
        return compare(engine, &input, "onnxruntime", shipped::LOGIT);
    }
    let logit = CoreEngine::load(model, Kernels::SCALAR)?.infer(&input)?;
    compare(engine, &input, "the scalar kernels", logit.to_bits())
}

/// Puts the golden input of a signed model through the engine and compares the bits with those that
/// were signed.
///
/// # Errors
/// [`SelfTestError`]: nothing that this engine says may be shown.
pub fn signed(engine: &mut dyn Engine, input: &[u8], logit_bits: u32) -> Result<(), SelfTestError> {
    compare(engine, input, "whoever signed the model", logit_bits)
}

fn compare(
    engine: &mut dyn Engine,
    input: &[u8],
    reference: &'static str,
    expected: u32,
) -> Result<(), SelfTestError> {
    let got = engine.infer(input)?.to_bits();
    if got == expected {
        Ok(())
    } else {
        Err(SelfTestError::Logit { engine: engine.name(), reference, expected, got })
    }
}

/// The drawing [`drawings::GOLDEN`] as the input of a network of that side, in pixels.
pub fn input(side: u16) -> Vec<u8> {
    let n = usize::from(side);
    let (mut row, mut line, mut cells, mut input) = (vec![0; n], vec![0; n], vec![0; n * n], vec![0; n * n]);
    let scratch = Scratch { row: &mut row, line: &mut line, cells: &mut cells };
    // Cannot fail on a picture that is built in; were it to, the zeros would not pass for it.
    if let Ok(picture) = drawings::GOLDEN.picture() {
        let _ = edge_core::preprocess(&picture.frame(), side, scratch, &mut input);
    }
    input
}
