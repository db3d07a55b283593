//! What every engine and every board is held to: the same model file and the same frame give the same integers.
//!
//! [`frames`] draws the golden frames; [`golden`] reads what onnxruntime made of them (`models/pneumonia/golden.json`, written by
//! `cargo xtask golden`); [`pictures`] are whole ones for the boards. The suites under `tests/` compare engines with it, byte by byte.

pub mod board;
pub mod boards;
pub mod chips;
pub mod float_twin;
pub mod frames;
pub mod golden;
// Pictures that are no chest, as the tests of the gate draw them.
#[allow(missing_docs)]
#[path = "../../edge-runtime/tests/support/other.rs"]
pub mod other;
pub mod pictures;

use std::path::PathBuf;

pub fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

pub fn shipped_model() -> PathBuf {
    root().join("models/pneumonia/model.onnx")
}
