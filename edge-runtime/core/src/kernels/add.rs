//! Residual addition of two values that share scale and zero point with their sum (rule 6 of the
//! exact form): `y = clamp(a + b - zero, 0, 255)`, which equals DequantizeLinear, Add,
//! QuantizeLinear.

use super::call::AddCall;
use super::dispatch::Kernels;
use super::params::ShapeMismatch;

/// Adds `x` to `y` in place.
pub fn add(kernels: &Kernels, x: &[u8], y: &mut [u8], zero: u8) -> Result<(), ShapeMismatch> {
    if x.len() != y.len() {
        return Err(ShapeMismatch { what: "both inputs of an addition" });
    }
    (kernels.add)(AddCall { x, y, zero });
    Ok(())
}
