//! Pointwise convolution: tiles of some pixels times some blocks of 16 outputs stay in registers
//! over the whole depth.

use super::requantize::Requantize;
use super::stores;
use crate::kernels::call::PointwiseCall;
use crate::kernels::layout::{BLOCK, DEPTH};
use core::arch::x86_64::*;

const MAX_BLOCKS: usize = 5;

pub(in crate::kernels::x86_64) fn pointwise(call: PointwiseCall) {
    // SAFETY: the set is handed out only where the processor has these features.
    unsafe { run(call) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn run(mut call: PointwiseCall) {
    let (pixels, depth, outputs) = (call.pixels(), call.depth(), call.outputs());
    let (x_stride, y_stride, channels) = (call.x_stride(), call.y_stride(), *call.channels());
    let weights = call.weights().as_ptr();
    let (x, y) = call.slices();
    let (x, y) = (x.as_ptr(), y.as_mut_ptr());
    let block_bytes = depth.div_ceil(DEPTH) * DEPTH * BLOCK;
    let blocks = outputs.div_ceil(BLOCK);
    let groups = blocks.div_ceil(MAX_BLOCKS);
    let mut first = 0;
    for group in 0..groups {
        // Groups as even as they can be: 6 blocks are 3 and 3.
        let count = (blocks - first).div_ceil(groups - group);
        let at = first * BLOCK;
        // SAFETY: `at` is an output, and weights, biases and multipliers are there for whole blocks.
        let columns = unsafe {
            Columns {
                pixels,
                depth,
                outputs: (outputs - at).min(count * BLOCK),
                x,
                x_stride,
                y: y.add(at),
                y_stride,
                weights: weights.add(first * block_bytes),
                block_bytes,
                bias: channels.bias().as_ptr().add(at),
                multiplier: channels.multiplier().as_ptr().add(at),
                requantize: Requantize::new(channels.zero()),
            }
        };
        // SAFETY: there are as many blocks as the tile has. The call has proven that every pixel lies
        // within `x` and `y`.
        unsafe {
            match count {
                1 => columns.run::<8, 1>(),
                2 => columns.run::<8, 2>(),
                3 => columns.run::<8, 3>(),
                4 => columns.run::<4, 4>(),
                _ => columns.run::<4, 5>(),
            }
        }
        first += count;
    }
}

/// Some blocks of outputs of all pixels.
struct Columns {
    pixels: usize,
    depth: usize,
    /// Outputs of these blocks that exist.
    outputs: usize,
    x: *const u8,
    x_stride: usize,
    y: *mut u8,
    y_stride: usize,
    weights: *const i8,
    block_bytes: usize,
    bias: *const i32,
    multiplier: *const f32,
    requantize: Requantize,
}

impl Columns {
    /// All pixels, `P` (a multiple of 4) at a time, times `B` blocks.
    ///
    /// # Safety
    /// All pointers are valid: weights, bias and multiplier for `B` blocks, `x` and `y` for
    /// `pixels` pixels at their strides.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn run<const P: usize, const B: usize>(&self) {
        let (mut x_offset, mut y_offset) = ([0; P], [0; P]);
        for i in 0..P {
            // Where there are fewer pixels than a tile has, the last one is computed several times.
            let pixel = i.min(self.pixels - 1);
            (x_offset[i], y_offset[i]) = (pixel * self.x_stride, pixel * self.y_stride);
        }
        for first in (0..self.pixels).step_by(P) {
            // The last tile begins early enough to be a whole one.
            let first = first.min(self.pixels.saturating_sub(P));
            let (mut x, mut y) = ([self.x; P], [self.y; P]);
            for i in 0..P {
                // SAFETY: the pixel exists.
                unsafe {
                    x[i] = self.x.add(first * self.x_stride + x_offset[i]);
                    y[i] = self.y.add(first * self.y_stride + y_offset[i]);
                }
            }
            // SAFETY: these are pixels, and the blocks exist.
            unsafe {
                let acc = self.accumulate::<P, B>(&x);
                self.store(&acc, &y);
            }
        }
    }

    /// # Safety
    /// `x` are pixels; the rest as for [`Columns::run`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn accumulate<const P: usize, const B: usize>(&self, x: &[*const u8; P]) -> [[__m512i; B]; P] {
        let mut bias = [_mm512_setzero_si512(); B];
        for (b, bias) in bias.iter_mut().enumerate() {
            // SAFETY: there are biases for whole blocks.
            *bias = unsafe { _mm512_loadu_si512(self.bias.add(b * BLOCK).cast()) };
        }
        let mut acc = [bias; P];
        let whole = self.depth / DEPTH;
        for step in 0..whole {
            // SAFETY: the step lies within the depth, of the pixel as of the weights.
            unsafe {
                let weights = self.weights::<B>(step);
                for i in 0..P {
                    let q = _mm512_set1_epi32(x[i].add(step * DEPTH).cast::<i32>().read_unaligned());
                    for b in 0..B {
                        acc[i][b] = _mm512_dpbusd_epi32(acc[i][b], q, weights[b]);
                    }
                }
            }
        }
        let rest = self.depth % DEPTH;
        if rest > 0 {
            // SAFETY: weights fill up the last step.
            unsafe {
                let weights = self.weights::<B>(whole);
                for i in 0..P {
                    let q = _mm512_set1_epi32(last_word(x[i], self.depth));
                    for b in 0..B {
                        acc[i][b] = _mm512_dpbusd_epi32(acc[i][b], q, weights[b]);
                    }
                }
            }
        }
        acc
    }

    /// # Safety
    /// The step exists; the rest as for [`Columns::run`].
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn weights<const B: usize>(&self, step: usize) -> [__m512i; B] {
        let mut weights = [_mm512_setzero_si512(); B];
        for (b, weights) in weights.iter_mut().enumerate() {
            // SAFETY: every block has `block_bytes`, of which a step is a whole register.
            *weights = unsafe {
                _mm512_loadu_si512(self.weights.add(b * self.block_bytes + step * BLOCK * DEPTH).cast())
            };
        }
        weights
    }

    /// Requantizes four registers at a time: four blocks of one pixel, then what is left of one,
    /// two or four pixels.
    ///
    /// # Safety
    /// `y` are pixels; the rest as for [`Columns::run`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn store<const P: usize, const B: usize>(&self, acc: &[[__m512i; B]; P], y: &[*mut u8; P]) {
        let mut steps = *acc;
        for b in 0..B {
            // SAFETY: there are multipliers for whole blocks.
            let multiplier = unsafe { _mm512_loadu_ps(self.multiplier.add(b * BLOCK)) };
            for steps in &mut steps {
                steps[b] = self.requantize.steps(steps[b], multiplier);
            }
        }
        let whole = B / 4 * 4;
        let left = self.outputs.saturating_sub(whole * BLOCK);
        // SAFETY: only outputs that exist are written, each in its pixel.
        unsafe {
            for (steps, &y) in steps.iter().zip(y) {
                if let Some(&four) = steps.first_chunk() {
                    stores::whole(y, self.requantize.outputs(four), self.outputs);
                }
            }
            match B % 4 {
                1 => {
                    for (steps, y) in steps.chunks_exact(4).zip(y.chunks_exact(4)) {
                        let four = [steps[0][whole], steps[1][whole], steps[2][whole], steps[3][whole]];
                        let outputs = self.requantize.outputs(four);
                        for (which, y) in y.iter().enumerate() {
                            stores::quarter(y.add(whole * BLOCK), outputs, which, left);
                        }
                    }
                }
                2 => {
                    for (steps, y) in steps.chunks_exact(2).zip(y.chunks_exact(2)) {
                        let four =
                            [steps[0][whole], steps[0][whole + 1], steps[1][whole], steps[1][whole + 1]];
                        let outputs = self.requantize.outputs(four);
                        for (which, y) in y.iter().enumerate() {
                            stores::half(y.add(whole * BLOCK), outputs, which, left);
                        }
                    }
                }
                3 => {
                    for (steps, y) in steps.iter().zip(y) {
                        let four = [steps[whole], steps[whole + 1], steps[whole + 2], steps[whole + 2]];
                        stores::whole(y.add(whole * BLOCK), self.requantize.outputs(four), left);
                    }
                }
                _ => {}
            }
        }
    }
}

/// The inputs of a step that is not full, as a little-endian word.
///
/// # Safety
/// `x` is valid for reads of `depth` bytes; `depth` is no multiple of 4.
#[inline]
unsafe fn last_word(x: *const u8, depth: usize) -> i32 {
    // SAFETY: nothing beyond `depth` is read.
    unsafe {
        if depth > DEPTH {
            // The last four inputs, of which those of the step before are shifted out.
            let four = x.add(depth - DEPTH).cast::<u32>().read_unaligned();
            (four >> (8 * (DEPTH - depth % DEPTH))) as i32
        } else {
            (0..depth).fold(0, |word, k| word | i32::from(x.add(k).read()) << (8 * k))
        }
    }
}
