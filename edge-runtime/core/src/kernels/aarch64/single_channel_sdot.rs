//! Convolution over one channel by SDOT, 3 x 3 at a stride of 2: a kernel row's four columns are
//! one step, and every other window is a lane of one vector, those between of another. Other
//! windows are left to the scalar kernel.

use super::dot::dot_lane;
use super::pack::tiles;
use super::requantize::Requantize;
use crate::kernels::Kernels;
use crate::kernels::call::RowCall;
use crate::kernels::layout::{BLOCK, DEPTH};
use core::arch::aarch64::*;

const PIXELS: usize = 8;

pub(in crate::kernels) fn single_channel(mut call: RowCall) {
    let (rows, _) = call.slices();
    match rows {
        // SAFETY: the set is handed out only where the processor has the dot product extension.
        &[a, b, c] if call.stride() == 2 && call.pixels() >= PIXELS => unsafe {
            if call.short() && call.channels().zero() == 0 {
                run::<true>(call, [a, b, c])
            } else {
                run::<false>(call, [a, b, c])
            }
        },
        _ => (Kernels::SCALAR.single_channel)(call),
    }
}

#[target_feature(enable = "neon,dotprod")]
fn run<const RELU: bool>(mut call: RowCall, rows: [&[u8]; 3]) {
    let (pixels, outputs) = (call.pixels(), call.outputs());
    let (weights, channels) = (call.weights(), *call.channels());
    let y = call.slices().1.as_mut_ptr();
    for first in (0..outputs).step_by(BLOCK) {
        let count = BLOCK.min(outputs - first);
        // SAFETY: weights and numbers reach to the end of the block; for `RELU` steps are short and the zero
        // point is 0. Every row holds the windows of all pixels: the 18 bytes of a tile's. `y` holds
        // `outputs` bytes for each pixel.
        unsafe {
            let block = Block::<RELU>::new(
                weights.as_ptr().add(first * 3 * DEPTH),
                channels.signed_bias().as_ptr().add(first),
                Requantize::new(channels.multiplier().as_ptr().add(first), channels.zero()),
            );
            for pixel in tiles(pixels, PIXELS) {
                let windows = rows.map(|row| row.as_ptr().add(2 * pixel));
                let y = y.add(pixel * outputs + first);
                if count == BLOCK {
                    block.tile(windows, y, outputs);
                } else {
                    let mut tile = [[0u8; BLOCK]; PIXELS];
                    block.tile(windows, tile.as_mut_ptr().cast(), BLOCK);
                    for (pixel, block) in tile.iter().enumerate() {
                        y.add(pixel * outputs).copy_from_nonoverlapping(block.as_ptr(), count);
                    }
                }
            }
        }
    }
}

struct Block<const RELU: bool> {
    /// For each row, four outputs a vector.
    weights: [[int8x16_t; 4]; 3],
    bias: *const i32,
    requantize: Requantize<4, RELU, RELU>,
}

impl<const RELU: bool> Block<RELU> {
    /// # Safety
    /// `weights` points to three rows of 64 bytes, `bias` to 16 numbers that outlive the block.
    #[inline]
    #[target_feature(enable = "neon,dotprod")]
    unsafe fn new(weights: *const i8, bias: *const i32, requantize: Requantize<4, RELU, RELU>) -> Self {
        let mut all = [[vdupq_n_s8(0); 4]; 3];
        for (i, four) in all.as_flattened_mut().iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *four = unsafe { vld1q_s8(weights.add(16 * i)) };
        }
        Self { weights: all, bias, requantize }
    }

    /// # Safety
    /// `rows` point to 18 bytes each, `y` to 16 bytes for each of eight pixels `stride` apart.
    #[inline(always)]
    unsafe fn tile(&self, rows: [*const u8; 3], y: *mut u8, stride: usize) {
        for odd in 0..2 {
            // SAFETY: the caller's promise.
            unsafe {
                let mut windows = [vdupq_n_s8(0); 3];
                for (windows, row) in windows.iter_mut().zip(rows) {
                    let q = vld1q_u8(row.add(2 * odd));
                    *windows = vreinterpretq_s8_u8(veorq_u8(q, vdupq_n_u8(0x80)));
                }
                let y = y.add(odd * stride);
                self.pixel::<0>(&windows, y);
                self.pixel::<1>(&windows, y.add(2 * stride));
                self.pixel::<2>(&windows, y.add(4 * stride));
                self.pixel::<3>(&windows, y.add(6 * stride));
            }
        }
    }

    /// # Safety
    /// `y` points to 16 bytes.
    #[inline(always)]
    unsafe fn pixel<const LANE: usize>(&self, windows: &[int8x16_t; 3], y: *mut u8) {
        // SAFETY: the caller's promise; `bias` points to 16 numbers.
        unsafe {
            let mut acc = [vdupq_n_s32(0); 4];
            for (q, acc) in acc.iter_mut().enumerate() {
                *acc = vld1q_s32(self.bias.add(4 * q));
                for (&windows, weights) in windows.iter().zip(&self.weights) {
                    *acc = dot_lane::<LANE>(*acc, weights[q], windows);
                }
            }
            self.requantize.store(&acc, y);
        }
    }
}
