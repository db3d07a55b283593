//! Accumulators of 16 outputs to bytes, with the bits of [`crate::kernels::requantize`].
//!
//! Conversion rounds halves to even. It would overflow beyond 2^31, but no accumulator times its
//! multiplier reaches 2^22 (rule 8 of the exact form, which the packed model's view checks), so
//! nothing is bounded before.

use core::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(super) struct Requantize {
    zero: __m256i,
}

impl Requantize {
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn new(zero: u8) -> Self {
        Self { zero: _mm256_set1_epi16(zero.into()) }
    }

    /// 16 accumulators to 16-bit numbers, of which [`narrow`] makes outputs. Packing goes by lanes
    /// of 128 bits: lane `i` of the result is lane `i` of `acc[0]`, then of `acc[1]`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn wide(&self, acc: [__m256i; 2], multiplier: [__m256; 2]) -> __m256i {
        let (low, high) = (self.steps(acc[0], multiplier[0]), self.steps(acc[1], multiplier[1]));
        _mm256_adds_epi16(_mm256_packs_epi32(low, high), self.zero)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn steps(&self, acc: __m256i, multiplier: __m256) -> __m256i {
        _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), multiplier))
    }
}

/// Two of four registers: numbers 0-3 and 8-11 of 16, in the order in which unpacking leaves them.
///
/// # Safety
/// `from` is valid for reads of three registers.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn split(from: *const __m128i) -> __m256i {
    // SAFETY: as the caller says.
    unsafe { _mm256_loadu2_m128i(from.add(2), from) }
}

/// Stores the lowest `count` bytes.
///
/// # Safety
/// `to` is valid for writes of `count` bytes; `count` is 16 at most.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn store(to: *mut u8, from: __m128i, count: usize) {
    // SAFETY: each store is of no more bytes than are left of `count`.
    unsafe {
        if count == 16 {
            _mm_storeu_si128(to.cast(), from);
            return;
        }
        let (mut to, mut rest) = (to, from);
        if count & 8 != 0 {
            _mm_storel_epi64(to.cast(), rest);
            (to, rest) = (to.add(8), _mm_bsrli_si128::<8>(rest));
        }
        let mut rest = _mm_cvtsi128_si64(rest);
        for size in [4, 2, 1] {
            if count & size != 0 {
                core::ptr::copy_nonoverlapping((&raw const rest).cast(), to, size);
                (to, rest) = (to.add(size), rest >> (8 * size));
            }
        }
    }
}
