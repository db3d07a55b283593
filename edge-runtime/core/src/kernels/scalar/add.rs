//! Residual addition.

use crate::kernels::add::Call;

pub(super) fn add(mut call: Call) {
    let zero = i16::from(call.zero());
    let (x, y) = call.slices();
    for (y, &x) in y.iter_mut().zip(x) {
        *y = (i16::from(*y) + i16::from(x) - zero).clamp(0, 255) as u8;
    }
}
