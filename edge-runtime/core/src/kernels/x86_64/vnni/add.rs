//! Residual addition, 64 channels at a time, in 16 bits.

use super::stores;
use crate::kernels::call::AddCall;
use core::arch::x86_64::*;

pub(in crate::kernels::x86_64) fn add(call: AddCall) {
    // SAFETY: the set is handed out only where the processor has these features.
    unsafe { run(call) }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn run(mut call: AddCall) {
    let zero = _mm512_set1_epi16(call.zero().into());
    let (x, y) = call.slices();
    for (x, y) in x.chunks(64).zip(y.chunks_mut(64)) {
        let mask = stores::mask(y.len());
        // SAFETY: both chunks are of `y.len()` bytes, and nothing else is read or written.
        unsafe {
            let a = _mm512_maskz_loadu_epi8(mask, x.as_ptr().cast());
            let b = _mm512_maskz_loadu_epi8(mask, y.as_ptr().cast());
            // Unpacking and packing both go by lanes of 128 bits, so the order comes out right.
            let none = _mm512_setzero_si512();
            let low = _mm512_add_epi16(_mm512_unpacklo_epi8(a, none), _mm512_unpacklo_epi8(b, none));
            let high = _mm512_add_epi16(_mm512_unpackhi_epi8(a, none), _mm512_unpackhi_epi8(b, none));
            let sum = _mm512_packus_epi16(_mm512_sub_epi16(low, zero), _mm512_sub_epi16(high, zero));
            _mm512_mask_storeu_epi8(y.as_mut_ptr().cast(), mask, sum);
        }
    }
}
