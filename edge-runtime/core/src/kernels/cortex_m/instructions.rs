//! The instructions that the compiler does not pick by itself, and the requantization that all
//! kernels share.
//!
//! [`requantize`](crate::kernels::requantize) becomes: VCVT to f32, VMUL by the channel's
//! multiplier, VCVTR to the nearest integer, ties to even, which is FPSCR's mode after reset and
//! the one that Rust takes for granted; then QADD of the zero point and USAT to 8 bits. VCVTR and
//! QADD saturate, so the result is right for every accumulator.

use core::arch::asm;

/// Defines a function for an instruction of one or more registers in and one out.
macro_rules! instruction {
    ($(#[$doc:meta])* $name:ident($($input:ident: $type:ty),+) -> $out:ty, $text:literal) => {
        $(#[$doc])*
        #[inline(always)]
        pub(super) fn $name($($input: $type),+) -> $out {
            let out: $out;
            // SAFETY: the instruction writes nothing but its register.
            unsafe {
                asm!($text, $($input = in(reg) $input,)+ out = lateout(reg) out,
                    options(pure, nomem, nostack, preserves_flags));
            }
            out
        }
    };
}

instruction! {
    /// Bytes 0 and 2, unsigned, as a pair.
    uxtb16(x: u32) -> u32, "uxtb16 {out}, {x}"
}
instruction! {
    /// Bytes 1 and 3, unsigned, as a pair.
    uxtb16_odd(x: u32) -> u32, "uxtb16 {out}, {x}, ror #8"
}
instruction! {
    /// Bytes 0 and 2, signed, as a pair.
    sxtb16(x: u32) -> u32, "sxtb16 {out}, {x}"
}
instruction! {
    /// Bytes 1 and 3, signed, as a pair.
    sxtb16_odd(x: u32) -> u32, "sxtb16 {out}, {x}, ror #8"
}
instruction! {
    /// A pair plus bytes 0 and 2.
    uxtab16(pair: u32, x: u32) -> u32, "uxtab16 {out}, {pair}, {x}"
}
instruction! {
    /// A pair plus bytes 1 and 3.
    uxtab16_odd(pair: u32, x: u32) -> u32, "uxtab16 {out}, {pair}, {x}, ror #8"
}
instruction! {
    /// A pair minus a pair.
    sub16(a: u32, b: u32) -> u32, "usub16 {out}, {a}, {b}"
}
instruction! {
    /// Both halves, signed, clamped to 0..=255.
    usat16(pair: u32) -> u32, "usat16 {out}, #8, {pair}"
}
/// An accumulator as an output, in the low byte.
#[inline(always)]
pub(super) fn requantize(acc: i32, multiplier: f32, zero: u8) -> u32 {
    let out: u32;
    // SAFETY: only registers change, all of them named; QADD's and USAT's sticky flag is nobody's
    // concern.
    unsafe {
        asm!(
            "vmov s0, s1, {acc}, {multiplier}",
            "vcvt.f32.s32 s0, s0",
            "vmul.f32 s0, s0, s1",
            "vcvtr.s32.f32 s0, s0",
            "vmov {out}, s0",
            "qadd {out}, {out}, {zero}",
            "usat {out}, #8, {out}",
            acc = in(reg) acc,
            multiplier = in(reg) multiplier.to_bits(),
            zero = in(reg) u32::from(zero),
            out = out(reg) out,
            out("s0") _,
            out("s1") _,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    out
}
