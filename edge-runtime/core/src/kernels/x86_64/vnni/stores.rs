//! Stores of the first bytes of a register, and of quarters and halves of one.

use core::arch::x86_64::*;

/// A mask of the lowest `count` bytes of a register; of all of them where `count` is 64 or more.
#[inline]
pub(super) fn mask(count: usize) -> u64 {
    if count < 64 { (1 << count) - 1 } else { u64::MAX }
}

/// Stores the lowest `count` bytes of one quarter of `from`.
///
/// # Safety
/// `to` is valid for writes of `count` bytes, 16 at most.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(super) unsafe fn quarter(to: *mut u8, from: __m512i, which: usize, count: usize) {
    let part = match which {
        0 => _mm512_castsi512_si128(from),
        1 => _mm512_extracti32x4_epi32::<1>(from),
        2 => _mm512_extracti32x4_epi32::<2>(from),
        _ => _mm512_extracti32x4_epi32::<3>(from),
    };
    // SAFETY: only the bytes of the mask are written.
    unsafe { _mm_mask_storeu_epi8(to.cast(), mask(count) as u16, part) }
}

/// Stores the lowest `count` bytes of one half of `from`.
///
/// # Safety
/// `to` is valid for writes of `count` bytes, 32 at most.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(super) unsafe fn half(to: *mut u8, from: __m512i, which: usize, count: usize) {
    let part = match which {
        0 => _mm512_castsi512_si256(from),
        _ => _mm512_extracti64x4_epi64::<1>(from),
    };
    // SAFETY: only the bytes of the mask are written.
    unsafe { _mm256_mask_storeu_epi8(to.cast(), mask(count) as u32, part) }
}

/// Stores the lowest `count` bytes of `from`.
///
/// # Safety
/// `to` is valid for writes of `count` bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn whole(to: *mut u8, from: __m512i, count: usize) {
    // SAFETY: only the bytes of the mask are written.
    unsafe { _mm512_mask_storeu_epi8(to.cast(), mask(count), from) }
}
