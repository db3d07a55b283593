//! A tile of 4 pixels times a block of 16 outputs, which stays in registers: what pointwise and
//! first convolution share.
//!
//! With weights of 7 bits a step is VPMADDUBSW, then VPMADDWD by ones. With others its four inputs
//! are taken as two pairs, `(q0, q2)` and `(q1, q3)`: masks and shifts make them of the bytes, of the
//! weights likewise.

use super::requantize::{Requantize, store};
use crate::kernels::RequantParams;
use crate::kernels::layout::BLOCK;
use core::arch::x86_64::*;

pub(super) const PIXELS: usize = 4;

pub(super) struct Block {
    bias: [__m256i; 2],
    multiplier: [__m256; 2],
    requantize: Requantize,
    /// Outputs of the block that exist, 1..=16.
    count: usize,
}

/// Accumulators of a tile, of each pixel two registers.
pub(super) type Accumulators = [[__m256i; 2]; PIXELS];

impl Block {
    /// The block that begins at output `at` of `outputs`.
    ///
    /// # Safety
    /// `at` is a multiple of [`BLOCK`] and below the outputs that `channels` was made for.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub unsafe fn new(channels: &RequantParams, at: usize, outputs: usize) -> Self {
        // SAFETY: biases and multipliers are there for whole blocks.
        unsafe {
            let (bias, multiplier) =
                (channels.bias().as_ptr().add(at), channels.multiplier().as_ptr().add(at));
            Self {
                bias: [_mm256_loadu_si256(bias.cast()), _mm256_loadu_si256(bias.add(8).cast())],
                multiplier: [_mm256_loadu_ps(multiplier), _mm256_loadu_ps(multiplier.add(8))],
                requantize: Requantize::new(channels.zero()),
                count: (outputs - at).min(BLOCK),
            }
        }
    }

    #[inline]
    pub fn start(&self) -> Accumulators {
        [self.bias; PIXELS]
    }

    /// Stores the outputs that exist, of each pixel at its pointer.
    ///
    /// # Safety
    /// Each pointer is valid for writes of the outputs of this block that exist.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub unsafe fn store(&self, acc: &Accumulators, y: [*mut u8; PIXELS]) {
        for i in [0, 2] {
            let a = self.requantize.wide(acc[i], self.multiplier);
            let b = self.requantize.wide(acc[i + 1], self.multiplier);
            // Lanes hold outputs 0-3, 8-11 and 4-7, 12-15 of both pixels.
            let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
            let both = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(a, b), order);
            // SAFETY: as the caller says.
            unsafe {
                store(y[i], _mm256_castsi256_si128(both), self.count);
                store(y[i + 1], _mm256_extracti128_si256::<1>(both), self.count);
            }
        }
    }
}

/// Adds the products of one step: four inputs of each pixel, as a little-endian word. `NARROW` is
/// for weights of 7 bits.
///
/// # Safety
/// `weights` is valid for reads of one step of a block, 64 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn step<const NARROW: bool>(
    acc: &mut Accumulators,
    words: [i32; PIXELS],
    weights: *const i8,
) {
    // SAFETY: the first and the second half of the step.
    let weights = unsafe { [_mm256_loadu_si256(weights.cast()), _mm256_loadu_si256(weights.add(32).cast())] };
    if NARROW {
        let ones = _mm256_set1_epi16(1);
        for i in 0..PIXELS {
            let word = _mm256_set1_epi32(words[i]);
            for half in 0..2 {
                // At most 2 * 255 * 63, which 16 bits hold.
                let pairs = _mm256_maddubs_epi16(word, weights[half]);
                acc[i][half] = _mm256_add_epi32(acc[i][half], _mm256_madd_epi16(pairs, ones));
            }
        }
        return;
    }
    let [low, high] = weights;
    let even = [
        _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(low)),
        _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(high)),
    ];
    let odd = [_mm256_srai_epi16::<8>(low), _mm256_srai_epi16::<8>(high)];
    for i in 0..PIXELS {
        let word = _mm256_set1_epi32(words[i]);
        let evens = _mm256_and_si256(word, _mm256_set1_epi16(0xFF));
        let odds = _mm256_srli_epi16::<8>(word);
        for half in 0..2 {
            acc[i][half] = _mm256_add_epi32(acc[i][half], _mm256_madd_epi16(evens, even[half]));
            acc[i][half] = _mm256_add_epi32(acc[i][half], _mm256_madd_epi16(odds, odd[half]));
        }
    }
}
