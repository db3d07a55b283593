//! Puts firmware and models on a board, and sends it pictures: what `cargo xtask sign`, `flash`,
//! `flash-model` and `send` do.
//!
//! ```text
//! sign:         model -> packed -> bundle (golden input and logit, hash, signature)
//! flash:        ELF -> pieces within the firmware's region -> write, read back, start
//! flash-model:  bundle -> opened as the device would -> the slot that does not run -> write, read back, start
//! send:         picture -> packets, whenever the board asks for a frame
//! ```
//!
//! What goes where is decided over [`link::Link`], a board's memory, so that it is tested without
//! one; the package `flash-cli` has the thin part that has a debug probe.

pub mod elf;
mod image;
pub mod key;
pub mod link;
pub mod model;
pub mod outcome;
pub mod program;
pub mod progress;
pub mod send;
pub mod sign;
#[cfg(test)]
mod testing;

use std::path::{Path, PathBuf};

pub fn boards_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("boards")
}
