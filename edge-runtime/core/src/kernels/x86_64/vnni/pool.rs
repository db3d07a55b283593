//! Sums over positions, 16 channels at a time.

use super::stores;
use crate::kernels::call::SumsCall;
use crate::kernels::layout::BLOCK;
use core::arch::x86_64::*;

pub(in crate::kernels::x86_64) fn sums(call: SumsCall) {
    // SAFETY: the set is handed out only where the processor has these features.
    unsafe { run(call) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn run(mut call: SumsCall) {
    let (x, sums) = call.slices();
    let count = sums.len();
    for (block, sums) in sums.chunks_mut(BLOCK).enumerate() {
        let mask = stores::mask(sums.len()) as u16;
        let mut sum = _mm512_setzero_si512();
        for position in x.chunks_exact(count) {
            // SAFETY: `sums.len()` channels lie at `block * BLOCK` of every position, and nothing else is
            // read.
            let q = unsafe { _mm_maskz_loadu_epi8(mask, position.as_ptr().add(block * BLOCK).cast()) };
            sum = _mm512_add_epi32(sum, _mm512_cvtepu8_epi32(q));
        }
        // SAFETY: the mask lets only these sums be written.
        unsafe { _mm512_mask_storeu_epi32(sums.as_mut_ptr().cast(), mask, sum) };
    }
}
