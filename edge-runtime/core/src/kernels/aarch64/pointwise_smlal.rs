//! Pointwise convolution by SMULL and SMLAL: tiles of two pixels by 16 outputs. A weight vector
//! holds four outputs' weights of a step and meets a pixel's four inputs repeated four times; two
//! steps' products are added in 16 bits, or four steps' where weights have 7 bits, then widened.

use super::pack::{self, PART, tiles};
use super::requantize::{Requantize, are_short};
use super::steps_smlal::{PIXELS, Tile, accumulate, neighbours};
use crate::kernels::call::PointwiseCall;
use crate::kernels::layout::{BLOCK, DEPTH};
use core::arch::aarch64::*;
use core::ops::Range;

pub(in crate::kernels) fn pointwise(call: PointwiseCall) {
    // SAFETY: NEON is part of every processor that the set is handed out on.
    unsafe {
        let short = call.channels().zero() == 0 && are_short(call.channels(), call.depth());
        match (short, call.narrow()) {
            (true, true) => run::<true, true>(call),
            (true, false) => run::<true, false>(call),
            (false, true) => run::<false, true>(call),
            (false, false) => run::<false, false>(call),
        }
    }
}

#[target_feature(enable = "neon")]
fn run<const SHORT: bool, const NARROW: bool>(mut call: PointwiseCall) {
    let (pixels, outputs, channels) = (call.pixels(), call.outputs(), *call.channels());
    // A single pixel is computed as two at the same place.
    let (x_stride, y_stride) = if pixels == 1 { (0, 0) } else { (call.x_stride(), call.y_stride()) };
    let op = Operator::<SHORT, NARROW> {
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
    for pixel in tiles(pixels.max(PIXELS), PIXELS) {
        // SAFETY: two pixels from `pixel` on lie within `x` and `y` (`PointwiseCall`'s promise), as
        // many outputs as there are in each; weights and numbers reach to the end of the last block. A
        // part of the inputs fits `packed`.
        unsafe {
            let (x, y) = (x.add(pixel * x_stride), y.add(pixel * y_stride));
            if op.depth > PART {
                op.parts(x, packed, 0..outputs, y, y_stride);
                continue;
            }
            pack::repeated::<PIXELS>(x, x_stride, op.depth, 0, packed);
            let whole = outputs / BLOCK * BLOCK;
            for first in (0..whole).step_by(BLOCK) {
                op.tile::<4>(packed, first, y.add(first), y_stride);
            }
            match outputs - whole {
                0 => {}
                8 => op.tile::<2>(packed, whole, y.add(whole), y_stride),
                _ => op.parts(x, packed, whole..outputs, y, y_stride),
            }
        }
    }
}

/// What all tiles of a call share; where `SHORT` says so, the output's zero point is 0 and its
/// steps [`are_short`], and where `NARROW` does, weights have 7 bits.
struct Operator<const SHORT: bool, const NARROW: bool> {
    depth: usize,
    x_stride: usize,
    weights: *const i8,
    bias: *const i32,
    multiplier: *const f32,
    zero: u8,
}

impl<const SHORT: bool, const NARROW: bool> Operator<SHORT, NARROW> {
    /// Computes `4 * Q` outputs from `first` on for `P` packed pixels.
    ///
    /// # Safety
    /// `x` points to packed pixels, `y` to `4 * Q` bytes of as many, `y_stride` apart;
    /// `first` is a multiple of `BLOCK`.
    #[inline(always)]
    unsafe fn tile<const Q: usize>(&self, x: *const i8, first: usize, y: *mut u8, y_stride: usize) {
        let steps = self.depth.div_ceil(DEPTH);
        // SAFETY: the caller's promise.
        unsafe {
            let mut acc = [[[vdupq_n_s32(0); 2]; Q]; PIXELS];
            accumulate::<Q, true, NARROW>(&mut acc, x, self.weights.add(first * steps * DEPTH), steps);
            self.finish(&acc, first, y, y_stride);
        }
    }

    /// Computes any outputs of two pixels with any number of inputs: they are packed anew, in
    /// parts, for each block, and each block is computed into a place of its own.
    ///
    /// # Safety
    /// `x` points to two pixels, `packed` to room for a part of them, `y` to as many, `y_stride`
    /// apart; `outputs` begins with a block.
    #[cold]
    #[target_feature(enable = "neon")]
    unsafe fn parts(
        &self,
        x: *const u8,
        packed: *mut i8,
        outputs: Range<usize>,
        y: *mut u8,
        y_stride: usize,
    ) {
        let steps = self.depth.div_ceil(DEPTH);
        for first in outputs.clone().step_by(BLOCK) {
            let mut block = [[0u8; BLOCK]; PIXELS];
            // SAFETY: the caller's promise.
            unsafe {
                let mut acc = [[[vdupq_n_s32(0); 2]; 4]; PIXELS];
                for from in (0..self.depth).step_by(PART) {
                    let part = PART.min(self.depth - from);
                    pack::repeated::<PIXELS>(x.add(from), self.x_stride, part, from, packed);
                    let weights = self.weights.add(first * steps * DEPTH + from * BLOCK);
                    accumulate::<4, false, NARROW>(&mut acc, packed, weights, part.div_ceil(DEPTH));
                }
                self.finish(&acc, first, block.as_mut_ptr().cast(), BLOCK);
                let count = BLOCK.min(outputs.end - first);
                for (pixel, block) in block.iter().enumerate() {
                    y.add(pixel * y_stride + first).copy_from_nonoverlapping(block.as_ptr(), count);
                }
            }
        }
    }

    /// # Safety
    /// As [`Operator::tile`].
    #[inline(always)]
    unsafe fn finish<const Q: usize>(&self, acc: &Tile<Q>, first: usize, y: *mut u8, y_stride: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let requantize = Requantize::<Q, SHORT, SHORT>::new(self.multiplier.add(first), self.zero);
            let mut bias = [vdupq_n_s32(0); Q];
            for (q, bias) in bias.iter_mut().enumerate() {
                *bias = vld1q_s32(self.bias.add(first + 4 * q));
            }
            for (pixel, acc) in acc.iter().enumerate() {
                let mut whole = [vdupq_n_s32(0); Q];
                for (q, (whole, &halves)) in whole.iter_mut().zip(acc).enumerate() {
                    *whole = vaddq_s32(neighbours(halves), bias[q]);
                }
                requantize.store(&whole, y.add(pixel * y_stride));
            }
        }
    }
}
