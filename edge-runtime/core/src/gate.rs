//! Refuses pictures that the network must not judge: wrong shape, under- or overexposed, without contrast.
//!
//! The limits travel with the model; the trainer sets them from its training pictures. A refusal carries the measured
//! number and the limit, so that a log can be read without the source code.

use crate::frame::Geometry;
use crate::preprocess::Stats;
use core::fmt;

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

/// Why a decision is what it is: a fixed numeric code for logs, and the numbers behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason {
    /// Code 1: the score is above the upper threshold.
    AboveThreshold,
    /// Code 2: the score is below the lower threshold.
    BelowThreshold,
    /// Code 3: the score lies between the thresholds.
    BetweenThresholds,
    /// Code 10: longer side / shorter side, in thousandths, and its limit.
    Elongated(u32, u32),
    /// Code 11: mean luminance and its lower limit.
    Dark(u16, u16),
    /// Code 12: mean luminance and its upper limit.
    Bright(u16, u16),
    /// Code 13: standard deviation of luminance and its lower limit.
    LowContrast(u16, u16),
    /// Code 20: the network's output is not a finite number.
    NotFinite,
}

impl Reason {
    /// The number of this reason; numbers are never reused.
    pub const fn code(&self) -> u8 {
        match self {
            Reason::AboveThreshold => 1,
            Reason::BelowThreshold => 2,
            Reason::BetweenThresholds => 3,
            Reason::Elongated(..) => 10,
            Reason::Dark(..) => 11,
            Reason::Bright(..) => 12,
            Reason::LowContrast(..) => 13,
            Reason::NotFinite => 20,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::AboveThreshold => write!(f, "score above the upper threshold"),
            Reason::BelowThreshold => write!(f, "score below the lower threshold"),
            Reason::BetweenThresholds => write!(f, "score between the thresholds: a person must look"),
            Reason::Elongated(got, limit) => {
                write!(f, "wrong shape: sides {got}:1000, at most {limit}:1000; crop to the film")
            }
            Reason::Dark(got, limit) => write!(f, "too dark: mean {got} of 65535, at least {limit}"),
            Reason::Bright(got, limit) => write!(f, "too bright: mean {got} of 65535, at most {limit}"),
            Reason::LowContrast(got, limit) => {
                write!(f, "blank or low contrast: deviation {got} of 65535, at least {limit}")
            }
            Reason::NotFinite => {
                write!(f, "the network gave no finite number: the model or the engine is damaged")
            }
        }
    }
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
