//! Kernels for 64-bit ARM: two sets that differ in how they multiply.
//!
//! `sdot` takes the dot product extension (Cortex-A55, A76 and later): one SDOT is 16 products and
//! their sums of four. `smlal` runs on every processor (Cortex-A53, A72): SMULL and SMLAL give
//! 16-bit products, of which two fit before they must be widened, `2 * 128 * 127 < 2^15`, and four
//! where weights have 7 bits, `4 * 128 * 63 < 2^15`. Both read activations as signed, `q ^ 0x80`.
//!
//! Tiles of a fixed size are all there is: where pixels or channels do not fill the last one, it
//! begins earlier and computes some outputs again, to the same bytes. So nothing is read or written
//! beyond the slices. The dot product's intrinsics are not stable in Rust yet, so it is an `asm!`
//! (see `dot`).
//!
//! Sums live in registers only as long as every function that takes them is inlined.
//! `#[inline(always)]` sees to that, and excludes `#[target_feature]`: such functions are unsafe,
//! and are called from those that have the features.

mod add;
mod depthwise;
mod depthwise_sdot;
mod depthwise_smlal;
mod dot;
mod long;
mod pack;
mod pointwise_sdot;
mod pointwise_smlal;
mod requantize;
mod single_channel_sdot;
mod single_channel_smlal;
mod steps_smlal;
mod sums;

use super::{Kernels, Set};

pub(super) const SDOT: Set = Set {
    kernels: Kernels {
        name: "sdot",
        pointwise: pointwise_sdot::pointwise,
        single_channel: single_channel_sdot::single_channel,
        depthwise: depthwise_sdot::depthwise,
        signed_from: depthwise::LEAST,
        add: add::add,
        sums: sums::sums,
    },
    runs_here: has_dot_product,
};

pub(super) const SMLAL: Set = Set {
    kernels: Kernels {
        name: "smlal",
        pointwise: pointwise_smlal::pointwise,
        single_channel: single_channel_smlal::single_channel,
        depthwise: depthwise_smlal::depthwise,
        signed_from: depthwise::LEAST,
        add: add::add,
        sums: sums::sums,
    },
    runs_here: || cfg!(target_feature = "neon"),
};

#[cfg(feature = "std")]
fn has_dot_product() -> bool {
    std::arch::is_aarch64_feature_detected!("dotprod")
}

#[cfg(not(feature = "std"))]
fn has_dot_product() -> bool {
    cfg!(target_feature = "dotprod")
}
