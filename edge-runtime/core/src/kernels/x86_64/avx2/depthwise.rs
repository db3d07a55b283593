//! Depthwise convolution, 3 x 3, at stride 1 or 2: 16 channels at a time, whose columns stay in
//! registers from one pixel to the next. How the nine taps are multiplied depends on how large they
//! are: [`Wide`], [`Narrow`].

use super::requantize::{Requantize, split, store};
use crate::kernels::call::RowCall;
use crate::kernels::layout::{BLOCK, DEPTH, padded};
use crate::kernels::scalar;
use core::arch::x86_64::*;

/// Accumulators of 16 channels, as unpacking leaves them: channels 0-3 and 8-11, then the others.
type Sums = [__m256i; 2];

pub(in crate::kernels::x86_64) fn depthwise(call: RowCall) {
    if call.outputs() < BLOCK {
        scalar::depthwise(call);
    } else {
        // SAFETY: the set is handed out only where the processor has AVX2.
        unsafe {
            match (call.narrow(), call.stride()) {
                (false, 1) => run::<Wide, 1>(call),
                (false, _) => run::<Wide, 2>(call),
                (true, 1) => run::<Narrow, 1>(call),
                (true, _) => run::<Narrow, 2>(call),
            }
        }
    }
}

/// The output row, for 16 channels and more.
#[target_feature(enable = "avx2")]
fn run<T: Taps, const STRIDE: usize>(mut call: RowCall) {
    let (pixels, count) = (call.pixels(), call.outputs());
    let (weights, channels) = (call.weights().as_ptr(), *call.channels());
    let requantize = Requantize::new(channels.zero());
    let (rows, y) = call.slices();
    let y = y.as_mut_ptr();
    let &[a, b, c] = rows else { return };
    for first in (0..count).step_by(BLOCK) {
        // Where fewer channels are left, some are computed twice.
        let at = first.min(count - BLOCK);
        // SAFETY: there are 16 channels from `at` on, and of the numbers at least as many.
        let (taps, bias, multiplier) = unsafe {
            let bias = channels.bias().as_ptr().add(at).cast::<__m128i>();
            let multiplier = channels.multiplier().as_ptr().add(at);
            (
                T::new(weights.add(at * DEPTH), padded(count) * DEPTH),
                [split(bias), split(bias.add(1))],
                [
                    _mm256_castsi256_ps(split(multiplier.cast())),
                    _mm256_castsi256_ps(split(multiplier.add(4).cast())),
                ],
            )
        };
        // SAFETY: every row holds three columns for every pixel, the output row holds every pixel.
        unsafe {
            let rows = [a, b, c].map(|row| row.as_ptr().add(at));
            let column = |x: usize| {
                let at = x * count;
                T::column(rows.map(|row| _mm256_cvtepu8_epi16(_mm_loadu_si128(row.add(at).cast()))))
            };
            let (mut left, mut middle) = (column(0), column(1));
            for pixel in 0..pixels {
                if STRIDE == 2 {
                    middle = column(2 * pixel + 1);
                }
                let right = column(STRIDE * pixel + 2);
                let acc = taps.add(bias, [left, middle, right]);
                // Unpacking and packing both go by lanes of 128 bits, so the order comes out right.
                let wide = requantize.wide(acc, multiplier);
                let outputs =
                    _mm_packus_epi16(_mm256_castsi256_si128(wide), _mm256_extracti128_si256::<1>(wide));
                store(y.add(pixel * count + at), outputs, BLOCK);
                (left, middle) = if STRIDE == 2 { (right, middle) } else { (middle, right) };
            }
        }
    }
}

/// The taps of 16 channels, in the order in which they are multiplied. Its functions are unsafe
/// because they need AVX2, too.
trait Taps: Sized {
    /// A column of 16 channels in three rows.
    type Column: Copy;

    /// From the weights; `row` bytes from one kernel row to the next.
    ///
    /// # Safety
    /// `weights` is valid for reads of 64 bytes of each kernel row.
    unsafe fn new(weights: *const i8, row: usize) -> Self;

    /// From the bytes of each row, widened to 16 bits.
    unsafe fn column(rows: [__m256i; 3]) -> Self::Column;

    /// Adds the nine products of each channel.
    unsafe fn add(&self, sums: Sums, columns: [Self::Column; 3]) -> Sums;
}

