//! What every engine and every board is held to: the same model file and the same frame give the
//! same integers.
//!
//! [`frames`] draws the golden frames; [`golden`] reads what onnxruntime made of them
//! (`models/pneumonia/golden.json`, written by `cargo xtask golden`); [`pictures`] are whole ones
//! for the boards. The tests under `tests/` compare engines with it, byte by byte.

pub mod arm64;
pub mod chips;
pub mod float_twin;
pub mod frames;
pub mod golden;
pub mod on_target;
pub mod pictures;

use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

pub fn shipped_model() -> PathBuf {
    root().join("models/pneumonia/model.onnx")
}

/// Makes a folder, or empties it: files of an earlier run or version must not stay behind.
pub fn empty(folder: &Path) -> std::io::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)
}
