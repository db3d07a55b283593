//! Pointwise convolution: tiles of some pixels times some blocks of 16 outputs stay in registers
//! over the whole depth.
//!
//! A tile has six to eight accumulators: what one 512-bit multiplication a clock with a latency of
//! four or five asks for. Larger tiles load less, but loads are not scarce; the multipliers are,
//! and they are idle while many accumulators at once become outputs, because a processor does not
//! look ahead as far as the next tile's multiplications.

use super::requantize::Requantize;
use super::stores;
use crate::kernels::call::PointwiseCall;
use crate::kernels::layout::{BLOCK, DEPTH};
use core::arch::x86_64::*;

const MAX_BLOCKS: usize = 4;

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
                2 => columns.run::<4, 2>(),
                3 => columns.run::<2, 3>(),
                _ => columns.run::<2, 4>(),
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

/// Where in four packed registers the outputs of pixels lie, one pixel after the other: of four
/// pixels of up to 16 outputs, or of two of up to 32; a multiple of 4.
#[inline]
#[target_feature(enable = "avx512f")]
fn side_by_side(outputs: usize) -> __m512i {
    let mut order = [0; 16];
    let (mut register, mut word) = (0, 0);
    for order in &mut order {
        *order = (word % 4 * 4 + register + word / 4) as i32;
        word += 1;
        if word * 4 >= outputs {
            (register, word) = (register + outputs.div_ceil(BLOCK), 0);
        }
    }
    // SAFETY: it has 64 bytes.
    unsafe { _mm512_loadu_si512(order.as_ptr().cast()) }
}

impl Columns {
    /// All pixels, `P` (a multiple of 4 for one block, of 2 for two) at a time, times `B` blocks.
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
        let tight =
            B <= 2 && self.y_stride == self.outputs && self.outputs.is_multiple_of(4) && self.pixels >= P;
        let order = tight.then(|| side_by_side(self.outputs));
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
                self.store(&acc, &y, order);
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

    /// Requantizes four registers at a time: four pixels of one block, two of two, one of more.
    /// `order` is [`side_by_side`] where such pixels are one piece of memory.
    ///
    /// # Safety
    /// `y` are pixels; the rest as for [`Columns::run`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn store<const P: usize, const B: usize>(
        &self,
        acc: &[[__m512i; B]; P],
        y: &[*mut u8; P],
        order: Option<__m512i>,
    ) {
        let mut steps = *acc;
        for b in 0..B {
            // SAFETY: there are multipliers for whole blocks.
            let multiplier = unsafe { _mm512_loadu_ps(self.multiplier.add(b * BLOCK)) };
            for steps in &mut steps {
                steps[b] = self.requantize.steps(steps[b], multiplier);
            }
        }
        // SAFETY: only outputs that exist are written, each in its pixel: where there is an order, pixels
        // follow each other without a gap, and there are as many as the tile has.
        unsafe {
            match B {
                1 => {
                    for (steps, y) in steps.chunks_exact(4).zip(y.chunks_exact(4)) {
                        let four = [steps[0][0], steps[1][0], steps[2][0], steps[3][0]];
                        if let Some(order) = order {
                            let outputs = _mm512_permutexvar_epi32(order, self.requantize.lanes(four));
                            stores::whole(y[0], outputs, 4 * self.outputs);
                        } else {
                            let outputs = self.requantize.outputs(four);
                            for (which, y) in y.iter().enumerate() {
                                stores::quarter(*y, outputs, which, self.outputs);
                            }
                        }
                    }
                }
                2 => {
                    for (steps, y) in steps.chunks_exact(2).zip(y.chunks_exact(2)) {
                        let four = [steps[0][0], steps[0][1], steps[1][0], steps[1][1]];
                        if let Some(order) = order {
                            let outputs = _mm512_permutexvar_epi32(order, self.requantize.lanes(four));
                            stores::whole(y[0], outputs, 2 * self.outputs);
                        } else {
                            let outputs = self.requantize.outputs(four);
                            for (which, y) in y.iter().enumerate() {
                                stores::half(*y, outputs, which, self.outputs);
                            }
                        }
                    }
                }
                _ => {
                    for (steps, y) in steps.iter().zip(y) {
                        let four = [steps[0], steps[1], steps[2], steps[B - 1]];
                        stores::whole(*y, self.requantize.outputs(four), self.outputs);
                    }
                }
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
