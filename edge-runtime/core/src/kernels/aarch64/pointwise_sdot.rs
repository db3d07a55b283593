//! Pointwise convolution by SDOT: tiles of six pixels by 16 outputs, at the end of four where those
//! suffice. A weight vector holds four outputs' weights of a step and meets each pixel's four inputs
//! as a lane.

use super::dot::dot_lane;
use super::pack::{self, PART};
use super::requantize::Requantize;
use crate::kernels::call::PointwiseCall;
use crate::kernels::layout::{BLOCK, DEPTH};
use core::arch::aarch64::*;
use core::arch::asm;
use core::ops::Range;

/// Pixels of a tile: six by four accumulators, and eight registers for pixels and weights.
const PIXELS: usize = 6;

/// Pixels of a smaller tile: maps of 64, 256, and so on, end in one.
const FEW: usize = 4;

pub(in crate::kernels) fn pointwise(call: PointwiseCall) {
    // SAFETY: the set is handed out only where the processor has the dot product extension.
    unsafe {
        match (call.short(), call.channels().zero() == 0) {
            (true, true) => run::<true, true>(call),
            (true, false) => run::<true, false>(call),
            (false, _) => run::<false, false>(call),
        }
    }
}

#[target_feature(enable = "neon,dotprod")]
fn run<const SHORT: bool, const RELU: bool>(mut call: PointwiseCall) {
    let (pixels, outputs, channels) = (call.pixels(), call.outputs(), *call.channels());
    let op = Operator::<SHORT, RELU> {
        depth: call.depth(),
        outputs,
        x_stride: call.x_stride(),
        y_stride: call.y_stride(),
        weights: call.weights().as_ptr(),
        bias: channels.signed_bias().as_ptr(),
        multiplier: channels.multiplier().as_ptr(),
        zero: channels.zero(),
    };
    let mut packed = [0i8; PIXELS * PART];
    let packed = packed.as_mut_ptr();
    let (x, y) = call.slices();
    let (x, y) = (x.as_ptr(), y.as_mut_ptr());
    let mut done = 0;
    while done < pixels {
        // The last tile begins earlier where it does not fit.
        let size = match pixels - done {
            _ if pixels < FEW => 1,
            left if left <= FEW || pixels < PIXELS => FEW,
            _ => PIXELS,
        };
        let pixel = done.min(pixels - size);
        // SAFETY: the tile's pixels from `pixel` on lie within `x` and `y` (`PointwiseCall`'s promise), as
        // many outputs as there are in each; weights and numbers reach to the end of the last block. A
        // part of the inputs fits `packed`.
        unsafe {
            let (x, y) = (x.add(pixel * op.x_stride), y.add(pixel * op.y_stride));
            match size {
                PIXELS => op.pixels::<PIXELS>(x, packed, y),
                FEW => op.pixels::<FEW>(x, packed, y),
                _ => op.pixels::<1>(x, packed, y),
            }
        }
        done = pixel + size;
    }
}

/// What all tiles of a call share; `SHORT` and `RELU` as [`Requantize`] takes them.
struct Operator<const SHORT: bool, const RELU: bool> {
    depth: usize,
    outputs: usize,
    x_stride: usize,
    y_stride: usize,
    weights: *const i8,
    bias: *const i32,
    multiplier: *const f32,
    zero: u8,
}

impl<const SHORT: bool, const RELU: bool> Operator<SHORT, RELU> {
    /// Computes all outputs of `P` pixels.
    ///
    /// # Safety
    /// `x` points to as many, `packed` to room for a part of them, `y` to as many.
    #[inline(always)]
    unsafe fn pixels<const P: usize>(&self, x: *const u8, packed: *mut i8, y: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe {
            if self.depth > PART {
                return self.parts::<P>(x, packed, 0..self.outputs, y);
            }
            pack::chunks::<P>(x, self.x_stride, self.depth, 0, packed);
            let whole = self.outputs / BLOCK * BLOCK;
            for first in (0..whole).step_by(BLOCK) {
                self.tile::<P, 4>(packed, first, y.add(first));
            }
            match self.outputs - whole {
                0 => {}
                8 => self.tile::<P, 2>(packed, whole, y.add(whole)),
                _ => self.parts::<P>(x, packed, whole..self.outputs, y),
            }
        }
    }

    /// Computes `4 * Q` outputs from `first` on for `P` packed pixels.
    ///
    /// # Safety
    /// `x` points to packed pixels, `y` to `4 * Q` bytes of as many; `first` is a multiple of `BLOCK`.
    #[inline(always)]
    unsafe fn tile<const P: usize, const Q: usize>(&self, x: *const i8, first: usize, y: *mut u8) {
        let steps = self.depth.div_ceil(DEPTH);
        // SAFETY: the caller's promise.
        unsafe {
            let mut acc = self.start::<P, Q>(first);
            accumulate(&mut acc, x, self.weights.add(first * steps * DEPTH), steps);
            self.finish(&acc, first, y, self.y_stride);
        }
    }

