//! What turns accumulators into outputs, and the error of numbers that do not fit an operator.

use super::layout;
use core::fmt;

/// What turns an accumulator of each output channel into an output. Slices are as long as the
/// channels rounded up to [`layout::BLOCK`]; what lies beyond the channels is 0 and never stored.
#[derive(Clone, Copy, Debug)]
pub struct RequantParams<'a> {
    bias: &'a [i32],
    signed_bias: &'a [i32],
    multiplier: &'a [f32],
    zero: u8,
}

impl<'a> RequantParams<'a> {
    /// `bias` is that of the ONNX file minus the input's zero point times the sum of the weights,
    /// `signed_bias` is `bias` plus 128 times the sum of the weights, `multiplier` is `(x_scale
    /// * w_scale) / y_scale` in f32, `zero` the output's zero point.
    ///
    /// # Errors
    /// [`ShapeMismatch`] where a slice is not of the length for `count` channels.
    pub fn new(
        count: usize,
        bias: &'a [i32],
        signed_bias: &'a [i32],
        multiplier: &'a [f32],
        zero: u8,
    ) -> Result<Self, ShapeMismatch> {
        let expected = layout::padded(count);
        if bias.len() == expected && signed_bias.len() == expected && multiplier.len() == expected {
            Ok(Self { bias, signed_bias, multiplier, zero })
        } else {
            Err(ShapeMismatch { what: "numbers of the channels" })
        }
    }

    /// Accumulators start here where activations are read as unsigned.
    pub fn bias(&self) -> &'a [i32] {
        self.bias
    }

    /// Accumulators start here where activations are read as `q ^ 0x80`, signed.
    pub fn signed_bias(&self) -> &'a [i32] {
        self.signed_bias
    }

    /// Accumulator to steps of the output.
    pub fn multiplier(&self) -> &'a [f32] {
        self.multiplier
    }

    /// The output's zero point.
    pub fn zero(&self) -> u8 {
        self.zero
    }

    /// Whether no output can be more than 16 bits' worth of steps away from the zero point, for sums
    /// over `depth` inputs read as signed.
    #[cfg(target_arch = "aarch64")]
    pub(super) fn short(&self, depth: usize) -> bool {
        // There is a channel, so both have a largest; 0 would stand for none.
        let bias = self.signed_bias.iter().map(|b| b.unsigned_abs()).max().unwrap_or(0);
        // Numbers of one sign are in the order of their bits; any negative one comes out as the largest.
        let multiplier = f32::from_bits(self.multiplier.iter().map(|m| m.to_bits()).max().unwrap_or(0));
        let bound = (depth as f32 * (128.0 * 128.0) + bias as f32) * multiplier;
        // Below 2^15 by more than the roundings of the bound itself.
        multiplier.is_sign_positive() && bound < 32000.0
    }

    /// The same numbers for some of the channels, which begin at a multiple of [`layout::BLOCK`].
    pub(super) fn part(&self, first: usize, count: usize) -> Result<Self, ShapeMismatch> {
        let range = first..first.saturating_add(layout::padded(count));
        let wrong = ShapeMismatch { what: "channels of a group" };
        Ok(Self {
            bias: self.bias.get(range.clone()).ok_or(wrong)?,
            signed_bias: self.signed_bias.get(range.clone()).ok_or(wrong)?,
            multiplier: self.multiplier.get(range).ok_or(wrong)?,
            zero: self.zero,
        })
    }
}

/// Slices that do not fit an operator's shape: a mistake of the caller, or a damaged model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ShapeMismatch {
    /// What does not fit.
    pub what: &'static str,
}

impl fmt::Display for ShapeMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} as long as the operator's shape says; pack the model again", self.what)
    }
}

impl core::error::Error for ShapeMismatch {}
