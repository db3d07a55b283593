//! Pointwise convolution by SMULL and SMLAL: tiles of two pixels by 16 outputs. A weight vector holds four outputs' weights of a
//! step and meets a pixel's four inputs repeated four times; two steps' products are added in 16 bits, then widened.

use super::pack::{self, PART, tiles};
use super::requantize::Requantize;
use crate::kernels::layout::{BLOCK, DEPTH};
use crate::kernels::pointwise::Call;
use core::arch::aarch64::*;
use core::arch::asm;
use core::ops::Range;

/// Pixels of a tile: two by eight accumulators of half an output each.
const PIXELS: usize = 2;

pub(in crate::kernels) fn pointwise(call: Call) {
    // SAFETY: NEON is part of every processor that the set is handed out on.
    unsafe { if call.channels().zero() == 0 { run::<true>(call) } else { run::<false>(call) } }
}

#[target_feature(enable = "neon")]
fn run<const RELU: bool>(mut call: Call) {
    let (pixels, outputs, channels) = (call.pixels(), call.outputs(), *call.channels());
    // A single pixel is computed as two at the same place.
    let (x_stride, y_stride) = if pixels == 1 { (0, 0) } else { (call.x_stride(), call.y_stride()) };
    let op = Operator::<RELU> {
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
        // SAFETY: two pixels from `pixel` on lie within `x` and `y` (`Call`'s promise), as many outputs as there are in each;
        // weights and numbers reach to the end of the last block. A part of the inputs fits `packed`.
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

/// Sums of four outputs, each in two parts.
type Four = [int32x4_t; 2];

/// Sums of a tile: `4 * Q` outputs of each pixel.
type Tile<const Q: usize> = [[Four; Q]; PIXELS];

/// What all tiles of a call share; the output's zero point is 0 where `RELU` says so.
struct Operator<const RELU: bool> {
    depth: usize,
    x_stride: usize,
    weights: *const i8,
    bias: *const i32,
    multiplier: *const f32,
    zero: u8,
}

impl<const RELU: bool> Operator<RELU> {
    /// Computes `4 * Q` outputs from `first` on for `P` packed pixels.
    ///
    /// # Safety
    /// `x` points to packed pixels, `y` to `4 * Q` bytes of as many, `y_stride` apart; `first` is a multiple of `BLOCK`.
    #[inline(always)]
    unsafe fn tile<const Q: usize>(&self, x: *const i8, first: usize, y: *mut u8, y_stride: usize) {
        let steps = self.depth.div_ceil(DEPTH);
        // SAFETY: the caller's promise.
        unsafe {
            let mut acc = self.start::<Q>(first);
            accumulate(&mut acc, x, self.weights.add(first * steps * DEPTH), steps);
            self.finish(&acc, first, y, y_stride);
        }
    }

    /// Computes any outputs of two pixels with any number of inputs: they are packed anew, in parts, for each block, and each
    /// block is computed into a place of its own.
    ///
    /// # Safety
    /// `x` points to two pixels, `packed` to room for a part of them, `y` to as many, `y_stride` apart; `outputs` begins with
    /// a block.
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
                let mut acc = self.start::<4>(first);
                for from in (0..self.depth).step_by(PART) {
                    let part = PART.min(self.depth - from);
                    pack::repeated::<PIXELS>(x.add(from), self.x_stride, part, from, packed);
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
    unsafe fn start<const Q: usize>(&self, first: usize) -> Tile<Q> {
        // SAFETY: the caller's promise.
        unsafe {
            let mut bias = [[vdupq_n_s32(0); 2]; Q];
            for (q, bias) in bias.iter_mut().enumerate() {
                let (four, zero) = (vld1q_s32(self.bias.add(first + 4 * q)), vdupq_n_s32(0));
                *bias = [vzip1q_s32(four, zero), vzip2q_s32(four, zero)];
            }
            [bias; PIXELS]
        }
    }

    /// Outputs from sums.
    ///
    /// # Safety
    /// As [`Operator::tile`].
    #[inline(always)]
    unsafe fn finish<const Q: usize>(&self, acc: &Tile<Q>, first: usize, y: *mut u8, y_stride: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let requantize = Requantize::<Q, RELU>::new(self.multiplier.add(first), self.zero);
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
/// `x` points to 16 bytes for each step and each of two pixels, `weights` to 64 bytes a step.
#[inline(always)]
unsafe fn accumulate<const Q: usize>(
    acc: &mut Tile<Q>,
    mut x: *const i8,
    mut weights: *const i8,
    steps: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        for _ in 0..steps / 4 {
            two_steps(acc, x, weights);
            two_steps(acc, x.add(64), weights.add(128));
            x = x.add(128);
            weights = weights.add(256);
        }
        if steps % 4 >= 2 {
            two_steps(acc, x, weights);
            x = x.add(64);
            weights = weights.add(128);
        }
        if steps % 2 == 1 {
            last_step(acc, x, weights);
        }
    }
}

/// Two steps, whose products are added in 16 bits. An `asm!` for each four outputs: LLVM's own order of these instructions takes
/// more registers than there are.
///
/// # Safety
/// `x` points to 16 bytes for each of two steps and two pixels, `weights` to 64 bytes for each step.
#[inline(always)]
unsafe fn two_steps<const Q: usize>(acc: &mut Tile<Q>, x: *const i8, weights: *const i8) {
    let [pixel, other] = acc;
    for (q, (a, b)) in pixel.iter_mut().zip(other).enumerate() {
        // SAFETY: the caller's promise; the `asm!` computes on registers only.
        unsafe {
            asm!(
                "smull  {t0:v}.8h, {w0:v}.8b,  {x0:v}.8b",
                "smull2 {t1:v}.8h, {w0:v}.16b, {x0:v}.16b",
                "smull  {t2:v}.8h, {w0:v}.8b,  {y0:v}.8b",
                "smull2 {t3:v}.8h, {w0:v}.16b, {y0:v}.16b",
                "smlal  {t0:v}.8h, {w1:v}.8b,  {x1:v}.8b",
                "smlal2 {t1:v}.8h, {w1:v}.16b, {x1:v}.16b",
                "smlal  {t2:v}.8h, {w1:v}.8b,  {y1:v}.8b",
                "smlal2 {t3:v}.8h, {w1:v}.16b, {y1:v}.16b",
                "sadalp {a0:v}.4s, {t0:v}.8h",
                "sadalp {a1:v}.4s, {t1:v}.8h",
                "sadalp {b0:v}.4s, {t2:v}.8h",
                "sadalp {b1:v}.4s, {t3:v}.8h",
                w0 = in(vreg) vld1q_s8(weights.add(16 * q)),
                w1 = in(vreg) vld1q_s8(weights.add(64 + 16 * q)),
                x0 = in(vreg) vld1q_s8(x),
                y0 = in(vreg) vld1q_s8(x.add(16)),
                x1 = in(vreg) vld1q_s8(x.add(32)),
                y1 = in(vreg) vld1q_s8(x.add(48)),
                a0 = inout(vreg) a[0],
                a1 = inout(vreg) a[1],
                b0 = inout(vreg) b[0],
                b1 = inout(vreg) b[1],
                t0 = out(vreg) _,
                t1 = out(vreg) _,
                t2 = out(vreg) _,
                t3 = out(vreg) _,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
    }
}

/// The step that is left where their number is odd.
///
/// # Safety
/// `x` points to 16 bytes for each of two pixels, `weights` to 64 bytes.
#[inline(always)]
unsafe fn last_step<const Q: usize>(acc: &mut Tile<Q>, x: *const i8, weights: *const i8) {
    for (p, acc) in acc.iter_mut().enumerate() {
        for (q, acc) in acc.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            unsafe {
                let (w, x) = (vld1q_s8(weights.add(16 * q)), vld1q_s8(x.add(16 * p)));
                acc[0] = vpadalq_s16(acc[0], vmull_s8(vget_low_s8(w), vget_low_s8(x)));
                acc[1] = vpadalq_s16(acc[1], vmull_high_s8(w, x));
            }
        }
    }
}
