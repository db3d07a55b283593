//! Marks the region whose executed instructions are counted, for QEMU with
//! `xtask/emulation/src/instructions/plugin.c`.
//!
//! A marker is a move of a register to itself: it does nothing, and no compiler emits it. To the
//! compiler it may touch any memory, so what a region reads and writes happens within it. On other
//! machines than Arm's there are none.

#![no_std]

use core::arch::asm;

#[cfg(target_arch = "aarch64")]
macro_rules! marker {
    (start) => {
        "mov x9, x9"
    };
    (stop) => {
        "mov x10, x10"
    };
}
#[cfg(target_arch = "arm")]
macro_rules! marker {
    (start) => {
        "mov r9, r9"
    };
    (stop) => {
        "mov r10, r10"
    };
}
/// No marker: on this machine nothing is counted.
#[cfg(not(any(target_arch = "aarch64", target_arch = "arm")))]
macro_rules! marker {
    ($_which:ident) => {
        ""
    };
}

#[inline(always)]
#[allow(unsafe_code)]
pub fn start() {
    // SAFETY: the instruction changes nothing.
    unsafe { asm!(marker!(start), options(nostack, preserves_flags)) };
}

#[inline(always)]
#[allow(unsafe_code)]
pub fn stop() {
    // SAFETY: the instruction changes nothing.
    unsafe { asm!(marker!(stop), options(nostack, preserves_flags)) };
}

/// The innermost region ends and another begins, with nothing between: the compiler may put
/// instructions between two calls, not here.
#[inline(always)]
#[allow(unsafe_code)]
pub fn next() {
    // SAFETY: the instructions change nothing.
    unsafe { asm!(marker!(stop), marker!(start), options(nostack, preserves_flags)) };
}

/// Four regions whose counts are known by construction, to test the counting: region 0 executes `2
/// * rounds + 4` instructions, region 1 within it `2 * rounds`, region 2 none, region 3 one.
/// `rounds` is at least 1.
///
/// Region 3 starts at a page's end, before a wide Thumb instruction that lies across it.
#[cfg(any(target_arch = "aarch64", target_arch = "arm"))]
#[allow(unsafe_code)]
pub fn known(rounds: u32) {
    // SAFETY: only a scratch register and the flags change, both declared, and the loop ends: `rounds`
    // is not 0.
    unsafe {
        asm!(
            marker!(start),
            "nop",
            "nop",
            marker!(start),
            "2:",
            #[cfg(target_arch = "aarch64")]
            "subs {rounds:w}, {rounds:w}, #1",
            #[cfg(target_arch = "arm")]
            "subs {rounds}, {rounds}, #1",
            "bne 2b",
            marker!(stop),
            "nop",
            "nop",
            marker!(stop),
            marker!(start),
            marker!(stop),
            "b 3f",
            ".balign 1024",
            ".space 1020",
            "3:",
            marker!(start),
            #[cfg(target_arch = "aarch64")]
            "nop",
            #[cfg(target_arch = "arm")]
            "nop.w",
            marker!(stop),
            rounds = inout(reg) rounds.max(1) => _,
            options(nostack),
        )
    };
}
