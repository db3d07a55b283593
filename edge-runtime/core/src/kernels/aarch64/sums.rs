//! Sums over positions: 16 channels at a time, in 16 bits for up to 256 positions and then in 32.

use crate::kernels::call::SumsCall;
use core::arch::aarch64::*;

/// Positions whose sum fits 16 bits: `256 * 255 < 2^16`.
const POSITIONS: usize = 256;

pub(super) fn sums(call: SumsCall) {
    // SAFETY: NEON is part of every processor that the set is handed out on.
    unsafe { run(call) }
}

#[target_feature(enable = "neon")]
fn run(mut call: SumsCall) {
    let (x, sums) = call.slices();
    let channels = sums.len();
    let blocks = channels / 16 * 16;
    sums.fill(0);
    for part in x.chunks(POSITIONS * channels) {
        let positions = part.len() / channels;
        for first in (0..blocks).step_by(16) {
            // SAFETY: `part` is whole positions of `channels` bytes, and `sums` as many numbers; `first + 16`
            // is at most `channels`.
            unsafe { block(part.as_ptr().add(first), positions, channels, sums.as_mut_ptr().add(first)) };
        }
        for position in part.chunks_exact(channels) {
            for (sum, &q) in sums.iter_mut().zip(position).skip(blocks) {
                *sum += u32::from(q);
            }
        }
    }
}

/// # Safety
/// `x` points to 16 bytes in each of `positions` positions `stride` apart, `sums` to 16 numbers.
#[target_feature(enable = "neon")]
unsafe fn block(mut x: *const u8, positions: usize, stride: usize, sums: *mut u32) {
    let (mut low, mut high) = (vdupq_n_u16(0), vdupq_n_u16(0));
    for _ in 0..positions {
        // SAFETY: the caller's promise.
        let q = unsafe { vld1q_u8(x) };
        low = vaddw_u8(low, vget_low_u8(q));
        high = vaddw_high_u8(high, q);
        x = x.wrapping_add(stride);
    }
    let four = [vget_low_u16(low), vget_high_u16(low), vget_low_u16(high), vget_high_u16(high)];
    for (i, &four) in four.iter().enumerate() {
        // SAFETY: the caller's promise.
        unsafe {
            let sums = sums.add(4 * i);
            vst1q_u32(sums, vaddw_u16(vld1q_u32(sums), four));
        }
    }
}
