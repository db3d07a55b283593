//! What the project's commands share: running other programs, building for other machines, and
//! putting tools in place.

pub mod cross;
pub mod firmware;
pub mod host;
pub mod node;
pub mod outcome;
pub mod process;
pub mod python;
pub mod tool;

use std::path::PathBuf;

/// The folder of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(PathBuf::from).unwrap_or_default()
}

/// Where cargo puts what it builds for this machine.
pub fn target() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}
