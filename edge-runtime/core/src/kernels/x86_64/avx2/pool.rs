//! Sums over positions: a loop that the compiler makes vectors of.

use crate::kernels::call::SumsCall;

pub(in crate::kernels::x86_64) fn sums(call: SumsCall) {
    // SAFETY: the set is handed out only where the processor has AVX2.
    unsafe { run(call) }
}

#[target_feature(enable = "avx2")]
fn run(mut call: SumsCall) {
    let (x, sums) = call.slices();
    sums.fill(0);
    for position in x.chunks_exact(sums.len()) {
        for (sum, &q) in sums.iter_mut().zip(position) {
            *sum += u32::from(q);
        }
    }
}
