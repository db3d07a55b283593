//! All that was measured on this machine, and counted on the emulated ones.

use super::emulated::{Aarch64, CortexM};
use super::machine::Machine;
use super::measure::{Measured, Program};
use serde::Serialize;

#[derive(Serialize)]
pub struct Report {
    pub machine: Machine,
    pub model_sha256: String,
    /// The kernel set that our engines take here unasked.
    pub kernels: String,
    pub rounds: u16,
    pub frames: u16,
    pub engines: Vec<Measured>,
    /// `edge-runtime classify` on one picture.
    pub program: Program,
    /// Instructions a frame, unless they were left out.
    pub aarch64: Vec<Aarch64>,
    /// Instructions of each layer, unless they were left out.
    pub cortex_m4f: Option<CortexM>,
}
