//! The classification report: precision, recall and F1 of each class at the decision point.
//!
//! The report has the form that scikit-learn's `classification_report` made familiar: a line a
//! class, then the plain (macro) and the support-weighted mean (Sokolova and Lapalme, "A systematic
//! analysis of performance measures for classification tasks", Information Processing and
//! Management 45, 2009). An undefined entry makes its mean undefined.

use super::confusion::Confusion;
use super::estimate::Estimate;
use super::statistics::Statistics;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassMetrics {
    /// Of those called so, the share that is.
    pub precision: Estimate,
    /// Of those that are, the share called so.
    pub recall: Estimate,
    pub f1: Estimate,
    pub support: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassAverage {
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    pub f1: Option<f64>,
    pub support: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassificationReport {
    pub negative: ClassMetrics,
    pub positive: ClassMetrics,
    pub accuracy: Estimate,
    pub macro_average: ClassAverage,
    pub weighted_average: ClassAverage,
}

impl ClassificationReport {
    /// Arranges statistics that are already computed.
    pub(super) fn new(s: &Statistics<Estimate>, c: &Confusion) -> Self {
        let negative = ClassMetrics {
            precision: s.negative_precision,
            recall: s.specificity,
            f1: s.negative_f1,
            support: c.true_negative + c.false_positive,
        };
        let positive = ClassMetrics {
            precision: s.precision,
            recall: s.sensitivity,
            f1: s.f1,
            support: c.true_positive + c.false_negative,
        };
        let mean = |n: f64, p: f64| {
            let of = |pick: fn(&ClassMetrics) -> Estimate| {
                let (a, b) = (pick(&negative).value?, pick(&positive).value?);
                Some((a * n + b * p) / (n + p))
            };
            ClassAverage {
                precision: of(|c| c.precision),
                recall: of(|c| c.recall),
                f1: of(|c| c.f1),
                support: negative.support + positive.support,
            }
        };
        Self {
            accuracy: s.accuracy,
            macro_average: mean(1.0, 1.0),
            weighted_average: mean(negative.support as f64, positive.support as f64),
            negative,
            positive,
        }
    }
}
