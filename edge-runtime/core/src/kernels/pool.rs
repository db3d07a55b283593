//! The head: global average pool and one linear layer, in whole numbers until the very end, and the
//! class activation map that comes free with it (Zhou et al. 2016).

use super::call::SumsCall;
use super::dispatch::Kernels;
use super::params::ShapeMismatch;

/// Adds up each channel over all positions: `sums[c] = sum of x[p * channels + c]`, exact below
/// 2^24 positions.
///
/// # Errors
/// [`ShapeMismatch`] where `x` is not whole positions of as many channels as `sums` has.
pub fn sums(kernels: &Kernels, x: &[u8], sums: &mut [u32]) -> Result<(), ShapeMismatch> {
    if sums.is_empty() || !x.len().is_multiple_of(sums.len()) || x.len() / sums.len() >= 1 << 24 {
        return Err(ShapeMismatch { what: "features and their sums" });
    }
    (kernels.sums)(SumsCall { x, sums });
    Ok(())
}

/// The linear layer over pooled features.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassifierHead<'a> {
    /// One whole weight a channel.
    pub weights: &'a [i8],
    /// Positions that were pooled, a power of two.
    pub positions: u32,
    /// Step of a feature, a power of two.
    pub step: f32,
    /// Multiplies the weighted mean.
    pub scale: f32,
    /// Added to the product: the logit of features that are all 0.
    pub bias: f32,
}

impl ClassifierHead<'_> {
    /// The logit. The sum of steps is exact below 2^24, division by a power of two too, so it has
    /// the bits of the float chain DequantizeLinear, GlobalAveragePool, MatMul, Mul, Add in any
    /// order of summation.
    ///
    /// # Errors
    /// [`ShapeMismatch`] where there is not one sum a weight.
    pub fn logit(&self, sums: &[u32]) -> Result<f32, ShapeMismatch> {
        if sums.len() != self.weights.len() {
            return Err(ShapeMismatch { what: "sums and weights of the head" });
        }
        let products = self.weights.iter().zip(sums).map(|(&w, &sum)| i64::from(w) * i64::from(sum));
        let sum = products.sum::<i64>() as f32 * (self.step / self.positions as f32);
        // Two roundings, as in the graph: no fused multiply-add.
        let scaled = sum * self.scale;
        Ok(scaled + self.bias)
    }

    /// The class activation map: each position's share of the logit, without the bias. The mean of
    /// the map plus bias is the logit up to rounding.
    ///
    /// # Errors
    /// [`ShapeMismatch`] where `features` or `map` are not of as many positions as were pooled.
    pub fn map(&self, features: &[u8], map: &mut [f32]) -> Result<(), ShapeMismatch> {
        let channels = self.weights.len();
        if channels == 0 || map.len() != self.positions as usize || features.len() != map.len() * channels {
            return Err(ShapeMismatch { what: "the class activation map" });
        }
        for (share, pixel) in map.iter_mut().zip(features.chunks_exact(channels)) {
            let products = self.weights.iter().zip(pixel).map(|(&w, &q)| i32::from(w) * i32::from(q));
            *share = products.sum::<i32>() as f32 * self.step * self.scale;
        }
        Ok(())
    }
}
