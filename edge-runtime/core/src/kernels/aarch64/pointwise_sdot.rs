//! Pointwise convolution by SDOT: tiles of six pixels by 16 outputs. A weight vector holds four outputs' weights of a step and meets
//! each pixel's four inputs as a lane.

use super::dot::dot_lane;
use super::pack::{self, PART, tiles};
use super::requantize::Requantize;
use crate::kernels::layout::{BLOCK, DEPTH};
use crate::kernels::pointwise::Call;
use core::arch::aarch64::*;

/// Pixels of a tile: six by four accumulators, and eight registers for pixels and weights.
const PIXELS: usize = 6;

pub(in crate::kernels) fn pointwise(call: Call) {
    // SAFETY: the set is handed out only where the processor has the dot product extension.
    unsafe { if call.pixels() >= PIXELS { run::<PIXELS>(call) } else { run::<1>(call) } }
}

#[target_feature(enable = "neon,dotprod")]
fn run<const P: usize>(mut call: Call) {
    let (pixels, depth, outputs) = (call.pixels(), call.depth(), call.outputs());
    let (x_stride, y_stride) = (call.x_stride(), call.y_stride());
    let mut packed = [0i8; PIXELS * PART];
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

impl Operator {
    /// Computes `count` of `4 * Q` outputs from `first` on for `P` pixels.
    ///
    /// # Safety
    /// `x` points to `P` pixels, `y` to output `first` of as many; `first` is a multiple of `BLOCK`, and tiles of a pixel
    /// are computed from the first one on, which packs the pixels for all.
    #[inline]
    #[target_feature(enable = "neon,dotprod")]
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
            let mut acc = [[vdupq_n_s32(0); Q]; P];
            for acc in &mut acc {
                for (q, acc) in acc.iter_mut().enumerate() {
                    *acc = vld1q_s32(self.bias.add(first + 4 * q));
                }
            }
            for from in (0..self.depth).step_by(PART) {
                let depth = PART.min(self.depth - from);
                if first == 0 || self.depth > PART {
                    pack::chunks::<P>(x.add(from), self.x_stride, depth, from, self.packed);
                }
                accumulate(&mut acc, self.packed, weights.add(from * BLOCK), depth.div_ceil(DEPTH));
            }
            let requantize = Requantize::<Q>::new(self.multiplier.add(first), self.zero);
            for (pixel, acc) in acc.iter().enumerate() {
                requantize.store(acc, y.add(pixel * self.y_stride), count);
            }
        }
    }
}

/// Adds `steps` steps of packed pixels times weights.
///
/// # Safety
/// `x` points to the steps' chunks of 16 bytes for `P` pixels, `weights` to 64 bytes a step.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn accumulate<const P: usize, const Q: usize>(
    acc: &mut [[int32x4_t; Q]; P],
    mut x: *const i8,
    mut weights: *const i8,
    steps: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        for _ in 0..steps / 4 {
            let mut pixels = [vdupq_n_s8(0); P];
            for (p, pixel) in pixels.iter_mut().enumerate() {
                *pixel = vld1q_s8(x.add(16 * p));
            }
            step::<0, P, Q>(acc, &pixels, weights);
            step::<1, P, Q>(acc, &pixels, weights.add(64));
            step::<2, P, Q>(acc, &pixels, weights.add(128));
            step::<3, P, Q>(acc, &pixels, weights.add(192));
            x = x.add(16 * P);
            weights = weights.add(256);
        }
        for i in 0..steps % 4 {
            let mut pixels = [vdupq_n_s8(0); P];
            for (p, pixel) in pixels.iter_mut().enumerate() {
                *pixel = vreinterpretq_s8_s32(vld1q_dup_s32(x.add(16 * p + 4 * i).cast()));
            }
            step::<0, P, Q>(acc, &pixels, weights);
            weights = weights.add(64);
        }
    }
}

/// # Safety
/// `weights` points to `16 * Q` bytes.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn step<const LANE: usize, const P: usize, const Q: usize>(
    acc: &mut [[int32x4_t; Q]; P],
    pixels: &[int8x16_t; P],
    weights: *const i8,
) {
    for q in 0..Q {
        // SAFETY: the caller's promise.
        let four = unsafe { vld1q_s8(weights.add(16 * q)) };
        for p in 0..P {
            acc[p][q] = dot_lane::<LANE>(acc[p][q], four, pixels[p]);
        }
    }
}
