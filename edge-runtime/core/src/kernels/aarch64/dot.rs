//! The dot product instruction, whose intrinsics (`vdotq_s32`, `vdotq_laneq_s32`) are unstable in
//! Rust 1.96.

use core::arch::aarch64::{int8x16_t, int32x4_t};
use core::arch::asm;

/// `acc[i] + a[4i..4i + 4] . b[4i..4i + 4]` in each of the four lanes.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(super) fn dot(acc: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    let mut sum = acc;
    // SAFETY: computes on registers only; the function's target features say that the instruction
    // exists.
    unsafe {
        asm!("sdot {0:v}.4s, {1:v}.16b, {2:v}.16b", inout(vreg) sum, in(vreg) a, in(vreg) b,
            options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

/// `acc[i] + a[4i..4i + 4] . b[4 * LANE..4 * LANE + 4]` in each of the four lanes.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(super) fn dot_lane<const LANE: usize>(acc: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    let mut sum = acc;
    // SAFETY: as in `dot`.
    unsafe {
        asm!("sdot {0:v}.4s, {1:v}.16b, {2:v}.4b[{lane}]", inout(vreg) sum, in(vreg) a, in(vreg) b,
            lane = const LANE, options(pure, nomem, nostack, preserves_flags));
    }
    sum
}
