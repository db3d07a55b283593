//! From an accumulator to an 8-bit output.

/// `clamp(round_half_even(f32(acc) * multiplier) + zero, 0, 255)`: ONNX QLinearConv as onnxruntime
/// computes it (`MlasRequantizeOutput`). Total: out-of-range products saturate.
#[inline]
pub fn requantize(acc: i32, multiplier: f32, zero: u8) -> u8 {
    let scaled = acc as f32 * multiplier;
    // Whole numbers beyond 2^23 need no rounding, and far beyond the output's range nothing matters but
    // the sign.
    let steps = libm::rintf(scaled.clamp(-1e6, 1e6)) as i32;
    (steps + i32::from(zero)).clamp(0, 255) as u8
}
