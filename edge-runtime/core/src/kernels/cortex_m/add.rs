//! Residual addition, four elements a word.

use super::instructions::{sub16, usat16, uxtab16, uxtab16_odd, uxtb16, uxtb16_odd};
use crate::kernels::call::AddCall;

pub(super) fn add(mut call: AddCall) {
    let zero = u32::from(call.zero()) * 0x1_0001;
    let (x, y) = call.slices();
    // Sums of two bytes minus a byte lie in -255..=510.
    let sum = |a: u32, b: u32| {
        let even = usat16(sub16(uxtab16(uxtb16(a), b), zero));
        let odd = usat16(sub16(uxtab16_odd(uxtb16_odd(a), b), zero));
        even | odd << 8
    };
    let (words, rest) = y.as_chunks_mut::<4>();
    let (x_words, x_rest) = x.as_chunks::<4>();
    for (y, &x) in words.iter_mut().zip(x_words) {
        *y = sum(u32::from_le_bytes(*y), u32::from_le_bytes(x)).to_le_bytes();
    }
    for (y, &x) in rest.iter_mut().zip(x_rest) {
        *y = sum((*y).into(), x.into()) as u8;
    }
}
