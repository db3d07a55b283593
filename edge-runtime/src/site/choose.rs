//! Which thresholds keep to what a site wants: at most so many ill called NEGATIVE, at most so many
//! healthy called POSITIVE.
//!
//! The same order statistics as the trainer's: of n ill, `negative_below` leaves at most
//! floor(share * n) below it, `positive_above` at most that many healthy above it; where the two
//! cross they change places, which keeps both promises.

use edge_core::decide::Thresholds;
use edge_model::intervals::{Z_95, wilson};
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// Greatest share of the ill that may be called NEGATIVE; above 0, below 0.5.
    pub max_missed: f64,
    /// Greatest share of the healthy that may be called POSITIVE; above 0, below 0.5.
    pub max_false_alarms: f64,
    pub rule: Rule,
}

/// What must keep to a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// The share in the pictures at hand; there must be so many that one without a single error
    /// would show the target with 95 % confidence: (1 - share)^n at most 0.05.
    Estimate,
    /// The upper end of the share's 95 % interval (Wilson).
    Bound,
}

impl Default for Targets {
    fn default() -> Self {
        Self { max_missed: 0.02, max_false_alarms: 0.05, rule: Rule::Estimate }
    }
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [missed, alarms] =
            [self.max_missed, self.max_false_alarms].map(|share| (share * 1e5).round() / 1e3);
        let surely = match self.rule {
            Rule::Estimate => "",
            Rule::Bound => ", both by the upper ends of their intervals",
        };
        write!(
            f,
            "at most {missed} % of the ill NEGATIVE, at most {alarms} % of the healthy POSITIVE{surely}"
        )
    }
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ChooseError {
    #[error("expected targets above 0 and below 0.5, got {0}; with 0 no number of pictures would be enough")]
    Target(f64),
    #[error("expected scores of 0 to 1, got {0}")]
    Score(f32),
    #[error(
        "{got} pictures are {label}, and to keep to {target} at least {needed} are needed; read more, or allow a greater share"
    )]
    TooFew {
        /// `positive` or `negative`.
        label: &'static str,
        got: usize,
        needed: usize,
        target: f64,
    },
}

/// How many pictures of a kind it takes to keep to the share `target`; none where that is not above
/// 0 and below 0.5.
pub fn needed(target: f64, rule: Rule) -> Option<usize> {
    if !(target > 0.0 && target < 0.5) {
        return None;
    }
    let n = match rule {
        Rule::Estimate => 0.05f64.ln() / (1.0 - target).ln(),
        // Wilson's upper end for none of n is z^2 / (n + z^2).
        Rule::Bound => Z_95 * Z_95 * (1.0 - target) / target,
    };
    Some(n.ceil() as usize)
}

/// How many errors `total` pictures may have.
fn allowed(total: usize, target: f64, rule: Rule) -> usize {
    match rule {
        Rule::Estimate => (target * total as f64) as usize,
        Rule::Bound => {
            let keeps = |errors: usize| wilson(errors, total, Z_95).is_some_and(|(_, high)| high <= target);
            // The upper end rises with the number of errors; where all are wrong it is 1.
            let (mut low, mut high) = (0, total);
            while low + 1 < high {
                let middle = (low + high) / 2;
                if keeps(middle) { low = middle } else { high = middle }
            }
            low
        }
    }
}

/// The widest lights that keep to `targets` on `cases`, score and label.
pub fn choose(cases: &[(f32, bool)], targets: &Targets) -> Result<Thresholds, ChooseError> {
    if let Some((score, _)) = cases.iter().find(|(score, _)| !(0.0..=1.0).contains(score)) {
        return Err(ChooseError::Score(*score));
    }
    let of = |label: bool| {
        let mut sorted: Vec<f32> = cases.iter().filter(|(_, l)| *l == label).map(|(s, _)| *s).collect();
        sorted.sort_by(f32::total_cmp);
        sorted
    };
    let errors = |label, scores: &[f32], target| {
        let needed = needed(target, targets.rule).ok_or(ChooseError::Target(target))?;
        let got = scores.len();
        if got < needed {
            return Err(ChooseError::TooFew { label, got, needed, target });
        }
        Ok(allowed(got, target, targets.rule))
    };
    let (positives, negatives) = (of(true), of(false));
    let missed = errors("positive", &positives, targets.max_missed)?;
    let alarms = errors("negative", &negatives, targets.max_false_alarms)?;
    let low = positives.get(missed).copied().unwrap_or(0.0);
    let high = negatives.iter().nth_back(alarms).copied().unwrap_or(1.0);
    Ok(Thresholds { negative_below: low.min(high), positive_above: high.max(low) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needed_is_the_least_number_that_suffices() {
        assert_eq!((needed(0.02, Rule::Estimate), needed(0.05, Rule::Estimate)), (Some(149), Some(59)));
        for target in [0.01, 0.02, 0.05, 0.1, 0.3] {
            let n = needed(target, Rule::Bound).unwrap();
            let high = |n| wilson(0, n, Z_95).unwrap().1;
            assert!(high(n) <= target && high(n - 1) > target, "{target}: {n}");
        }
        for wrong in [0.0, -1.0, 0.5, f64::NAN] {
            assert_eq!(needed(wrong, Rule::Estimate), None);
        }
    }

    #[test]
    fn as_many_as_needed_are_enough() {
        let cases = |n: usize| -> Vec<_> { (0..n).flat_map(|_| [(0.2, false), (0.8, true)]).collect() };
        let targets = Targets { max_missed: 0.1, max_false_alarms: 0.1, rule: Rule::Estimate };
        let chosen = Thresholds { negative_below: 0.2, positive_above: 0.8 };
        assert_eq!(choose(&cases(29), &targets), Ok(chosen));
        let few = ChooseError::TooFew { label: "positive", got: 28, needed: 29, target: 0.1 };
        assert_eq!(choose(&cases(28), &targets), Err(few));
    }

    #[test]
    fn targets_are_told_in_percent() {
        let mut targets = Targets { max_missed: 0.025, ..Targets::default() };
        let told = "at most 2.5 % of the ill NEGATIVE, at most 5 % of the healthy POSITIVE";
        assert_eq!(targets.to_string(), told);
        targets.rule = Rule::Bound;
        assert_eq!(targets.to_string(), format!("{told}, both by the upper ends of their intervals"));
    }

    #[test]
    fn allowed_errors_keep_to_the_bound_and_one_more_would_not() {
        for total in [189, 400, 1000, 5000] {
            let errors = allowed(total, 0.02, Rule::Bound);
            assert!(wilson(errors, total, Z_95).unwrap().1 <= 0.02);
            assert!(wilson(errors + 1, total, Z_95).unwrap().1 > 0.02);
            assert!(errors < allowed(total, 0.02, Rule::Estimate));
        }
    }
}
