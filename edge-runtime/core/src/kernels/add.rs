//! Residual addition of two values that share scale and zero point with their sum (rule 6 of the
//! exact form): `y = clamp(a + b - zero, 0, 255)`, which equals DequantizeLinear, Add,
//! QuantizeLinear.

use super::{Kernels, ShapeMismatch};

/// Adds `x` to `y` in place.
pub fn add(kernels: &Kernels, x: &[u8], y: &mut [u8], zero: u8) -> Result<(), ShapeMismatch> {
    if x.len() != y.len() {
        return Err(ShapeMismatch { what: "both inputs of an addition" });
    }
    (kernels.add)(Call { x, y, zero });
    Ok(())
}

/// A checked call: both slices have one length.
pub struct Call<'a> {
    x: &'a [u8],
    y: &'a mut [u8],
    zero: u8,
}

impl Call<'_> {
    /// The common zero point.
    pub fn zero(&self) -> u8 {
        self.zero
    }

    /// What is added, and what it is added to; of one length.
    pub fn slices(&mut self) -> (&[u8], &mut [u8]) {
        (self.x, self.y)
    }
}
