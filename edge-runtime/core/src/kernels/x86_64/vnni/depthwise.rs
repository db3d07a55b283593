//! Depthwise convolution, 3 x 3, at stride 1 or 2.
//!
//! A unit of up to 32 channels goes along the row two columns at a time: `[column 0 | column 1]` is
//! one register, and of two such registers a byte shuffle makes, for each channel, its four columns
//! side by side. That is a step for VPDPBUSD with the taps `w0 w1 w2 0`; at stride 1 the same step
//! serves the next output with `0 w0 w1 w2`.

use super::requantize::Requantize;
use super::stores;
use crate::kernels::call::RowCall;
use crate::kernels::layout::{BLOCK, DEPTH, padded};
use core::arch::x86_64::*;

const ROWS: usize = 3;

pub(in crate::kernels::x86_64) fn depthwise(call: RowCall) {
    // SAFETY: the set is handed out only where the processor has these features.
    unsafe { run(call) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")]
fn run(mut call: RowCall) {
    let (pixels, stride, count) = (call.pixels(), call.stride(), call.outputs());
    let (weights, channels) = (call.weights().as_ptr(), *call.channels());
    let (rows, y) = call.slices();
    let &[a, b, c] = rows else { return };
    for first in (0..count).step_by(2 * BLOCK) {
        // SAFETY: `first` is a channel, and weights, biases and multipliers are there for whole
        // blocks.
        let unit = unsafe {
            Unit {
                pixels,
                count,
                channels: (count - first).min(2 * BLOCK),
                rows: [a.as_ptr().add(first), b.as_ptr().add(first), c.as_ptr().add(first)],
                y: y.as_mut_ptr().add(first),
                weights: weights.add(first * DEPTH),
                bias: channels.bias().as_ptr().add(first),
                multiplier: channels.multiplier().as_ptr().add(first),
                requantize: Requantize::new(channels.zero()),
            }
        };
        // SAFETY: the unit has as many blocks. The call has proven that every row holds three columns for
        // each pixel.
        unsafe {
            match (unit.channels > BLOCK, stride) {
                (false, 1) => unit.run::<1, 4, false>(),
                (false, _) => unit.run::<1, 4, true>(),
                (true, 1) => unit.run::<2, 2, false>(),
                (true, _) => unit.run::<2, 2, true>(),
            }
        }
    }
}

/// Where the bytes of a block's step lie in two registers of two columns of 32 channels each.
const fn interleave(block: usize) -> [u8; 64] {
    let mut order = [0; 64];
    let mut i = 0;
    while i < 64 {
        order[i] = (i % DEPTH * 2 * BLOCK + block * BLOCK + i / DEPTH) as u8;
        i += 1;
    }
    order
}

static INTERLEAVE: [[u8; 64]; 2] = [interleave(0), interleave(1)];

/// Up to two blocks of channels of a row.
struct Unit {
    pixels: usize,
    /// Bytes from one column to the next.
    count: usize,
    channels: usize,
    rows: [*const u8; ROWS],
    y: *mut u8,
    weights: *const i8,
    bias: *const i32,
    multiplier: *const f32,
    requantize: Requantize,
}

impl Unit {
    /// All pixels of the row, `N` at a time, `B` blocks, so that `N * B` is 4; `TWO` is stride 2.
    ///
    /// # Safety
    /// All pointers are valid: weights, bias and multiplier for `B` blocks, rows and `y` for the
    /// unit's channels of all columns.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")]
    unsafe fn run<const B: usize, const N: usize, const TWO: bool>(&self) {
        let mut taps = [[_mm512_setzero_si512(); B]; ROWS];
        let mut later = taps;
        let (mut bias, mut multiplier) = ([_mm512_setzero_si512(); B], [_mm512_setzero_ps(); B]);
        let mut order = bias;
        for b in 0..B {
            // SAFETY: the numbers are there for whole blocks, and every kernel row has one step of taps.
            unsafe {
                for row in 0..ROWS {
                    let at = (row * padded(self.count) + b * BLOCK) * DEPTH;
                    taps[row][b] = _mm512_loadu_si512(self.weights.add(at).cast());
                    later[row][b] = _mm512_slli_epi32::<8>(taps[row][b]);
                }
                bias[b] = _mm512_loadu_si512(self.bias.add(b * BLOCK).cast());
                multiplier[b] = _mm512_loadu_ps(self.multiplier.add(b * BLOCK));
                order[b] = _mm512_loadu_si512(INTERLEAVE[b].as_ptr().cast());
            }
        }
        let last = (self.pixels - 1) * if TWO { 2 } else { 1 } + 2;
        // SAFETY: column 0 and 1 exist.
        let mut window = unsafe { self.columns(0, 1) };
        let mut column = 2;
        for pixel in (0..self.pixels).step_by(N) {
            let mut acc = [bias; N];
            for i in (0..N).step_by(if TWO { 1 } else { 2 }) {
                // SAFETY: neither column is beyond the last one, which exists. What stands in for missing
                // ones meets taps of 0 or pixels that are not stored.
                let next = unsafe { self.columns(column.min(last), (column + 1).min(last)) };
                column += 2;
                for row in 0..ROWS {
                    for b in 0..B {
                        let step = _mm512_permutex2var_epi8(window[row], order[b], next[row]);
                        acc[i][b] = _mm512_dpbusd_epi32(acc[i][b], step, taps[row][b]);
                        if !TWO {
                            acc[i + 1][b] = _mm512_dpbusd_epi32(acc[i + 1][b], step, later[row][b]);
                        }
                    }
                }
                window = next;
            }
            let mut steps = [bias[0]; 4];
            for i in 0..N {
                for b in 0..B {
                    steps[i * B + b] = self.requantize.steps(acc[i][b], multiplier[b]);
                }
            }
            let outputs = self.requantize.outputs(steps);
            // SAFETY: only pixels and channels that exist are written.
            unsafe {
                let y = self.y.add(pixel * self.count);
                let left = (self.pixels - pixel).min(N);
                if left == N && self.count == B * BLOCK {
                    stores::whole(y, outputs, 64);
                } else {
                    for i in 0..left {
                        let y = y.add(i * self.count);
                        if B == 1 {
                            stores::quarter(y, outputs, i, self.channels);
                        } else {
                            stores::half(y, outputs, i, self.channels);
                        }
                    }
                }
            }
        }
    }

    /// Two columns of each row: `a` in the lower half, `b` in the upper one.
    ///
    /// # Safety
    /// Both columns exist.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn columns(&self, a: usize, b: usize) -> [__m512i; ROWS] {
        let mask = stores::mask(self.channels);
        let mut columns = [_mm512_setzero_si512(); ROWS];
        for (columns, row) in columns.iter_mut().zip(self.rows) {
            // SAFETY: the masks let only the unit's channels be read. The address of the upper half lies 32
            // bytes below it, where nothing is read, and maybe before the row.
            unsafe {
                let lower = _mm256_maskz_loadu_epi8(mask as u32, row.add(a * self.count).cast());
                let upper = row.add(b * self.count).wrapping_sub(2 * BLOCK);
                *columns = _mm512_mask_loadu_epi8(_mm512_castsi256_si512(lower), mask << 32, upper.cast());
            }
        }
        columns
    }
}
