//! Refuses pictures that the network must not judge: wrong shape, under- or overexposed, without contrast.
//!
//! The limits travel with the model; the trainer sets them from its training pictures. A refusal carries the measured
//! number and the limit, so that a log can be read without the source code.

use crate::frame::Geometry;
use crate::preprocess::Stats;
use crate::reason::Reason;

/// What a picture must keep to. Luminance is in 16-bit steps (0..=65535).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Least mean luminance.
    pub min_mean: u16,
    /// Greatest mean luminance.
    pub max_mean: u16,
    /// Least standard deviation of luminance.
    pub min_deviation: u16,
    /// Greatest ratio of longer to shorter side, in thousandths.
    pub max_elongation_permille: u32,
}

/// Judges a picture before inference.
///
/// # Errors
/// The first limit that it breaks.
pub fn gate(geometry: Geometry, stats: &Stats, limits: &Limits) -> Result<(), Reason> {
    let elongation = geometry.elongation_permille();
    if elongation > limits.max_elongation_permille {
        return Err(Reason::Elongated(elongation, limits.max_elongation_permille));
    }
    if stats.deviation < limits.min_deviation {
        return Err(Reason::LowContrast(stats.deviation, limits.min_deviation));
    }
    if stats.mean < limits.min_mean {
        return Err(Reason::Dark(stats.mean, limits.min_mean));
    }
    if stats.mean > limits.max_mean {
        return Err(Reason::Bright(stats.mean, limits.max_mean));
    }
    Ok(())
}
