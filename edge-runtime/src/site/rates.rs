//! How good a threshold is: rates with 95 % intervals.
//!
//! Sensitivity and specificity: the score interval of Wilson ("Probable inference", J. Am. Stat.
//! Assoc. 22, 1927), which holds for few cases and for none or all of them. Predictive values:
//! Bayes' rule at a given prevalence. Both rise with sensitivity and with specificity, so the
//! interval goes from where both are at their lower to where both are at their upper bounds, each
//! taken at 97.5 %: together they hold in 95 % or more (Bonferroni). It is a little wider than the
//! logit interval of Mercaldo, Lau and Zhou (Stat. Med. 26, 2007), and unlike that one defined when
//! nothing was missed. Pictures count as independent: of each patient there should be one.

use edge_model::intervals::{Z_95, wilson};
use serde::{Deserialize, Serialize};

/// Normal quantile of a two-sided 97.5 % interval.
const Z_97_5: f64 = 2.241_402_727_604_947;

/// A share with its 95 % interval, all in 0..=1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub estimate: f64,
    pub low: f64,
    pub high: f64,
}

/// A share with its interval; none where `total` is 0.
pub(super) fn rate(count: usize, total: usize) -> Option<Rate> {
    let (low, high) = wilson(count, total, Z_95)?;
    Some(Rate { estimate: count as f64 / total as f64, low, high })
}

/// How good it is to call scores beyond a threshold positive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operating {
    pub threshold: f32,
    pub true_positives: usize,
    pub false_negatives: usize,
    pub false_positives: usize,
    pub true_negatives: usize,
    pub sensitivity: Rate,
    pub specificity: Rate,
    /// Share of the diseased among those called positive; none where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ppv: Option<Rate>,
    /// Share of the healthy among those that are not; none where all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub npv: Option<Rate>,
}

impl Operating {
    /// Counts `cases`, score and label; none where there are not both kinds. `prevalence` lies
    /// between 0 and 1.
    pub fn new(
        threshold: f32,
        cases: &[(f32, bool)],
        prevalence: f64,
        called_positive: impl Fn(f32) -> bool,
    ) -> Option<Self> {
        let count = |label, called| {
            cases.iter().filter(|(s, l)| *l == label && called_positive(*s) == called).count()
        };
        let [tp, fn_, fp, tn] =
            [count(true, true), count(true, false), count(false, true), count(false, false)];
        let bounds = |count, total| wilson(count, total, Z_97_5);
        let (se, sp) = (bounds(tp, tp + fn_)?, bounds(tn, tn + fp)?);
        let (sensitivity, specificity) = (rate(tp, tp + fn_)?, rate(tn, tn + fp)?);
        let value = |of: fn(f64, f64, f64) -> Option<f64>| {
            let at = |se, sp| of(se, sp, prevalence);
            let estimate = at(sensitivity.estimate, specificity.estimate)?;
            Some(Rate {
                estimate,
                low: at(se.0, sp.0).unwrap_or(0.0).min(estimate),
                high: at(se.1, sp.1).unwrap_or(1.0).max(estimate),
            })
        };
        let (ppv, npv) = (value(positive_value), value(negative_value));
        Some(Self {
            threshold,
            true_positives: tp,
            false_negatives: fn_,
            false_positives: fp,
            true_negatives: tn,
            sensitivity,
            specificity,
            ppv,
            npv,
        })
    }
}

/// Share of the diseased among those called positive.
fn positive_value(sensitivity: f64, specificity: f64, prevalence: f64) -> Option<f64> {
    let (right, wrong) = (sensitivity * prevalence, (1.0 - specificity) * (1.0 - prevalence));
    (right + wrong > 0.0).then(|| right / (right + wrong))
}

/// Share of the healthy among those called negative.
fn negative_value(sensitivity: f64, specificity: f64, prevalence: f64) -> Option<f64> {
    let (right, wrong) = (specificity * (1.0 - prevalence), (1.0 - sensitivity) * prevalence);
    (right + wrong > 0.0).then(|| right / (right + wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictive_values_are_right_where_all_or_none_are() {
        assert_eq!([positive_value(0.5, 1.0, 0.1), negative_value(1.0, 0.5, 0.1)], [Some(1.0); 2]);
        assert_eq!([positive_value(0.0, 0.5, 0.1), negative_value(0.5, 0.0, 0.1)], [Some(0.0); 2]);
        assert_eq!([positive_value(0.0, 1.0, 0.1), negative_value(1.0, 0.0, 0.1)], [None; 2]);
    }

    #[test]
    fn predictive_values_by_hand() {
        // 90 of 100 found, 160 of 200 cleared, one in ten ill: PPV .09/(.09+.18), NPV .72/(.72+.01).
        let case = |score, label, n| std::iter::repeat_n((score, label), n);
        let cases: Vec<_> = case(0.9f32, true, 90)
            .chain(case(0.1, true, 10))
            .chain(case(0.9, false, 40))
            .chain(case(0.1, false, 160))
            .collect();
        let found = Operating::new(0.5, &cases, 0.1, |score| score > 0.5).unwrap();
        let (ppv, npv) = (found.ppv.unwrap(), found.npv.unwrap());
        assert!((ppv.estimate - 1.0 / 3.0).abs() < 1e-12 && (npv.estimate - 0.72 / 0.73).abs() < 1e-12);
        const PREVALENCE: f64 = 0.1;
        // Both rates at their 97.5 % bounds, which are computed here from Wilson's formula once more.
        let bounds = |p: f64, n: f64| {
            let z = 2.241_402_727_604_947_f64;
            let (middle, half) =
                (p + z * z / (2.0 * n), z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt());
            [-1.0, 1.0].map(|sign| (middle + sign * half) / (1.0 + z * z / n))
        };
        let n = |a: usize, b: usize| (a + b) as f64;
        let se = bounds(found.sensitivity.estimate, n(found.true_positives, found.false_negatives));
        let sp = bounds(found.specificity.estimate, n(found.true_negatives, found.false_positives));
        for (at, is) in [(0, [ppv.low, npv.low]), (1, [ppv.high, npv.high])] {
            let right = [se[at] * PREVALENCE, sp[at] * (1.0 - PREVALENCE)];
            let wrong = [(1.0 - sp[at]) * (1.0 - PREVALENCE), (1.0 - se[at]) * PREVALENCE];
            for ((is, right), wrong) in is.into_iter().zip(right).zip(wrong) {
                assert!((is - right / (right + wrong)).abs() < 1e-12, "{is}");
            }
        }
        for rate in [ppv, npv, found.sensitivity, found.specificity] {
            assert!(
                0.0 < rate.low && rate.low < rate.estimate && rate.estimate < rate.high && rate.high < 1.0
            );
        }
        // Another prevalence, another value: at one in two, PPV is .45/(.45+.1).
        let even = Operating::new(0.5, &cases, 0.5, |score| score > 0.5).unwrap();
        assert!((even.ppv.unwrap().estimate - 0.45 / 0.55).abs() < 1e-12);
        assert_eq!(even.sensitivity, found.sensitivity);
        // Nothing called positive has no PPV, nothing called negative no NPV.
        assert_eq!(Operating::new(1.0, &cases, 0.1, |_| false).unwrap().ppv, None);
        assert_eq!(Operating::new(0.0, &cases, 0.1, |_| true).unwrap().npv, None);
        assert_eq!(Operating::new(1.0, &cases[..100], 0.1, |_| false), None);
    }
}
