//! From the network's logit to one of the states that a light shows.
//!
//! The calibrated score is Platt scaling written as temperature and bias, `score = 1 / (1 +
//! exp(-(logit / T + b)))` (Platt 1999; Guo et al. 2017). `exp` is the one of `libm`, in software,
//! so the score has the same bits everywhere.

use crate::reason::Reason;
use core::fmt;

/// The answer for one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "UPPERCASE"))]
pub enum State {
    /// Calibrated score above the upper threshold: red, steady.
    Positive,
    /// Calibrated score below the lower threshold: green, steady.
    Negative,
    /// Between: a person must look; amber, steady.
    Refer,
    /// The gate refused the picture: amber, slow blink.
    Invalid,
    /// The device cannot answer: red and amber alternating.
    Fault,
}

impl State {
    /// All states, in the order of this enum.
    pub const ALL: [State; 5] =
        [State::Positive, State::Negative, State::Refer, State::Invalid, State::Fault];

    /// The name in logs and tables.
    pub const fn name(self) -> &'static str {
        match self {
            State::Positive => "POSITIVE",
            State::Negative => "NEGATIVE",
            State::Refer => "REFER",
            State::Invalid => "INVALID",
            State::Fault => "FAULT",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How a logit becomes a probability of the positive label.
///
/// ```
/// use edge_core::decide::Calibration;
///
/// let calibration = Calibration { temperature: 2.0, bias: -0.5 };
/// assert_eq!(calibration.score(1.0), 0.5);
/// assert!(calibration.score(f32::NAN).is_nan());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Calibration {
    /// Divides the logit; finite and above 0.
    pub temperature: f32,
    /// Added after the division; finite.
    pub bias: f32,
}

impl Calibration {
    /// The calibrated score of `logit`, 0..=1; NaN for NaN.
    pub fn score(&self, logit: f32) -> f32 {
        1.0 / (1.0 + libm::expf(-(logit / self.temperature + self.bias)))
    }
}

/// Where the score is clear enough for a light; `0 <= negative_below <= positive_above <= 1`. See
/// [`decide`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Thresholds {
    /// Scores below are NEGATIVE.
    pub negative_below: f32,
    /// Scores above are POSITIVE.
    pub positive_above: f32,
}

/// What is lit and logged for one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Decision {
    /// The state to show.
    pub state: State,
    /// What the state comes from.
    pub reason: Reason,
    /// The network's output; none where the gate refused the picture before inference.
    pub logit: Option<f32>,
    /// The calibrated score, 0..=1; none where there is no finite logit.
    pub score: Option<f32>,
}

impl Decision {
    /// The decision on a picture that the gate refused.
    pub const fn refused(reason: Reason) -> Self {
        Self { state: State::Invalid, reason, logit: None, score: None }
    }

    /// The same picture, which nobody may be answered on: an answer becomes REFER for this reason.
    /// Logit and score stay, and so does a FAULT.
    pub fn referred(self, reason: Reason) -> Self {
        match self.state {
            State::Positive | State::Negative | State::Refer => Self { state: State::Refer, reason, ..self },
            State::Invalid | State::Fault => self,
        }
    }
}

/// Decides on a logit. Total: a logit or a score that is not a number is a FAULT.
///
/// ```
/// use edge_core::decide::{Calibration, Thresholds, decide};
/// use edge_core::{Reason, State};
///
/// let calibration = Calibration { temperature: 1.0, bias: 0.0 };
/// let thresholds = Thresholds { negative_below: 0.2, positive_above: 0.8 };
/// let state = |logit| decide(logit, &calibration, &thresholds).state;
/// assert_eq!([3.0, 0.1, -3.0].map(state), [State::Positive, State::Refer, State::Negative]);
/// assert_eq!(decide(f32::INFINITY, &calibration, &thresholds).reason, Reason::NotFinite);
/// ```
pub fn decide(logit: f32, calibration: &Calibration, thresholds: &Thresholds) -> Decision {
    let score = calibration.score(logit);
    if !logit.is_finite() || score.is_nan() {
        return Decision { state: State::Fault, reason: Reason::NotFinite, logit: Some(logit), score: None };
    }
    let (state, reason) = if score > thresholds.positive_above {
        (State::Positive, Reason::AboveThreshold)
    } else if score < thresholds.negative_below {
        (State::Negative, Reason::BelowThreshold)
    } else {
        (State::Refer, Reason::BetweenThresholds)
    };
    Decision { state, reason, logit: Some(logit), score: Some(score) }
}
