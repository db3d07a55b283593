//! Residual addition.

use crate::kernels::call::AddCall;

pub(super) fn add(mut call: AddCall) {
    let zero = i16::from(call.zero());
    let (x, y) = call.slices();
    for (y, &x) in y.iter_mut().zip(x) {
        *y = (i16::from(*y) + i16::from(x) - zero).clamp(0, 255) as u8;
    }
}
