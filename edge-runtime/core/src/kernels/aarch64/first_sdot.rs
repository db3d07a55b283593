//! Convolution over one channel by SDOT: a kernel row's four columns are one step.

use super::dot::{dot, dot_lane};
use super::requantize::Requantize;
use crate::kernels::first::Call;
use crate::kernels::layout::{BLOCK, DEPTH};
use core::arch::aarch64::*;

pub(in crate::kernels) fn first(call: Call) {
    // SAFETY: the set is handed out only where the processor has the dot product extension.
    unsafe { run(call) }
}

#[target_feature(enable = "neon,dotprod")]
fn run(mut call: Call) {
    let (pixels, stride, outputs) = (call.pixels(), call.stride(), call.outputs());
    let (weights, channels) = (call.weights(), *call.channels());
    let (rows, y) = call.slices();
    let y = y.as_mut_ptr();
    for first in (0..outputs).step_by(BLOCK) {
        let count = BLOCK.min(outputs - first);
        // SAFETY: weights and numbers reach to the end of the block.
        let block = unsafe {
            Block {
                rows,
                weights: weights.as_ptr().add(first * rows.len() * DEPTH),
                bias: channels.signed_bias().as_ptr().add(first),
                requantize: Requantize::new(channels.multiplier().as_ptr().add(first), channels.zero()),
                count,
            }
        };
        let mut pixel = 0;
        // SAFETY: every row holds `(pixels - 1) * stride + 4` bytes, so the window of each pixel, and at a stride of 2
        // the 18 bytes of eight pixels' windows; `y` holds `outputs` bytes for each pixel.
        unsafe {
            while stride == 2 && pixel + 8 <= pixels {
                block.eight(2 * pixel, y.add(pixel * outputs + first), outputs);
                pixel += 8;
            }
            while pixel < pixels {
                block.one(pixel * stride, y.add(pixel * outputs + first));
                pixel += 1;
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
    count: usize,
}

impl Block<'_> {
    #[inline]
    #[target_feature(enable = "neon,dotprod")]
    fn start(&self) -> [int32x4_t; 4] {
        let mut acc = [vdupq_n_s32(0); 4];
        for (q, acc) in acc.iter_mut().enumerate() {
            // SAFETY: `bias` points to the numbers of 16 outputs.
            *acc = unsafe { vld1q_s32(self.bias.add(4 * q)) };
        }
        acc
    }

    /// One pixel whose window begins at `column`.
    ///
    /// # Safety
    /// Every row has four bytes there; `y` points to `count` bytes.
    #[inline]
    #[target_feature(enable = "neon,dotprod")]
    unsafe fn one(&self, column: usize, y: *mut u8) {
        let mut acc = self.start();
        for (k, row) in self.rows.iter().enumerate() {
            for (q, acc) in acc.iter_mut().enumerate() {
                // SAFETY: the caller's promise; `weights` points to 64 bytes a row.
                let (window, four) = unsafe {
                    let window: *const u32 = row.as_ptr().add(column).cast();
                    (window.read_unaligned(), vld1q_s8(self.weights.add(64 * k + 16 * q)))
                };
                *acc = dot(*acc, four, vreinterpretq_s8_u32(vdupq_n_u32(window ^ 0x8080_8080)));
            }
        }
        // SAFETY: the caller's promise.
        unsafe { self.requantize.store(&acc, y, self.count) };
    }

    /// Eight pixels at a stride of 2, the first one's window at `column`: every other window is a lane of one vector, those between of
    /// another.
    ///
    /// # Safety
    /// Every row has 18 bytes there; `y` points to eight pixels of `count` bytes, `stride` apart.
    #[inline]
    #[target_feature(enable = "neon,dotprod")]
    unsafe fn eight(&self, column: usize, y: *mut u8, stride: usize) {
        for odd in 0..2 {
            let mut acc = [self.start(); 4];
            for (k, row) in self.rows.iter().enumerate() {
                // SAFETY: the caller's promise; `weights` points to 64 bytes a row.
                unsafe {
                    let windows = vld1q_u8(row.as_ptr().add(column + 2 * odd));
                    let windows = vreinterpretq_s8_u8(veorq_u8(windows, vdupq_n_u8(0x80)));
                    for q in 0..4 {
                        let four = vld1q_s8(self.weights.add(64 * k + 16 * q));
                        acc[0][q] = dot_lane::<0>(acc[0][q], four, windows);
                        acc[1][q] = dot_lane::<1>(acc[1][q], four, windows);
                        acc[2][q] = dot_lane::<2>(acc[2][q], four, windows);
                        acc[3][q] = dot_lane::<3>(acc[3][q], four, windows);
                    }
                }
            }
            for (i, acc) in acc.iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe { self.requantize.store(acc, y.add((2 * i + odd) * stride), self.count) };
            }
        }
    }
}