/// Taps of 8 bits, widened to 16 and taken in pairs, one VPMADDWD each: columns 0 and 2 of every
/// kernel row, then the middle columns of the first two rows, then that of the last row and nothing.
struct Wide([[__m256i; 2]; 5]);

impl Taps for Wide {
    type Column = [__m256i; 3];

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn new(weights: *const i8, row: usize) -> Self {
        let mut taps = [[_mm256_setzero_si256(); 2]; 5];
        for half in 0..2 {
            let (mut outer, mut middle) = ([taps[0][0]; 3], [taps[0][0]; 3]);
            for k in 0..3 {
                // SAFETY: as the caller says.
                let four = unsafe { split(weights.add(k * row + half * 16).cast()) };
                outer[k] = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(four));
                middle[k] = _mm256_srai_epi16::<8>(four);
            }
            let first_two = _mm256_blend_epi16::<0b1010_1010>(middle[0], _mm256_slli_epi32::<16>(middle[1]));
            for (k, pair) in [outer[0], outer[1], outer[2], first_two, middle[2]].into_iter().enumerate() {
                taps[k][half] = pair;
            }
        }
        Self(taps)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn column(rows: [__m256i; 3]) -> Self::Column {
        rows
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn add(&self, mut sums: Sums, [left, middle, right]: [Self::Column; 3]) -> Sums {
        let pairs = [
            [left[0], right[0]],
            [left[1], right[1]],
            [left[2], right[2]],
            [middle[0], middle[1]],
            [middle[2], _mm256_setzero_si256()],
        ];
        for ([a, b], taps) in pairs.into_iter().zip(&self.0) {
            sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), taps[0]));
            sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), taps[1]));
        }
        sums
    }
}

/// Taps of 7 bits: a channel's upper two rows of a column lie side by side as a pair of bytes, which
/// VPMADDUBSW multiplies by their two taps; so do columns 0 and 1 of the last row, and its column 2
/// and nothing.
struct Narrow([__m256i; 5]);

impl Taps for Narrow {
    /// The upper two rows as pairs of bytes, the last row in 16 bits.
    type Column = [__m256i; 2];

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn new(weights: *const i8, row: usize) -> Self {
        let byte = _mm256_set1_epi32(0xFF);
        let pair = |a, b| {
            _mm256_or_si256(_mm256_and_si256(a, byte), _mm256_slli_epi32::<8>(_mm256_and_si256(b, byte)))
        };
        // Channels as `split` takes them.
        let [low, high] = [0, 16].map(|at| {
            // SAFETY: as the caller says.
            let [a, b, c] = [0, 1, 2].map(|k| unsafe { split(weights.add(k * row + at).cast()) });
            [
                pair(a, b),
                pair(_mm256_srli_epi32::<8>(a), _mm256_srli_epi32::<8>(b)),
                pair(_mm256_srli_epi32::<16>(a), _mm256_srli_epi32::<16>(b)),
                pair(c, _mm256_srli_epi32::<8>(c)),
                _mm256_and_si256(_mm256_srli_epi32::<16>(c), byte),
            ]
        });
        // Packing goes by lanes of 128 bits, as `split` does.
        Self(core::array::from_fn(|i| _mm256_packus_epi32(low[i], high[i])))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn column([a, b, c]: [__m256i; 3]) -> Self::Column {
        [_mm256_or_si256(a, _mm256_slli_epi16::<8>(b)), c]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn add(&self, mut sums: Sums, [left, middle, right]: [Self::Column; 3]) -> Sums {
        let last = _mm256_or_si256(left[1], _mm256_slli_epi16::<8>(middle[1]));
        let mut products = [left[0], middle[0], right[0], last, right[1]];
        for (product, &taps) in products.iter_mut().zip(&self.0) {
            *product = _mm256_maddubs_epi16(*product, taps);
        }
        let [a, b, c, d, e] = products;
        for [a, b] in [[a, b], [c, d], [e, _mm256_setzero_si256()]] {
            sums[0] = _mm256_add_epi32(sums[0], neighbours(_mm256_unpacklo_epi16(a, b)));
            sums[1] = _mm256_add_epi32(sums[1], neighbours(_mm256_unpackhi_epi16(a, b)));
        }
        sums
    }
}

/// Sums of neighbours, in 32 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn neighbours(pairs: __m256i) -> __m256i {
    _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))
}
