//! Products of the upper halves, by SMULL2 and SMLAL2. Written with `vmull_high_s8`, LLVM takes
//! upper halves that a loop reuses out of it into registers of their own: one more instruction for
//! each new one, and twice the registers.

use core::arch::aarch64::{int8x16_t, int16x8_t};
use core::arch::asm;

/// Products of the upper eight bytes.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn mull_high(a: int8x16_t, b: int8x16_t) -> int16x8_t {
    let product;
    // SAFETY: computes on registers only; the function's target feature says that the instruction
    // exists.
    unsafe {
        asm!("smull2 {0:v}.8h, {1:v}.16b, {2:v}.16b", out(vreg) product, in(vreg) a, in(vreg) b,
            options(pure, nomem, nostack, preserves_flags));
    }
    product
}

/// `acc` plus the products of the upper eight bytes.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn mlal_high(acc: int16x8_t, a: int8x16_t, b: int8x16_t) -> int16x8_t {
    let mut sum = acc;
    // SAFETY: as in `mull_high`.
    unsafe {
        asm!("smlal2 {0:v}.8h, {1:v}.16b, {2:v}.16b", inout(vreg) sum, in(vreg) a, in(vreg) b,
            options(pure, nomem, nostack, preserves_flags));
    }
    sum
}
