//! The kernel sets of this build, and which of them this machine can run.

use super::dispatch::{Kernels, Set};

const SCALAR: Set = Set { kernels: Kernels::SCALAR, runs_here: || true };

/// Every set that was built in, the fastest first, the scalar one last.
#[cfg(target_arch = "x86_64")]
pub const ALL: &[Set] = &[super::x86_64::VNNI, super::x86_64::AVX2, SCALAR];
/// Every set that was built in, the fastest first, the scalar one last.
#[cfg(target_arch = "aarch64")]
pub const ALL: &[Set] = &[super::aarch64::SDOT, super::aarch64::SMLAL, SCALAR];
/// Every set that was built in, the fastest first, the scalar one last.
#[cfg(all(target_arch = "arm", feature = "cortex-m-dsp"))]
pub const ALL: &[Set] = &[super::cortex_m::DSP, SCALAR];
/// Every set that was built in.
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    all(target_arch = "arm", feature = "cortex-m-dsp")
)))]
pub const ALL: &[Set] = &[SCALAR];

/// The fastest kernels that this machine can run.
pub fn best() -> Kernels {
    ALL.iter().find_map(Set::kernels).unwrap_or(Kernels::SCALAR)
}

/// The kernels of that name, where they were built in and this machine can run them.
pub fn by_name(name: &str) -> Option<Kernels> {
    ALL.iter().find(|set| set.name() == name)?.kernels()
}
