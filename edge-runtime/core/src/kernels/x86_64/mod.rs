//! Kernels for x86-64: AVX-512 with VNNI (servers since Ice Lake, desktops since Zen 4), and AVX2
//! (nearly all else).
//!
//! Each set is a folder with a file an operator. A kernel is a safe function that takes a checked
//! call and enters code compiled for the set's features; inside, only loads and stores through
//! pointers are unsafe, and each is argued from what the call's constructor has proven.

mod avx2;
mod vnni;

use super::{Kernels, Set};

/// AVX-512 with VNNI and VBMI.
pub(super) const VNNI: Set = Set {
    kernels: Kernels {
        name: "vnni",
        pointwise: vnni::pointwise,
        single_channel: vnni::single_channel,
        depthwise: vnni::depthwise,
        signed_from: usize::MAX,
        add: vnni::add,
        sums: vnni::sums,
    },
    runs_here: has_vnni,
};

pub(super) const AVX2: Set = Set {
    kernels: Kernels {
        name: "avx2",
        pointwise: avx2::pointwise,
        single_channel: avx2::single_channel,
        depthwise: avx2::depthwise,
        signed_from: usize::MAX,
        add: avx2::add,
        sums: avx2::sums,
    },
    runs_here: has_avx2,
};

/// Asks the processor and the operating system, or without `std` what this build may take for
/// granted.
macro_rules! has {
    ($($feature:tt),+) => {{
        #[cfg(feature = "std")]
        let found = true $(&& std::arch::is_x86_feature_detected!($feature))+;
        #[cfg(not(feature = "std"))]
        let found = true $(&& cfg!(target_feature = $feature))+;
        found
    }};
}

fn has_vnni() -> bool {
    has!("avx512f", "avx512bw", "avx512vl", "avx512vnni", "avx512vbmi")
}

fn has_avx2() -> bool {
    has!("avx2")
}
