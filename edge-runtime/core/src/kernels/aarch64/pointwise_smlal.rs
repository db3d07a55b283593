//! Pointwise convolution by SMULL and SMLAL: tiles of two pixels by 16 outputs. A weight vector holds four outputs' weights of a
//! step and meets a pixel's four inputs repeated four times; two steps' products are added in 16 bits, then widened.

use super::pack::{self, PART, tiles};
use super::requantize::Requantize;
use crate::kernels::layout::{BLOCK, DEPTH};
use crate::kernels::pointwise::Call;
use core::arch::aarch64::*;
use core::ops::Range;

/// Pixels of a tile: two by eight accumulators of half an output each.
const PIXELS: usize = 2;

pub(in crate::kernels) fn pointwise(call: Call) {
    // SAFETY: NEON is part of every processor that the set is handed out on.
    unsafe { if call.pixels() >= PIXELS { run::<PIXELS>(call) } else { run::<1>(call) } }
}

#[target_feature(enable = "neon")]
fn run<const P: usize>(mut call: Call) {
    let (pixels, outputs, channels) = (call.pixels(), call.outputs(), *call.channels());
    let (x_stride, y_stride) = (call.x_stride(), call.y_stride());
    let op = Operator {
        depth: call.depth(),
        x_stride,
        weights: call.weights().as_ptr(),
        bias: channels.signed_bias().as_ptr(),
        multiplier: channels.multiplier().as_ptr(),
        zero: channels.zero(),
    };
    let mut packed = [0i8; PIXELS * PART * 4];
    let packed = packed.as_mut_ptr();
    let (x, y) = call.slices();
    let (x, y) = (x.as_ptr(), y.as_mut_ptr());
    for pixel in tiles(pixels, P) {
        // SAFETY: `P` pixels from `pixel` on lie within `x` and `y` (`Call`'s promise), as many outputs as there are in each;
        // weights and numbers reach to the end of the last block. A part of the inputs fits `packed`.
        unsafe {
            let (x, y) = (x.add(pixel * x_stride), y.add(pixel * y_stride));
            if op.depth > PART {
                op.parts::<P>(x, packed, 0..outputs, y, y_stride);
                continue;
            }
            pack::repeated::<P>(x, x_stride, op.depth, 0, packed);
            let whole = outputs / BLOCK * BLOCK;
            for first in (0..whole).step_by(BLOCK) {
                op.tile::<P, 4>(packed, first, y.add(first), y_stride);
            }
            match outputs - whole {
                0 => {}
                8 => op.tile::<P, 2>(packed, whole, y.add(whole), y_stride),
                _ => op.parts::<P>(x, packed, whole..outputs, y, y_stride),
            }
        }
    }
}

/// Sums of four outputs, each in two parts.
type Four = [int32x4_t; 2];

/// What all tiles of a call share.
struct Operator {
    depth: usize,
    x_stride: usize,
    weights: *const i8,
    bias: *const i32,
    multiplier: *const f32,
    zero: u8,
}

impl Operator {
    /// Computes `4 * Q` outputs from `first` on for `P` packed pixels.
    ///
    /// # Safety
    /// `x` points to packed pixels, `y` to `4 * Q` bytes of as many, `y_stride` apart; `first` is a multiple of `BLOCK`.
    #[inline(always)]
    unsafe fn tile<const P: usize, const Q: usize>(
        &self,
        x: *const i8,
        first: usize,
        y: *mut u8,
        y_stride: usize,
    ) {
        let steps = self.depth.div_ceil(DEPTH);
        // SAFETY: the caller's promise.
        unsafe {
            let mut acc = self.start::<P, Q>(first);
            accumulate(&mut acc, x, self.weights.add(first * steps * DEPTH), steps);
            self.finish(&acc, first, y, y_stride);
        }
    }

