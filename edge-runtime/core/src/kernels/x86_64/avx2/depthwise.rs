//! Depthwise convolution, 3 x 3, at stride 1 or 2: 16 channels at a time.
//!
//! Bytes are widened to 16 bits and the nine taps taken in pairs, one VPMADDWD each: columns 0 and
//! 2 of every kernel row, then the middle columns of the first two rows, then that of the last row
//! and nothing. Weights of 7 bits go by [`narrow`](super::depthwise_narrow).

use super::depthwise_narrow::narrow;
use super::requantize::{Requantize, split, store};
use crate::kernels::call::RowCall;
use crate::kernels::layout::{BLOCK, DEPTH, padded};
use crate::kernels::scalar;
use core::arch::x86_64::*;

const PAIRS: usize = 5;

pub(in crate::kernels::x86_64) fn depthwise(call: RowCall) {
    if call.outputs() < BLOCK {
        scalar::depthwise(call);
    } else {
        // SAFETY: the set is handed out only where the processor has AVX2.
        unsafe {
            match (call.narrow(), call.stride()) {
                (false, _) => run(call),
                (true, 1) => narrow::<1>(call),
                (true, _) => narrow::<2>(call),
            }
        }
    }
}

#[target_feature(enable = "avx2")]
fn run(mut call: RowCall) {
    let (pixels, stride, count) = (call.pixels(), call.stride(), call.outputs());
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
        for pixel in 0..pixels {
            // SAFETY: every row holds three columns for every pixel, the output row holds every pixel.
            unsafe {
                let place = pixel * stride * count + at;
                let a = columns(a.as_ptr().add(place), count);
                let b = columns(b.as_ptr().add(place), count);
                let c = columns(c.as_ptr().add(place), count);
                let pairs =
                    [[a[0], a[2]], [b[0], b[2]], [c[0], c[2]], [a[1], b[1]], [c[1], _mm256_setzero_si256()]];
                let mut acc = bias;
                for (pair, taps) in pairs.iter().zip(&taps) {
                    let (low, high) =
                        (_mm256_unpacklo_epi16(pair[0], pair[1]), _mm256_unpackhi_epi16(pair[0], pair[1]));
                    acc[0] = _mm256_add_epi32(acc[0], _mm256_madd_epi16(low, taps[0]));
                    acc[1] = _mm256_add_epi32(acc[1], _mm256_madd_epi16(high, taps[1]));
                }
                // Unpacking and packing both go by lanes of 128 bits, so the order comes out right.
                let wide = requantize.wide(acc, multiplier);
                let outputs =
                    _mm_packus_epi16(_mm256_castsi256_si128(wide), _mm256_extracti128_si256::<1>(wide));
                store(y.add(pixel * count + at), outputs, BLOCK);
            }
        }
    }
}

/// Three columns of 16 channels, widened.
///
/// # Safety
/// `row` is valid for reads of 16 bytes at each of three columns.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn columns(row: *const u8, count: usize) -> [__m256i; 3] {
    let mut columns = [_mm256_setzero_si256(); 3];
    for (i, column) in columns.iter_mut().enumerate() {
        // SAFETY: as the caller says.
        *column = unsafe { _mm256_cvtepu8_epi16(_mm_loadu_si128(row.add(i * count).cast())) };
    }
    columns
}

/// The taps of 16 channels in pairs; `row` bytes from one kernel row to the next.
///
/// # Safety
/// `weights` is valid for reads of 64 bytes of each kernel row.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn taps(weights: *const i8, row: usize) -> [[__m256i; 2]; PAIRS] {
    let mut taps = [[_mm256_setzero_si256(); 2]; PAIRS];
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
    taps
}