    /// Computes any outputs of `P` pixels with any number of inputs: they are packed anew, in
    /// parts, for each block, and each block is computed into a place of its own.
    ///
    /// # Safety
    /// `x` points to `P` pixels, `packed` to room for a part of them, `y` to as many; `outputs` begins
    /// with a block.
    #[cold]
    #[target_feature(enable = "neon,dotprod")]
    unsafe fn parts<const P: usize>(&self, x: *const u8, packed: *mut i8, outputs: Range<usize>, y: *mut u8) {
        let steps = self.depth.div_ceil(DEPTH);
        for first in outputs.clone().step_by(BLOCK) {
            let mut block = [[0u8; BLOCK]; P];
            // SAFETY: the caller's promise.
            unsafe {
                let mut acc = self.start::<P, 4>(first);
                for from in (0..self.depth).step_by(PART) {
                    let part = PART.min(self.depth - from);
                    pack::chunks::<P>(x.add(from), self.x_stride, part, from, packed);
                    let weights = self.weights.add(first * steps * DEPTH + from * BLOCK);
                    accumulate(&mut acc, packed, weights, part.div_ceil(DEPTH));
                }
                self.finish(&acc, first, block.as_mut_ptr().cast(), BLOCK);
                let count = BLOCK.min(outputs.end - first);
                for (pixel, block) in block.iter().enumerate() {
                    y.add(pixel * self.y_stride + first).copy_from_nonoverlapping(block.as_ptr(), count);
                }
            }
        }
    }

    /// Sums before the first step.
    ///
    /// # Safety
    /// `first` is the first output of a block.
    #[inline(always)]
    unsafe fn start<const P: usize, const Q: usize>(&self, first: usize) -> [[int32x4_t; Q]; P] {
        // SAFETY: the caller's promise; `Q` is even.
        unsafe {
            let mut acc = [[vdupq_n_s32(0); Q]; P];
            for acc in &mut acc {
                for (q, two) in acc.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                    *two = load_pair(self.bias.add(first + 8 * q));
                }
            }
            acc
        }
    }

    /// # Safety
    /// As [`Operator::tile`].
    #[inline(always)]
    unsafe fn finish<const P: usize, const Q: usize>(
        &self,
        acc: &[[int32x4_t; Q]; P],
        first: usize,
        y: *mut u8,
        y_stride: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let requantize = Requantize::<Q, SHORT, RELU>::new(self.multiplier.add(first), self.zero);
            for (pixel, acc) in acc.iter().enumerate() {
                requantize.store(acc, y.add(pixel * y_stride));
            }
        }
    }
}

/// Loads eight numbers. An `asm!`, so that each pixel's sums are loaded, two registers an
/// instruction, and not copied one by one from those of the first pixel.
///
/// # Safety
/// `from` points to as many.
#[inline(always)]
unsafe fn load_pair(from: *const i32) -> [int32x4_t; 2] {
    let (low, high);
    // SAFETY: the caller's promise.
    unsafe {
        asm!("ldp {0:q}, {1:q}, [{2}]", out(vreg) low, out(vreg) high, in(reg) from,
            options(readonly, nostack, preserves_flags));
    }
    [low, high]
}

/// Adds `steps` steps of packed pixels times weights.
///
/// # Safety
/// `x` points to the steps' chunks of 16 bytes for `P` pixels, `weights` to 64 bytes a step.
#[inline(always)]
unsafe fn accumulate<const P: usize, const Q: usize>(
    acc: &mut [[int32x4_t; Q]; P],
    mut x: *const i8,
    mut weights: *const i8,
    steps: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let chunks = steps / 4;
        if chunks % 2 == 1 {
            chunk(acc, x, weights);
            x = x.add(16 * P);
            weights = weights.add(256);
        }
        for _ in 0..chunks / 2 {
            chunk(acc, x, weights);
            chunk(acc, x.add(16 * P), weights.add(256));
            x = x.add(32 * P);
            weights = weights.add(512);
        }
        let rest = steps % 4;
        if rest > 0 {
            // A chunk is packed to its end; its weights are not.
            let pixels = load(x);
            step::<0, P, Q>(acc, &pixels, weights);
            if rest > 1 {
                step::<1, P, Q>(acc, &pixels, weights.add(64));
            }
            if rest > 2 {
                step::<2, P, Q>(acc, &pixels, weights.add(128));
            }
        }
    }
}

/// # Safety
/// As [`accumulate`].
#[inline(always)]
unsafe fn chunk<const P: usize, const Q: usize>(
    acc: &mut [[int32x4_t; Q]; P],
    x: *const i8,
    weights: *const i8,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let pixels = load(x);
        step::<0, P, Q>(acc, &pixels, weights);
        step::<1, P, Q>(acc, &pixels, weights.add(64));
        step::<2, P, Q>(acc, &pixels, weights.add(128));
        step::<3, P, Q>(acc, &pixels, weights.add(192));
    }
}

/// # Safety
/// `x` points to `16 * P` bytes.
#[inline(always)]
unsafe fn load<const P: usize>(x: *const i8) -> [int8x16_t; P] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut pixels = [vdupq_n_s8(0); P];
        for (p, pixel) in pixels.iter_mut().enumerate() {
            *pixel = vld1q_s8(x.add(16 * p));
        }
        pixels
    }
}

/// # Safety
/// `weights` points to `16 * Q` bytes.
#[inline(always)]
unsafe fn step<const LANE: usize, const P: usize, const Q: usize>(
    acc: &mut [[int32x4_t; Q]; P],
    pixels: &[int8x16_t; P],
    weights: *const i8,
) {
    for q in 0..Q {
        // SAFETY: the caller's promise.
        unsafe {
            let four = vld1q_s8(weights.add(16 * q));
            for (acc, &pixel) in acc.iter_mut().zip(pixels) {
                acc[q] = dot_lane::<LANE>(acc[q], four, pixel);
            }
        }
    }
}
