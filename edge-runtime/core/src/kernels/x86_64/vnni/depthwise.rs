//! Depthwise convolution, 3 x 3, at stride 1 or 2.
//!
//! A unit of up to 32 channels goes along the row two columns at a time: `[column 0 | column 1]` is one register, and of two
//! such registers a byte shuffle makes, for each channel, its four columns side by side. That is a step for VPDPBUSD with the
//! taps `w0 w1 w2 0`; at stride 1 the same step serves the next output with `0 w0 w1 w2`. Where a column is 16 channels and no
//! more, two of them lie side by side and take half a register.

use super::requantize::Requantize;
use super::stores;
use crate::kernels::depthwise::Call;
use crate::kernels::layout::{BLOCK, DEPTH, padded};
use core::arch::x86_64::*;

const ROWS: usize = 3;

pub(in crate::kernels::x86_64) fn depthwise(call: Call) {
    // SAFETY: the set is handed out only where the processor has these features.
    unsafe { run(call) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")]
fn run(mut call: Call) {
    let (pixels, stride, count) = (call.pixels(), call.stride(), call.count());
    let (weights, channels) = (call.weights().as_ptr(), *call.channels());
    let (rows, y) = call.slices();
    let &[a, b, c] = rows else { return };
    for first in (0..count).step_by(WHOLE_UNIT) {
        // SAFETY: `first` is a channel, and weights, biases and multipliers are there for whole blocks.
        let unit = unsafe {
            Unit {
                pixels,
                count,
                channels: (count - first).min(WHOLE_UNIT),
                rows: [a.as_ptr().add(first), b.as_ptr().add(first), c.as_ptr().add(first)],
                y: y.as_mut_ptr().add(first),
                weights: weights.add(first * DEPTH),
                bias: channels.bias().as_ptr().add(first),
                multiplier: channels.multiplier().as_ptr().add(first),
                requantize: Requantize::new(channels.zero()),
            }
        };
        // SAFETY: the unit has as many blocks. The call has proven that every row holds three columns for each pixel.
        unsafe {
            match (stride, unit.channels) {
                (1, BLOCK) if count == BLOCK => unit.run::<1, 4, ADJACENT, false>(),
                (_, BLOCK) if count == BLOCK => unit.run::<1, 4, ADJACENT, true>(),
                (1, ..=BLOCK) => unit.run::<1, 4, SOME, false>(),
                (_, ..=BLOCK) => unit.run::<1, 4, SOME, true>(),
                (1, WHOLE_UNIT) => unit.run::<2, 2, WHOLE, false>(),
                (_, WHOLE_UNIT) => unit.run::<2, 2, WHOLE, true>(),
                (1, _) => unit.run::<2, 2, SOME, false>(),
                (_, _) => unit.run::<2, 2, SOME, true>(),
            }
        }
    }
}

/// Most channels of a unit.
const WHOLE_UNIT: usize = 2 * BLOCK;

/// How two columns are loaded: 16 channels that are all there are, so that the columns lie side by side.
const ADJACENT: u8 = 0;
/// 32 channels of each of two columns.
const WHOLE: u8 = 1;
/// Fewer channels of each of two columns.
const SOME: u8 = 2;

/// Where the bytes of a block's step lie in two registers of two columns each, which begin `distance` bytes apart.
const fn interleave(block: usize, distance: usize) -> [u8; 64] {
    let mut order = [0; 64];
    let mut i = 0;
    while i < 64 {
        let (channel, column) = (i / DEPTH, i % DEPTH);
        order[i] = (column / 2 * 64 + column % 2 * distance + block * BLOCK + channel) as u8;
        i += 1;
    }
    order
}

static APART_ORDER: [[u8; 64]; 2] = [interleave(0, WHOLE_UNIT), interleave(1, WHOLE_UNIT)];
static ADJACENT_ORDER: [[u8; 64]; 2] = [interleave(0, BLOCK); 2];

/// Up to two blocks of channels of a row.
struct Unit {
    pixels: usize,
    /// Bytes from one column to the next.
    count: usize,
    /// Channels of this unit.
    channels: usize,
    rows: [*const u8; ROWS],
    y: *mut u8,
    weights: *const i8,
    bias: *const i32,
    multiplier: *const f32,
    requantize: Requantize,
}

/// What a unit's pixels share: each kernel row's taps for an output and for the next one, and the numbers of `B` blocks.
struct Numbers<const B: usize> {
    taps: [[__m512i; B]; ROWS],
    later: [[__m512i; B]; ROWS],
    bias: [__m512i; B],
    multiplier: [__m512; B],
    order: [__m512i; B],
}

impl Unit {
    /// All pixels of the row, `N` at a time, `B` blocks, so that `N * B` is 4; `COLUMNS` says how columns are loaded, `TWO` is
    /// stride 2.
    ///
    /// # Safety
    /// All pointers are valid: weights, bias and multiplier for `B` blocks, rows and `y` for the unit's channels of all columns.
    #[inline(never)] // or every form's preparations are made before the first unit
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")]
    unsafe fn run<const B: usize, const N: usize, const COLUMNS: u8, const TWO: bool>(&self) {
        // SAFETY: the pointers are valid. Columns 0 and 1 exist, and so do those of all groups but the last ones, which
        // heed the end of the row.
        unsafe {
            let numbers = self.numbers::<B, COLUMNS>();
            let mut window = self.columns::<COLUMNS>(0, self.count);
            let mut pixel = 0;
            while pixel + N + usize::from(TWO) <= self.pixels {
                self.group::<B, N, COLUMNS, TWO, false>(&numbers, &mut window, pixel);
                pixel += N;
            }
            while pixel < self.pixels {
                self.group::<B, N, COLUMNS, TWO, true>(&numbers, &mut window, pixel);
                pixel += N;
            }
        }
    }

    /// # Safety
    /// As for [`Unit::run`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn numbers<const B: usize, const COLUMNS: u8>(&self) -> Numbers<B> {
        let none = [_mm512_setzero_si512(); B];
        let mut numbers = Numbers {
            taps: [none; ROWS],
            later: [none; ROWS],
            bias: none,
            multiplier: [_mm512_setzero_ps(); B],
            order: none,
        };
        let order = if COLUMNS == ADJACENT { &ADJACENT_ORDER } else { &APART_ORDER };
        for b in 0..B {
            // SAFETY: the numbers are there for whole blocks, and every kernel row has one step of taps.
            unsafe {
                for row in 0..ROWS {
                    let at = (row * padded(self.count) + b * BLOCK) * DEPTH;
                    numbers.taps[row][b] = _mm512_loadu_si512(self.weights.add(at).cast());
                    numbers.later[row][b] = _mm512_slli_epi32::<8>(numbers.taps[row][b]);
                }
                numbers.bias[b] = _mm512_loadu_si512(self.bias.add(b * BLOCK).cast());
                numbers.multiplier[b] = _mm512_loadu_ps(self.multiplier.add(b * BLOCK));
                numbers.order[b] = _mm512_loadu_si512(order[b].as_ptr().cast());
            }
        }
        numbers
    }

    /// `N` pixels from `pixel` on. `window` holds their first two columns, and those of the next group afterwards. `END`: the
    /// row may end in this group.
    ///
    /// # Safety
    /// As for [`Unit::run`]; `pixel` exists, and without `END` so do all `N` and two columns more.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")]
    unsafe fn group<const B: usize, const N: usize, const COLUMNS: u8, const TWO: bool, const END: bool>(
        &self,
        numbers: &Numbers<B>,
        window: &mut [__m512i; ROWS],
        pixel: usize,
    ) {
        let stride = if TWO { 2 } else { 1 };
        let last = ((self.pixels - 1) * stride + 2) * self.count;
        let mut column = (pixel * stride + 2) * self.count;
        let mut acc = [numbers.bias; N];
        for i in (0..N).step_by(if TWO { 1 } else { 2 }) {
            let (mut a, mut b) = (column, column + self.count);
            if END {
                // What stands in for missing columns meets taps of 0 or pixels that are not stored.
                (a, b) = (a.min(last), b.min(last));
            }
            // SAFETY: both columns exist.
            let next = unsafe { self.columns::<COLUMNS>(a, b) };
            column += 2 * self.count;
            for row in 0..ROWS {
                for b in 0..B {
                    let step = _mm512_permutex2var_epi8(window[row], numbers.order[b], next[row]);
                    acc[i][b] = _mm512_dpbusd_epi32(acc[i][b], step, numbers.taps[row][b]);
                    if !TWO {
                        acc[i + 1][b] = _mm512_dpbusd_epi32(acc[i + 1][b], step, numbers.later[row][b]);
                    }
                }
            }
            *window = next;
        }
        let mut steps = [numbers.bias[0]; 4];
        for i in 0..N {
            for b in 0..B {
                steps[i * B + b] = self.requantize.steps(acc[i][b], numbers.multiplier[b]);
            }
        }
        let outputs = self.requantize.outputs(steps);
        let left = if END { (self.pixels - pixel).min(N) } else { N };
        for i in 0..left {
            // SAFETY: of a pixel that exists, the unit's channels are written; four pixels side by side are 64 bytes.
            unsafe {
                let y = self.y.add((pixel + i) * self.count);
                if COLUMNS == ADJACENT && !END {
                    stores::whole(y, outputs, 64);
                    break;
                } else if B == 1 {
                    stores::quarter(y, outputs, i, self.channels);
                } else {
                    stores::half(y, outputs, i, self.channels);
                }
            }
        }
    }

    /// Two columns of each row, given by where they begin: `a`, and the next one or, at the end of the row, `a` again.
    ///
    /// # Safety
    /// Both columns exist.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    unsafe fn columns<const COLUMNS: u8>(&self, a: usize, b: usize) -> [__m512i; ROWS] {
        let mut columns = [_mm512_setzero_si512(); ROWS];
        for (columns, row) in columns.iter_mut().zip(self.rows) {
            // SAFETY: from `a` to behind `b` lie the bytes of existing columns; of those that are apart, the unit's channels
            // are read and no more. The address of an upper half that is masked lies 32 bytes below it, where nothing is read,
            // and maybe before the row.
            *columns = unsafe {
                if COLUMNS == ADJACENT {
                    let mask = if b > a { u32::MAX } else { 0xFFFF };
                    _mm512_castsi256_si512(_mm256_maskz_loadu_epi8(mask, row.add(a).cast()))
                } else if COLUMNS == WHOLE {
                    let lower = _mm512_castsi256_si512(_mm256_loadu_si256(row.add(a).cast()));
                    _mm512_inserti64x4::<1>(lower, _mm256_loadu_si256(row.add(b).cast()))
                } else {
                    let mask = stores::mask(self.channels);
                    let lower = _mm256_maskz_loadu_epi8(mask as u32, row.add(a).cast());
                    let upper = row.add(b).wrapping_sub(WHOLE_UNIT).cast();
                    _mm512_mask_loadu_epi8(_mm512_castsi256_si512(lower), mask << 32, upper)
                }
            };
        }
        columns
    }
}
