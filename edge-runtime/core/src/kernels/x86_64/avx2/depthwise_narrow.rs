//! Depthwise convolution, 3 x 3, at stride 1 or 2, with weights of 7 bits: 16 channels at a time.
//!
//! A channel's upper two rows of a column lie side by side as a pair of bytes, which VPMADDUBSW
//! multiplies by their two taps; so do columns 0 and 1 of the last row, and its column 2 and nothing.
//! Columns stay in registers from one pixel to the next.

use super::requantize::{Requantize, split, store};
use crate::kernels::call::RowCall;
use crate::kernels::layout::{BLOCK, DEPTH, padded};
use core::arch::x86_64::*;

/// Of a column of 16 channels: the upper two rows as pairs of bytes, the last row in 16 bits.
type Column = [__m256i; 2];

/// The output row, for 16 channels and more, none of whose weights has more than 7 bits.
#[target_feature(enable = "avx2")]
pub(super) fn narrow<const STRIDE: usize>(mut call: RowCall) {
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
                taps(weights.add(at * DEPTH), padded(count) * DEPTH),
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
            let mut left = column(rows, 0);
            let mut middle = column(rows, count);
            for pixel in 0..pixels {
                if STRIDE == 2 {
                    middle = column(rows, (2 * pixel + 1) * count);
                }
                let right = column(rows, (STRIDE * pixel + 2) * count);
                let last = _mm256_or_si256(left[1], _mm256_slli_epi16::<8>(middle[1]));
                let mut sums = [left[0], middle[0], right[0], last, right[1]];
                for (sum, &taps) in sums.iter_mut().zip(&taps) {
                    *sum = _mm256_maddubs_epi16(*sum, taps);
                }
                let mut acc = bias;
                for [sum, next] in [[sums[0], sums[1]], [sums[2], sums[3]], [sums[4], _mm256_setzero_si256()]]
                {
                    acc[0] = _mm256_add_epi32(acc[0], add(_mm256_unpacklo_epi16(sum, next)));
                    acc[1] = _mm256_add_epi32(acc[1], add(_mm256_unpackhi_epi16(sum, next)));
                }
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

/// Sums of neighbours, in 32 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn add(pairs: __m256i) -> __m256i {
    _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))
}

/// The column at byte `at`.
///
/// # Safety
/// Each row is valid for reads of 16 bytes there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn column(rows: [*const u8; 3], at: usize) -> Column {
    // SAFETY: as the caller says.
    let [a, b, c] = rows.map(|row| unsafe { _mm256_cvtepu8_epi16(_mm_loadu_si128(row.add(at).cast())) });
    [_mm256_or_si256(a, _mm256_slli_epi16::<8>(b)), c]
}

/// The taps of 16 channels, in pairs as the columns are; `row` bytes from one kernel row to the next.
///
/// # Safety
/// `weights` is valid for reads of 64 bytes of each kernel row.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn taps(weights: *const i8, row: usize) -> [__m256i; 5] {
    let byte = _mm256_set1_epi32(0xFF);
    let pair =
        |a, b| _mm256_or_si256(_mm256_and_si256(a, byte), _mm256_slli_epi32::<8>(_mm256_and_si256(b, byte)));
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
    core::array::from_fn(|i| _mm256_packus_epi32(low[i], high[i]))
}