    /// Computes any outputs of `P` pixels with any number of inputs: they are packed anew, in parts, for each block, and each
    /// block is computed into a place of its own.
    ///
    /// # Safety
    /// `x` points to `P` pixels, `packed` to room for a part of them, `y` to as many, `y_stride` apart; `outputs` begins with
    /// a block.
    #[cold]
    #[target_feature(enable = "neon")]
    unsafe fn parts<const P: usize>(
        &self,
        x: *const u8,
        packed: *mut i8,
        outputs: Range<usize>,
        y: *mut u8,
        y_stride: usize,
    ) {
        let steps = self.depth.div_ceil(DEPTH);
        for first in outputs.clone().step_by(BLOCK) {
            let mut block = [[0u8; BLOCK]; P];
            // SAFETY: the caller's promise.
            unsafe {
                let mut acc = self.start::<P, 4>(first);
                for from in (0..self.depth).step_by(PART) {
                    let part = PART.min(self.depth - from);
                    pack::repeated::<P>(x.add(from), self.x_stride, part, from, packed);
                    let weights = self.weights.add(first * steps * DEPTH + from * BLOCK);
                    accumulate(&mut acc, packed, weights, part.div_ceil(DEPTH));
                }
                self.finish(&acc, first, block.as_mut_ptr().cast(), BLOCK);
                let count = BLOCK.min(outputs.end - first);
                for (pixel, block) in block.iter().enumerate() {
                    y.add(pixel * y_stride + first).copy_from_nonoverlapping(block.as_ptr(), count);
                }
            }
        }
    }

    /// Sums before the first step.
    ///
    /// # Safety
    /// `first` is the first output of a block.
    #[inline(always)]
    unsafe fn start<const P: usize, const Q: usize>(&self, first: usize) -> [[Four; Q]; P] {
        // SAFETY: the caller's promise.
        unsafe {
            let mut bias = [[vdupq_n_s32(0); 2]; Q];
            for (q, bias) in bias.iter_mut().enumerate() {
                let (four, zero) = (vld1q_s32(self.bias.add(first + 4 * q)), vdupq_n_s32(0));
                *bias = [vzip1q_s32(four, zero), vzip2q_s32(four, zero)];
            }
            [bias; P]
        }
    }

    /// Outputs from sums.
    ///
    /// # Safety
    /// As [`Operator::tile`].
    #[inline(always)]
    unsafe fn finish<const P: usize, const Q: usize>(
        &self,
        acc: &[[Four; Q]; P],
        first: usize,
        y: *mut u8,
        y_stride: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let requantize = Requantize::<Q>::new(self.multiplier.add(first), self.zero);
            for (pixel, acc) in acc.iter().enumerate() {
                let mut whole = [vdupq_n_s32(0); Q];
                for (whole, &[low, high]) in whole.iter_mut().zip(acc) {
                    *whole = vpaddq_s32(low, high);
                }
                requantize.store(&whole, y.add(pixel * y_stride));
            }
        }
    }
}

/// Adds `steps` steps of packed pixels times weights.
///
/// # Safety
/// `x` points to 16 bytes for each step and each of `P` pixels, `weights` to 64 bytes a step.
#[inline(always)]
unsafe fn accumulate<const P: usize, const Q: usize>(
    acc: &mut [[Four; Q]; P],
    mut x: *const i8,
    mut weights: *const i8,
    steps: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        for _ in 0..steps / 2 {
            group::<2, P, Q>(acc, x, weights);
            x = x.add(2 * 16 * P);
            weights = weights.add(2 * 64);
        }
        if steps % 2 == 1 {
            group::<1, P, Q>(acc, x, weights);
        }
    }
}

/// Adds `G` steps, whose products are added in 16 bits.
///
/// # Safety
/// `x` points to 16 bytes for each step and each of `P` pixels, `weights` to 64 bytes a step.
#[inline(always)]
unsafe fn group<const G: usize, const P: usize, const Q: usize>(
    acc: &mut [[Four; Q]; P],
    x: *const i8,
    weights: *const i8,
) {
    // SAFETY: the caller's promise.
    unsafe {
        for q in 0..Q {
            for (p, acc) in acc.iter_mut().enumerate() {
                let (w, pixel) = (vld1q_s8(weights.add(16 * q)), vld1q_s8(x.add(16 * p)));
                let mut low = vmull_s8(vget_low_s8(w), vget_low_s8(pixel));
                let mut high = vmull_high_s8(w, pixel);
                for step in 1..G {
                    let w = vld1q_s8(weights.add(64 * step + 16 * q));
                    let pixel = vld1q_s8(x.add(16 * (step * P + p)));
                    low = vmlal_s8(low, vget_low_s8(w), vget_low_s8(pixel));
                    high = vmlal_high_s8(high, w, pixel);
                }
                acc[q] = [vpadalq_s16(acc[q][0], low), vpadalq_s16(acc[q][1], high)];
            }
        }
    }
}
