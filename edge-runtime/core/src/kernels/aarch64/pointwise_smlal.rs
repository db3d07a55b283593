//! Pointwise convolution by SMULL and SMLAL: tiles of two pixels by 16 outputs. A weight vector holds four outputs' weights of a
//! step and meets a pixel's four inputs repeated four times; two steps' products are added in 16 bits, then widened.

use super::pack::{self, PART, tiles};
use super::requantize::Requantize;
use crate::kernels::layout::{BLOCK, DEPTH};
use crate::kernels::pointwise::Call;
use core::arch::aarch64::*;

/// Pixels of a tile: two by eight accumulators of half an output each.
const PIXELS: usize = 2;

pub(in crate::kernels) fn pointwise(call: Call) {
    // SAFETY: NEON is part of every processor that the set is handed out on.
    unsafe { if call.pixels() >= PIXELS { run::<PIXELS>(call) } else { run::<1>(call) } }
}

#[target_feature(enable = "neon")]
fn run<const P: usize>(mut call: Call) {
    let (pixels, depth, outputs) = (call.pixels(), call.depth(), call.outputs());
    let (x_stride, y_stride) = (call.x_stride(), call.y_stride());
    let mut packed = [0i8; PIXELS * PART * 4];
    let op = Operator {
        depth,
        x_stride,
        y_stride,
        weights: call.weights().as_ptr(),
        bias: call.channels().signed_bias().as_ptr(),
        multiplier: call.channels().multiplier().as_ptr(),
        zero: call.channels().zero(),
        packed: packed.as_mut_ptr(),
    };
    let (x, y) = call.slices();
    let (x, y) = (x.as_ptr(), y.as_mut_ptr());
    for pixel in tiles(pixels, P) {
        for first in (0..outputs).step_by(BLOCK) {
            let count = BLOCK.min(outputs - first);
            // SAFETY: `P` pixels from `pixel` on lie within `x` and `y` (`Call`'s promise), `count` outputs from `first` on
            // within each; weights and numbers reach to the end of the block.
            unsafe {
                let (x, y) = (x.add(pixel * x_stride), y.add(pixel * y_stride + first));
                if count > 8 {
                    op.tile::<P, 4>(x, first, y, count)
                } else {
                    op.tile::<P, 2>(x, first, y, count)
                }
            }
        }
    }
}

/// What all tiles of a call share.
struct Operator {
    depth: usize,
    x_stride: usize,
    y_stride: usize,
    weights: *const i8,
    bias: *const i32,
    multiplier: *const f32,
    zero: u8,
    packed: *mut i8,
}

/// Sums of four outputs, each in two parts.
type Four = [int32x4_t; 2];

impl Operator {
    /// Computes `count` of `4 * Q` outputs from `first` on for `P` pixels.
    ///
    /// # Safety
    /// `x` points to `P` pixels, `y` to output `first` of as many; `first` is a multiple of `BLOCK`, and tiles of a pixel
    /// are computed from the first one on, which packs the pixels for all.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn tile<const P: usize, const Q: usize>(
        &self,
        x: *const u8,
        first: usize,
        y: *mut u8,
        count: usize,
    ) {
        // SAFETY: the caller's promise; a part packs at most `PART` inputs of `P` pixels.
        unsafe {
            let weights = self.weights.add(first * self.depth.div_ceil(DEPTH) * DEPTH);
            let mut acc = [[[vdupq_n_s32(0); 2]; Q]; P];
            for from in (0..self.depth).step_by(PART) {
                let depth = PART.min(self.depth - from);
                if first == 0 || self.depth > PART {
                    pack::repeated::<P>(x.add(from), self.x_stride, depth, from, self.packed);
                }
                accumulate(&mut acc, self.packed, weights.add(from * BLOCK), depth.div_ceil(DEPTH));
            }
            let requantize = Requantize::<Q>::new(self.multiplier.add(first), self.zero);
            for (pixel, acc) in acc.iter().enumerate() {
                let mut whole = [vdupq_n_s32(0); Q];
                for (q, whole) in whole.iter_mut().enumerate() {
                    let bias = vld1q_s32(self.bias.add(first + 4 * q));
                    *whole = vaddq_s32(vpaddq_s32(acc[q][0], acc[q][1]), bias);
                }
                requantize.store(&whole, y.add(pixel * self.y_stride), count);
            }
        }
    }
}

/// Adds `steps` steps of packed pixels times weights.
///
/// # Safety
/// `x` points to 16 bytes for each step and each of `P` pixels, `weights` to 64 bytes a step.
#[inline]
#[target_feature(enable = "neon")]
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
#[inline]
#[target_feature(enable = "neon")]
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
