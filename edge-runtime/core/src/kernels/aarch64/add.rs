//! Residual addition: the sum less the zero point in 16 bits, where it fits exactly, and a
//! saturating narrowing step.

use crate::kernels::call::AddCall;
use core::arch::aarch64::*;

pub(super) fn add(call: AddCall) {
    // SAFETY: NEON is part of every processor that the set is handed out on.
    unsafe { run(call) }
}

#[target_feature(enable = "neon")]
fn run(mut call: AddCall) {
    let zero = call.zero();
    let zeros = vdupq_n_u16(u16::from(zero));
    let (x, y) = call.slices();
    let (x, x_rest) = x.as_chunks::<16>();
    let (y, y_rest) = y.as_chunks_mut::<16>();
    for (x, y) in x.iter().zip(y) {
        // SAFETY: both are 16 bytes.
        unsafe {
            let (a, b) = (vld1q_u8(x.as_ptr()), vld1q_u8(y.as_ptr()));
            // 0..=510 less 0..=255, read as signed.
            let low = vaddl_u8(vget_low_u8(a), vget_low_u8(b));
            let low = vreinterpretq_s16_u16(vsubq_u16(low, zeros));
            let high = vreinterpretq_s16_u16(vsubq_u16(vaddl_high_u8(a, b), zeros));
            vst1q_u8(y.as_mut_ptr(), vqmovun_high_s16(vqmovun_s16(low), high));
        }
    }
    for (&x, y) in x_rest.iter().zip(y_rest) {
        *y = (i16::from(*y) + i16::from(x) - i16::from(zero)).clamp(0, 255) as u8;
    }
}
