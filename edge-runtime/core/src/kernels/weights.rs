//! Weights, and whether they have 7 or 8 bits: with 7, two products by unsigned bytes fit 16 bits, and
//! four by signed ones.

/// Largest magnitude of a weight of 7 bits. `2 * 255 * 63 = 32,130` and `4 * 128 * 63 = 32,256` are
/// below `2^15`.
pub const NARROW_MAX: i8 = 63;

/// How large weights may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightBits {
    /// None is beyond [`NARROW_MAX`] either way: kernels may add products in 16 bits.
    Seven,
    /// Any but -128.
    Eight,
}

impl WeightBits {
    /// As many as these weights need.
    pub fn of(weights: &[i8]) -> Self {
        let narrow = weights.iter().all(|w| w.unsigned_abs() <= NARROW_MAX.unsigned_abs());
        if narrow { Self::Seven } else { Self::Eight }
    }
}

/// Weights in one of the layouts of [`layout`](super::layout).
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    /// The weights.
    pub values: &'a [i8],
    /// At least what [`WeightBits::of`] finds: kernels saturate, and so give other bytes, where a
    /// weight has more bits than this says.
    pub bits: WeightBits,
}
