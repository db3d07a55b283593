//! Convolution over one channel by SMULL and SMLAL: a kernel row's four columns are one step, and two rows' products are added in
//! 16 bits before they are widened.

use super::requantize::Requantize;
use crate::kernels::first::Call;
use crate::kernels::layout::{BLOCK, DEPTH};
use core::arch::aarch64::*;

pub(in crate::kernels) fn first(call: Call) {
    // SAFETY: NEON is part of every processor that the set is handed out on.
    unsafe { run(call) }
}

#[target_feature(enable = "neon")]
fn run(mut call: Call) {
    let (pixels, stride, outputs) = (call.pixels(), call.stride(), call.outputs());
    let (weights, channels) = (call.weights(), *call.channels());
    let (rows, y) = call.slices();
    let y = y.as_mut_ptr();
    for first in (0..outputs).step_by(BLOCK) {
        let count = BLOCK.min(outputs - first);
        // SAFETY: weights and numbers reach to the end of the block; every row holds the window of each pixel, and `y`
        // `outputs` bytes for each.
        unsafe {
            let block = Block {
                rows,
                weights: weights.as_ptr().add(first * rows.len() * DEPTH),
                bias: channels.signed_bias().as_ptr().add(first),
                requantize: Requantize::new(channels.multiplier().as_ptr().add(first), channels.zero()),
            };
            for pixel in 0..pixels {
                block.one(pixel * stride, y.add(pixel * outputs + first), count);
            }
        }
    }
}

/// Sixteen outputs.
struct Block<'a> {
    rows: &'a [&'a [u8]],
    weights: *const i8,
    bias: *const i32,
    requantize: Requantize<4>,
}

impl Block<'_> {
    /// The first `count` outputs of a pixel whose window begins at `column`.
    ///
    /// # Safety
    /// Every row has four bytes there; `y` points to `count` bytes.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn one(&self, column: usize, y: *mut u8, count: usize) {
        let mut acc = [[vdupq_n_s32(0); 2]; 4];
        let mut weights = self.weights;
        for rows in self.rows.chunks(2) {
            // SAFETY: the caller's promise; `weights` points to 64 bytes a row.
            unsafe {
                if let [row, next] = rows {
                    let (row, next) = (window(row, column), window(next, column));
                    for (q, acc) in acc.iter_mut().enumerate() {
                        let (w, w_next) = (vld1q_s8(weights.add(16 * q)), vld1q_s8(weights.add(64 + 16 * q)));
                        let low = vmull_s8(vget_low_s8(w), vget_low_s8(row));
                        let high = vmull_high_s8(w, row);
                        let low = vmlal_s8(low, vget_low_s8(w_next), vget_low_s8(next));
                        let high = vmlal_high_s8(high, w_next, next);
                        *acc = [vpadalq_s16(acc[0], low), vpadalq_s16(acc[1], high)];
                    }
                } else if let [row] = rows {
                    let row = window(row, column);
                    for (q, acc) in acc.iter_mut().enumerate() {
                        let w = vld1q_s8(weights.add(16 * q));
                        let low = vmull_s8(vget_low_s8(w), vget_low_s8(row));
                        *acc = [vpadalq_s16(acc[0], low), vpadalq_s16(acc[1], vmull_high_s8(w, row))];
                    }
                }
                weights = weights.add(64 * rows.len());
            }
        }
        let mut whole = [vdupq_n_s32(0); 4];
        // SAFETY: `bias` points to the numbers of 16 outputs; the caller's promise.
        unsafe {
            for (q, whole) in whole.iter_mut().enumerate() {
                *whole = vaddq_s32(vpaddq_s32(acc[q][0], acc[q][1]), vld1q_s32(self.bias.add(4 * q)));
            }
            self.requantize.store(&whole, y, count);
        }
    }
}

/// Four columns of a row, read as signed and repeated.
///
/// # Safety
/// The row has four bytes at `column`.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn window(row: &[u8], column: usize) -> int8x16_t {
    // SAFETY: the caller's promise.
    let four = unsafe { row.as_ptr().add(column).cast::<u32>().read_unaligned() };
    vreinterpretq_s8_u32(vdupq_n_u32(four ^ 0x8080_8080))
}
