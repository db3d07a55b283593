//! Pointwise convolution by SMULL and SMLAL: tiles of two pixels by 16 outputs. A weight vector
//! holds four outputs' weights of a step and meets a pixel's four inputs repeated four times; two
//! steps' products are added in 16 bits, then widened.

use super::pack::{self, PART, tiles};
use super::requantize::{Requantize, are_short};
use crate::kernels::call::PointwiseCall;
use crate::kernels::layout::{BLOCK, DEPTH};
use core::arch::aarch64::*;
use core::arch::asm;
use core::ops::Range;

/// Pixels of a tile: two by eight accumulators of half an output each.
const PIXELS: usize = 2;

pub(in crate::kernels) fn pointwise(call: PointwiseCall) {
    // SAFETY: NEON is part of every processor that the set is handed out on.
    unsafe {
        if call.channels().zero() == 0 && are_short(call.channels(), call.depth()) {
            run::<true>(call)
        } else {
            run::<false>(call)
        }
    }
}

#[target_feature(enable = "neon")]
fn run<const SHORT: bool>(mut call: PointwiseCall) {
    let (pixels, outputs, channels) = (call.pixels(), call.outputs(), *call.channels());
    // A single pixel is computed as two at the same place.
    let (x_stride, y_stride) = if pixels == 1 { (0, 0) } else { (call.x_stride(), call.y_stride()) };
    let op = Operator::<SHORT> {
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

/// Sums of four outputs, each in two parts.
type Four = [int32x4_t; 2];

/// Sums of a tile: `4 * Q` outputs of each pixel.
type Tile<const Q: usize> = [[Four; Q]; PIXELS];

/// What all tiles of a call share; where `SHORT` says so, the output's zero point is 0 and its
/// steps [`are_short`].
struct Operator<const SHORT: bool> {
    depth: usize,
    x_stride: usize,
    weights: *const i8,
    bias: *const i32,
    multiplier: *const f32,
    zero: u8,
}

impl<const SHORT: bool> Operator<SHORT> {
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
            accumulate::<Q, true>(&mut acc, x, self.weights.add(first * steps * DEPTH), steps);
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
                    accumulate::<4, false>(&mut acc, packed, weights, part.div_ceil(DEPTH));
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

/// Adds `steps` steps of packed pixels times weights. `NEW` is for sums that are 0 still: the first
/// steps do not read them.
///
/// # Safety
/// `x` points to 16 bytes for each step and each of two pixels, `weights` to 64 bytes a step.
#[inline(always)]
unsafe fn accumulate<const Q: usize, const NEW: bool>(
    acc: &mut Tile<Q>,
    mut x: *const i8,
    mut weights: *const i8,
    steps: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut fours = steps / 4;
        if NEW && fours > 0 {
            two_steps::<Q, true, 0>(acc, x, weights);
            two_steps::<Q, false, 128>(acc, x.add(64), weights);
            x = x.add(128);
            weights = weights.add(256);
            fours -= 1;
        }
        for _ in 0..fours / 2 {
            two_steps::<Q, false, 0>(acc, x, weights);
            two_steps::<Q, false, 128>(acc, x.add(64), weights);
            two_steps::<Q, false, 256>(acc, x.add(128), weights);
            two_steps::<Q, false, 384>(acc, x.add(192), weights);
            x = x.add(256);
            weights = weights.add(512);
        }
        if fours % 2 == 1 {
            two_steps::<Q, false, 0>(acc, x, weights);
            two_steps::<Q, false, 128>(acc, x.add(64), weights);
            x = x.add(128);
            weights = weights.add(256);
        }
        if steps % 4 >= 2 {
            two_steps::<Q, false, 0>(acc, x, weights);
            x = x.add(64);
            weights = weights.add(128);
        }
        if steps % 2 == 1 {
            last_step(acc, x, weights);
        }
    }
}

/// Eight outputs' products of two steps, added in 16 bits and then to the sums (or as the sums). An
/// `asm!`: LLVM's own order of these instructions, and of their loads, takes more registers than
/// there are.
macro_rules! eight_outputs {
    ($add:literal, $sum:ident, $weights:expr, $at:expr, $x:expr, $a:expr, $b:expr, $q:expr) => {
        asm!(
            "ldp {w0:q}, {w1:q}, [{weights}, #{first}]",
            "ldp {w2:q}, {w3:q}, [{weights}, #{second}]",
            "smull  {t0:v}.8h, {w0:v}.8b,  {x0:v}.8b",
            "smull2 {t1:v}.8h, {w0:v}.16b, {x0:v}.16b",
            "smull  {t2:v}.8h, {w0:v}.8b,  {y0:v}.8b",
            "smull2 {t3:v}.8h, {w0:v}.16b, {y0:v}.16b",
            "smlal  {t0:v}.8h, {w2:v}.8b,  {x1:v}.8b",
            "smlal2 {t1:v}.8h, {w2:v}.16b, {x1:v}.16b",
            "smlal  {t2:v}.8h, {w2:v}.8b,  {y1:v}.8b",
            "smlal2 {t3:v}.8h, {w2:v}.16b, {y1:v}.16b",
            concat!($add, " {a0:v}.4s, {t0:v}.8h"),
            concat!($add, " {a1:v}.4s, {t1:v}.8h"),
            concat!($add, " {b0:v}.4s, {t2:v}.8h"),
            concat!($add, " {b1:v}.4s, {t3:v}.8h"),
            "smull  {t0:v}.8h, {w1:v}.8b,  {x0:v}.8b",
            "smull2 {t1:v}.8h, {w1:v}.16b, {x0:v}.16b",
            "smull  {t2:v}.8h, {w1:v}.8b,  {y0:v}.8b",
            "smull2 {t3:v}.8h, {w1:v}.16b, {y0:v}.16b",
            "smlal  {t0:v}.8h, {w3:v}.8b,  {x1:v}.8b",
            "smlal2 {t1:v}.8h, {w3:v}.16b, {x1:v}.16b",
            "smlal  {t2:v}.8h, {w3:v}.8b,  {y1:v}.8b",
            "smlal2 {t3:v}.8h, {w3:v}.16b, {y1:v}.16b",
            concat!($add, " {a2:v}.4s, {t0:v}.8h"),
            concat!($add, " {a3:v}.4s, {t1:v}.8h"),
            concat!($add, " {b2:v}.4s, {t2:v}.8h"),
            concat!($add, " {b3:v}.4s, {t3:v}.8h"),
            weights = in(reg) $weights,
            first = const $at,
            second = const $at + 64,
            x0 = in(vreg) $x[0],
            y0 = in(vreg) $x[1],
            x1 = in(vreg) $x[2],
            y1 = in(vreg) $x[3],
            a0 = $sum(vreg) $a[$q][0],
            a1 = $sum(vreg) $a[$q][1],
            a2 = $sum(vreg) $a[$q + 1][0],
            a3 = $sum(vreg) $a[$q + 1][1],
            b0 = $sum(vreg) $b[$q][0],
            b1 = $sum(vreg) $b[$q][1],
            b2 = $sum(vreg) $b[$q + 1][0],
            b3 = $sum(vreg) $b[$q + 1][1],
            w0 = out(vreg) _,
            w1 = out(vreg) _,
            w2 = out(vreg) _,
            w3 = out(vreg) _,
            t0 = out(vreg) _,
            t1 = out(vreg) _,
            t2 = out(vreg) _,
            t3 = out(vreg) _,
            options(pure, readonly, nostack, preserves_flags),
        )
    };
}

/// Two steps, whose products are added in 16 bits; `NEW` sets the sums. Their weights begin at byte
/// `AT` of `weights`.
///
/// # Safety
/// `x` points to 16 bytes for each of two steps and two pixels, `weights` to `AT` bytes and 64 for
/// each step; `Q` is 2 or 4.
#[inline(always)]
unsafe fn two_steps<const Q: usize, const NEW: bool, const AT: usize>(
    acc: &mut Tile<Q>,
    x: *const i8,
    weights: *const i8,
) {
    let [a, b] = acc;
    // SAFETY: the caller's promise; each `asm!` reads 32 bytes of weights in both steps.
    unsafe {
        let x = [vld1q_s8(x), vld1q_s8(x.add(16)), vld1q_s8(x.add(32)), vld1q_s8(x.add(48))];
        if NEW {
            eight_outputs!("saddlp", out, weights, AT, x, a, b, 0);
        } else {
            eight_outputs!("sadalp", inout, weights, AT, x, a, b, 0);
        }
        if Q == 4 && NEW {
            eight_outputs!("saddlp", out, weights, AT + 32, x, a, b, 2);
        } else if Q == 4 {
            eight_outputs!("sadalp", inout, weights, AT + 32, x, a, b, 2);
        }
    }
}

/// Sums of neighbours. An `asm!`, because LLVM makes four instructions of `vpaddq_s32` and an
/// addition.
///
/// # Safety
/// NEON is there.
#[inline(always)]
unsafe fn neighbours([low, high]: Four) -> int32x4_t {
    let sums;
    // SAFETY: computes on registers only.
    unsafe {
        asm!("addp {0:v}.4s, {1:v}.4s, {2:v}.4s", lateout(vreg) sums, in(vreg) low, in(vreg) high,
            options(pure, nomem, nostack, preserves_flags));
    }
    sums
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
