//! Residual addition: a loop that the compiler makes vectors of.

use crate::kernels::call::AddCall;

pub(in crate::kernels::x86_64) fn add(call: AddCall) {
    // SAFETY: the set is handed out only where the processor has AVX2.
    unsafe { run(call) }
}

#[target_feature(enable = "avx2")]
fn run(mut call: AddCall) {
    let zero = i16::from(call.zero());
    let (x, y) = call.slices();
    for (y, &x) in y.iter_mut().zip(x) {
        *y = (i16::from(*y) + i16::from(x) - zero).clamp(0, 255) as u8;
    }
}
