//! Pointwise convolution by SMULL and SMLAL: tiles of four pixels by eight outputs. A weight vector
//! holds four outputs' weights of a step and meets a pixel's four inputs repeated four times; two
//! steps' products are added in 16 bits, or four steps' where weights have 7 bits, then widened.

use super::pack::{self, PART, tiles};
use super::requantize::Requantize;
use super::steps_smlal::{PIXELS, Tile, accumulate, neighbours};
use crate::kernels::call::PointwiseCall;
use crate::kernels::layout::{BLOCK, DEPTH};
use core::arch::aarch64::*;
use core::ops::Range;

/// Outputs of a tile: half a block.
const OUTPUTS: usize = BLOCK / 2;

/// Bytes of a block's weights of a step, and of a tile's.
const STEP: usize = BLOCK * DEPTH;
const HALF: usize = OUTPUTS * DEPTH;

pub(in crate::kernels) fn pointwise(call: PointwiseCall) {
    // SAFETY: NEON is part of every processor that the set is handed out on.
    unsafe {
        match (call.short(), call.channels().zero() == 0, call.narrow()) {
            (true, true, true) => run::<true, true, true>(call),
            (true, true, false) => run::<true, true, false>(call),
            (true, false, true) => run::<true, false, true>(call),
            (true, false, false) => run::<true, false, false>(call),
            (false, _, true) => run::<false, false, true>(call),
            (false, _, false) => run::<false, false, false>(call),
        }
    }
}

#[target_feature(enable = "neon")]
fn run<const SHORT: bool, const RELU: bool, const NARROW: bool>(mut call: PointwiseCall) {
    let (pixels, outputs, channels) = (call.pixels(), call.outputs(), *call.channels());
    let (x_stride, y_stride) = (call.x_stride(), call.y_stride());
    // Fewer pixels than a tile has are computed one by one, each in all places of the tile.
    let few = pixels < PIXELS;
    let op = Operator::<SHORT, RELU, NARROW> {
        depth: call.depth(),
        steps: call.depth().div_ceil(DEPTH),
        x_stride: if few { 0 } else { x_stride },
        y_stride: if few { 0 } else { y_stride },
        weights: call.weights().as_ptr(),
        bias: channels.signed_bias().as_ptr(),
        multiplier: channels.multiplier().as_ptr(),
        zero: channels.zero(),
    };
    let mut packed = [0i8; PIXELS * PART];
    let packed = packed.as_mut_ptr();
    let (x, y) = call.slices();
    let (x, y) = (x.as_ptr(), y.as_mut_ptr());
    for pixel in tiles(pixels, if few { 1 } else { PIXELS }) {
        // SAFETY: the tile's pixels from `pixel` on, all the same one where they are few, lie within `x` and
        // `y` (`PointwiseCall`'s promise), as many outputs as there are in each; weights and numbers reach
        // to the end of the last block. A part of the inputs fits `packed`.
        unsafe {
            let (x, y) = (x.add(pixel * x_stride), y.add(pixel * y_stride));
            if op.depth > PART {
                op.parts(x, packed, 0..outputs, y);
                continue;
            }
            pack::chunks::<PIXELS>(x, op.x_stride, op.depth, 0, packed);
            let whole = outputs / OUTPUTS * OUTPUTS;
            let mut weights = op.weights;
            for first in (0..whole).step_by(OUTPUTS) {
                op.tile(packed, weights, first, y.add(first));
                // To the block's other half, or from there to the next block.
                weights = weights.add(if first % BLOCK == 0 { HALF } else { op.steps * STEP - HALF });
            }
            if whole < outputs {
                op.parts(x, packed, whole..outputs, y);
            }
        }
    }
}

/// What all tiles of a call share; `SHORT` and `RELU` as [`Requantize`] takes them, `NARROW` for
/// weights of 7 bits.
struct Operator<const SHORT: bool, const RELU: bool, const NARROW: bool> {
    depth: usize,
    steps: usize,
    x_stride: usize,
    y_stride: usize,
    weights: *const i8,
    bias: *const i32,
    multiplier: *const f32,
    zero: u8,
}

impl<const SHORT: bool, const RELU: bool, const NARROW: bool> Operator<SHORT, RELU, NARROW> {
    /// Computes the tile of outputs from `first` on.
    ///
    /// # Safety
    /// `x` points to packed pixels, `weights` to those of the tile, `y` to `OUTPUTS` bytes of each
    /// pixel; `first` is a multiple of `OUTPUTS`.
    #[inline(always)]
    unsafe fn tile(&self, x: *const i8, weights: *const i8, first: usize, y: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut acc = [[vdupq_n_s32(0); 4]; PIXELS];
            accumulate::<true, NARROW>(&mut acc, (x, weights), self.steps);
            self.finish(&acc, first, y, self.y_stride);
        }
    }

    /// Computes any outputs of a tile's pixels with any number of inputs: they are packed anew, in
    /// parts, for each tile of outputs, and each is computed into a place of its own.
    ///
    /// # Safety
    /// `x` points to the pixels, `packed` to room for a part of them, `y` to as many; `outputs` begins
    /// at a multiple of `OUTPUTS`.
    #[cold]
    #[target_feature(enable = "neon")]
    unsafe fn parts(&self, x: *const u8, packed: *mut i8, outputs: Range<usize>, y: *mut u8) {
        for first in outputs.clone().step_by(OUTPUTS) {
            let mut tile = [[0u8; OUTPUTS]; PIXELS];
            // SAFETY: the caller's promise.
            unsafe {
                let mut acc = [[vdupq_n_s32(0); 4]; PIXELS];
                let weights = self.weights.add(first / BLOCK * self.steps * STEP + first % BLOCK * DEPTH);
                for from in (0..self.depth).step_by(PART) {
                    let part = PART.min(self.depth - from);
                    pack::chunks::<PIXELS>(x.add(from), self.x_stride, part, from, packed);
                    let place = (packed.cast_const(), weights.add(from * BLOCK));
                    accumulate::<false, NARROW>(&mut acc, place, part.div_ceil(DEPTH));
                }
                self.finish(&acc, first, tile.as_mut_ptr().cast(), OUTPUTS);
                let count = OUTPUTS.min(outputs.end - first);
                for (pixel, tile) in tile.iter().enumerate() {
                    y.add(pixel * self.y_stride + first).copy_from_nonoverlapping(tile.as_ptr(), count);
                }
            }
        }
    }

    /// # Safety
    /// As [`Operator::tile`].
    #[inline(always)]
    unsafe fn finish(&self, acc: &Tile, first: usize, y: *mut u8, y_stride: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let requantize = Requantize::<2, SHORT, RELU>::new(self.multiplier.add(first), self.zero);
            let bias = [vld1q_s32(self.bias.add(first)), vld1q_s32(self.bias.add(first + 4))];
            for (pixel, &[a, b, c, d]) in acc.iter().enumerate() {
                let sums = [vaddq_s32(neighbours(a, b), bias[0]), vaddq_s32(neighbours(c, d), bias[1])];
                requantize.store(&sums, y.add(pixel * y_stride));
            }
        }
    }
}
