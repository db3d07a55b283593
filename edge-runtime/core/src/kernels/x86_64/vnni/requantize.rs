//! Four registers of accumulators to 64 outputs, with the bits of [`crate::kernels::requantize`].
//!
//! Conversion rounds halves to even. It would overflow beyond 2^31, but no accumulator times its
//! multiplier reaches 2^22 (rule 8 of the exact form, which the packed model's view checks), so
//! nothing is bounded before.

use core::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(super) struct Requantize {
    zero: __m512i,
    /// Whether `zero` is another number than 0, which it never is behind a ReLU.
    shifted: bool,
    order: __m512i,
}

impl Requantize {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn new(zero: u8) -> Self {
        Self {
            zero: _mm512_set1_epi16(zero.into()),
            shifted: zero != 0,
            order: _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
        }
    }

    /// 16 accumulators to whole steps.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn steps(&self, acc: __m512i, multiplier: __m512) -> __m512i {
        _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), multiplier))
    }

    /// Four registers of steps to 64 outputs, one register after the other.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn outputs(&self, steps: [__m512i; 4]) -> __m512i {
        _mm512_permutexvar_epi32(self.order, self.lanes(steps))
    }

    /// Four registers of steps to 64 outputs, in lanes of 128 bits as packing leaves them: four
    /// outputs of each register a lane. Every narrowing saturates, so the result is clamped.
    ///
    /// On Zen 4 the addition waits for the multipliers' two pipes, of which there are too few, so it
    /// is left out where it adds nothing.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn lanes(&self, steps: [__m512i; 4]) -> __m512i {
        let mut low = _mm512_packs_epi32(steps[0], steps[1]);
        let mut high = _mm512_packs_epi32(steps[2], steps[3]);
        if self.shifted {
            low = _mm512_adds_epi16(low, self.zero);
            high = _mm512_adds_epi16(high, self.zero);
        }
        _mm512_packus_epi16(low, high)
    }
}
