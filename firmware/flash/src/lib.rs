//! Puts firmware and models on a board, and sends it pictures: what `cargo xtask sign`, `flash`,
//! `flash-model`, `uf2`, `dfu`, `hex` and `send` do.
//!
//! ```text
//! sign:         model -> packed -> bundle (golden input and logit, hash, signature)
//! flash:        ELF -> pieces within the firmware's region -> write, read back, start
//! flash-model:  bundle -> opened as the device would -> the slot that does not run -> write, read back, start
//! uf2, dfu, hex: ELF or bundle -> content of one region -> a file for the board's own boot loader
//! send:         picture -> packets, whenever the board asks for a frame
//! ```
//!
//! What goes where is decided over [`link::Link`], a board's memory, so that it is tested without
//! one; the package `flash-cli` has the thin part that has a debug probe.

pub mod content;
pub mod dfu;
pub mod elf;
pub mod hex;
mod image;
pub mod key;
pub mod link;
pub mod model;
pub mod outcome;
pub mod program;
pub mod progress;
pub mod rtt;
pub mod send;
pub mod sign;
#[cfg(test)]
mod testing;
pub mod uf2;

use std::path::{Path, PathBuf};

pub fn boards_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("boards")
}
