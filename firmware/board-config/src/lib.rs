//! `board.toml`: what a board of the firmware says of itself, the one source of its memory map.
//!
//! The board's build makes the linker's `memory.x` and its constants from it, flashing finds
//! regions and chip in it, the size report its memories.

#![warn(missing_docs)]

mod board;
mod boards;
mod estimate;

pub use board::{Board, Error, Flash, Region};
pub use boards::{all, find};
pub use estimate::{Estimate, Sources};

use std::fs;
use std::path::Path;

/// Writes `memory.x` and `board.rs` into `OUT_DIR` and tells the linker where: the whole build
/// script of a board whose `board.toml` lies in the package's folder.
///
/// # Panics
/// With what is wrong, as a build script does.
pub fn build() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    build_from(Path::new(&folder));
}

/// As [`build`], for a `board.toml` in another folder.
pub fn build_from(folder: &Path) {
    println!("cargo:rerun-if-changed={}", folder.join("board.toml").display());
    let out = std::env::var("OUT_DIR").expect("cargo sets it");
    let board = Board::read(folder).unwrap_or_else(|error| panic!("{error}"));
    let constants = board.constants().unwrap_or_else(|error| panic!("{error}"));
    fs::write(Path::new(&out).join("memory.x"), board.memory_x()).expect("OUT_DIR can be written");
    fs::write(Path::new(&out).join("board.rs"), constants).expect("OUT_DIR can be written");
    println!("cargo:rustc-link-search={out}");
}
