//! How common the disease is at this site, applied to the score.
//!
//! A score is a probability where as many have the disease as in the data that it was fitted on. Where
//! it is rarer or commoner, the odds change by the ratio of the odds beforehand (prior shift; Saerens,
//! Latinne and Decaestecker, "Adjusting the Outputs of a Classifier to New a Priori Probabilities",
//! Neural Computation 14, 2002):
//!
//! `logit(score) + log(p / (1 - p)) - log(p0 / (1 - p0))`
//!
//! The thresholds are moved along the same way. They were chosen for a sensitivity and a specificity,
//! which do not depend on how common the disease is; left where they are, a low prevalence would call
//! ill people NEGATIVE whom the model was chosen not to miss. So the score says how likely the disease
//! is *here*, score and thresholds that are shown and logged belong together, and the state of a picture
//! stays that of the model's own promise: it is decided by the model's own score and thresholds, and only
//! what is told moves.

use edge_core::decide::{Calibration, Thresholds};
use serde::{Deserialize, Serialize};

/// Least and greatest share that is taken: beyond them scores and thresholds run together in f32.
pub const RANGE: std::ops::RangeInclusive<f64> = 1e-4..=1.0 - 1e-4;

/// A site's prevalence for one model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriorShift {
    /// Share of patients here that have the disease.
    pub prevalence: f64,
    /// The same in the data that the model's score was fitted on.
    pub fitted_prevalence: f64,
}

/// Why a prevalence cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum PrevalenceError {
    /// Not within [`RANGE`].
    #[error("[site] prevalence: expected a share of 0.0001 to 0.9999, got {0}")]
    Range(f64),
    /// A model of 1.2.0 or older.
    #[error(
        "[site] prevalence: the model does not say how common the disease was where its score was fitted; \
         export it again with host-trainer, or leave the key out"
    )]
    UnknownModel,
}

impl PriorShift {
    /// From the share here and the one that a model was fitted at, where it names that.
    ///
    /// # Errors
    /// A share out of [`RANGE`], or a model that does not name its own.
    pub fn new(prevalence: f64, fitted_prevalence: Option<f64>) -> Result<Self, PrevalenceError> {
        if !RANGE.contains(&prevalence) {
            return Err(PrevalenceError::Range(prevalence));
        }
        let fitted_prevalence = fitted_prevalence.ok_or(PrevalenceError::UnknownModel)?;
        Ok(Self { prevalence, fitted_prevalence })
    }

    /// What is added to the logit of a score.
    pub fn logit_shift(&self) -> f64 {
        log_odds(self.prevalence) - log_odds(self.fitted_prevalence)
    }

    /// The model's calibration for this site.
    pub fn calibration(&self, model: Calibration) -> Calibration {
        Calibration { bias: (f64::from(model.bias) + self.logit_shift()) as f32, ..model }
    }

    /// The model's thresholds on this site's score.
    pub fn thresholds(&self, model: Thresholds) -> Thresholds {
        Thresholds {
            negative_below: moved(model.negative_below, self.logit_shift()),
            positive_above: moved(model.positive_above, self.logit_shift()),
        }
    }

    /// The score here, of the model's own.
    pub fn told_score(&self, own: f32) -> f32 {
        moved(own, self.logit_shift())
    }

    /// The model's own score, of one that this site gave.
    pub fn own_score(&self, score: f32) -> f32 {
        moved(score, -self.logit_shift())
    }
}

fn log_odds(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}

/// A score with its logit moved; 0 and 1 stay what they are.
fn moved(score: f32, by: f64) -> f32 {
    if score <= 0.0 || score >= 1.0 {
        return score;
    }
    (1.0 / (1.0 + (-(log_odds(f64::from(score)) + by)).exp())) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_core::State;
    use edge_core::decide::decide;

    const MODEL: Calibration = Calibration { temperature: 1.5, bias: -0.4 };
    const THRESHOLDS: Thresholds = Thresholds { negative_below: 0.4, positive_above: 0.8 };

    fn shift(prevalence: f64) -> PriorShift {
        PriorShift { prevalence, fitted_prevalence: 0.74 }
    }

    #[test]
    fn the_score_is_what_bayes_rule_makes_of_it() {
        // 74 % to 10 %: odds of 1 at 74 % are a likelihood ratio of .26/.74, which gives odds of
        // .26/.74 * .1/.9 at 10 %.
        let odds = 0.26 / 0.74 * 0.1 / 0.9;
        let logit = MODEL.temperature * -MODEL.bias; // of a score of 0.5
        let found = f64::from(shift(0.1).calibration(MODEL).score(logit));
        assert!((found - odds / (1.0 + odds)).abs() < 1e-6, "{found}");
        // Where the disease is as common as there, nothing moves.
        assert_eq!(shift(0.74).calibration(MODEL), MODEL);
        // Exchanged shares would raise the score.
        assert!(found < 0.5);
    }

    #[test]
    fn score_and_thresholds_move_together_so_that_no_more_are_missed() {
        for prevalence in [0.0001, 0.01, 0.1, 0.5, 0.95, 0.9999] {
            let shift = shift(prevalence);
            let (calibration, thresholds) = (shift.calibration(MODEL), shift.thresholds(THRESHOLDS));
            assert!(thresholds.negative_below < thresholds.positive_above, "{thresholds:?}");
            let mut seen = Vec::new();
            for step in -80..=80 {
                let logit = step as f32 / 10.0 + 0.013;
                let (own, here) =
                    (decide(logit, &MODEL, &THRESHOLDS), decide(logit, &calibration, &thresholds));
                assert_eq!(own.state, here.state, "at a logit of {logit} and {prevalence}");
                let back = shift.own_score(here.score.unwrap());
                assert!((back - own.score.unwrap()).abs() < 1e-3, "{back} of {own:?}");
                seen.push(here.state);
            }
            // The comparison bites: with the thresholds left where they are, states change.
            let left = |step: i32| decide(step as f32 / 10.0 + 0.013, &calibration, &THRESHOLDS).state;
            assert!((-80..=80).map(left).ne(seen.iter().copied()), "{prevalence}");
            assert!(seen.contains(&State::Positive) && seen.contains(&State::Negative));
        }
    }

    #[test]
    fn a_light_that_is_never_lit_stays_so() {
        let never = Thresholds { negative_below: 0.0, positive_above: 1.0 };
        assert_eq!(shift(0.05).thresholds(never), never);
    }
}
