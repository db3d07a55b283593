//! The headline numbers, each with its formula and its source.

use super::confusion::{Confusion, DECISION_POINT};
use super::estimate::Estimate;
use super::table::{Entry, ScoreTable, ratio};
use super::{calibration, rank};
use edge_core::State;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

macro_rules! statistics {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// The headline numbers, each a `T`: a value, an [`Estimate`] or a list.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct Statistics<T> {
            $($(#[doc = $doc])* pub $name: T,)*
        }

        impl Statistics<Option<f64>> {
            /// Intervals of `self` over the resamples; `patients` is of how many each share is.
            pub(super) fn with_intervals(
                &self,
                resamples: &[Self],
                patients: &Statistics<Option<usize>>,
            ) -> Statistics<Estimate> {
                Statistics {
                    $($name: {
                        let resamples = resamples.iter().map(|resample| resample.$name);
                        Estimate::resampled(self.$name, resamples, patients.$name)
                    },)*
                }
            }
        }
    };
}

statistics! {
    /// Area under the ROC curve: the chance that a positive scores higher than a negative, ties one
    /// half (Hanley and McNeil 1982).
    auc,
    /// Area under the precision-recall curve, sum of (R_n - R_(n-1)) P_n over the distinct scores.
    average_precision,
    /// (TP + TN) / N at the decision point.
    accuracy,
    /// Mean of sensitivity and specificity (Brodersen et al. 2010).
    balanced_accuracy,
    /// Recall of the positive class, TP / (TP + FN).
    sensitivity,
    /// Recall of the negative class, TN / (TN + FP).
    specificity,
    /// Positive predictive value, TP / (TP + FP); depends on the share of positives in the data.
    precision,
    /// Negative predictive value, TN / (TN + FN); depends on the share of positives in the data.
    negative_precision,
    /// Harmonic mean of precision and recall of the positive class, 2 TP / (2 TP + FP + FN).
    f1,
    /// The same of the negative class, 2 TN / (2 TN + FN + FP).
    negative_f1,
    /// Mean squared difference of score and label (Brier 1950); 0 is best.
    brier,
    /// Expected calibration error over 15 equal-width bins of the positive score (Naeini et al.
    /// 2015); 0 is best.
    ece,
    /// Share of positives that the device does not call NEGATIVE: POSITIVE or REFER, so that a
    /// person looks.
    sensitivity_not_negative,
    /// Share of negatives that the device does not call POSITIVE: NEGATIVE or REFER.
    specificity_not_positive,
    /// Share of pictures that the device sends to a person.
    refer_share,
}

impl Statistics<Option<f64>> {
    /// The headline numbers with these weights, one an entry of the table.
    pub fn of(table: &ScoreTable, weights: &[u32]) -> Self {
        let c = Confusion::of(table, weights);
        let (tp, fp, tn, fn_) = (c.true_positive, c.false_positive, c.true_negative, c.false_negative);
        let (tp, fp, tn, fn_) = (tp as f64, fp as f64, tn as f64, fn_ as f64);
        let (sensitivity, specificity) = (ratio(tp, tp + fn_), ratio(tn, tn + fp));
        let share = |hit: fn(&Entry) -> bool, of: fn(&Entry) -> bool| {
            let (mut hits, mut all) = (0.0, 0.0);
            for (e, &w) in table.entries.iter().zip(weights).filter(|(e, _)| of(e)) {
                all += f64::from(w);
                hits += if hit(e) { f64::from(w) } else { 0.0 };
            }
            ratio(hits, all)
        };
        Self {
            auc: rank::weighted_auc(table, weights),
            average_precision: rank::average_precision(table, weights),
            accuracy: ratio(tp + tn, tp + tn + fp + fn_),
            balanced_accuracy: sensitivity.zip(specificity).map(|(a, b)| (a + b) / 2.0),
            sensitivity,
            specificity,
            precision: ratio(tp, tp + fp),
            negative_precision: ratio(tn, tn + fn_),
            f1: ratio(2.0 * tp, 2.0 * tp + fp + fn_),
            negative_f1: ratio(2.0 * tn, 2.0 * tn + fn_ + fp),
            brier: calibration::brier(table, weights),
            ece: calibration::ece(&calibration::bins(table, weights)),
            sensitivity_not_negative: share(|e| e.state != State::Negative, |e| e.label),
            specificity_not_positive: share(|e| e.state != State::Positive, |e| !e.label),
            refer_share: share(|e| e.state == State::Refer, |_| true),
        }
    }
}

impl Statistics<Option<usize>> {
    /// Of how many patients each share is: of those with a picture in its denominator. None of what is
    /// no share of pictures.
    pub(super) fn patients(table: &ScoreTable) -> Self {
        let of = |is_in: fn(&Entry) -> bool| {
            let those = table.entries.iter().filter(|entry| is_in(entry));
            Some(those.map(|entry| entry.patient).collect::<HashSet<_>>().len())
        };
        let (all, ill, healthy) = (of(|_| true), of(|e| e.label), of(|e| !e.label));
        Self {
            accuracy: all,
            sensitivity: ill,
            specificity: healthy,
            precision: of(|e| e.score >= DECISION_POINT),
            negative_precision: of(|e| e.score < DECISION_POINT),
            sensitivity_not_negative: ill,
            specificity_not_positive: healthy,
            refer_share: all,
            ..Self::default()
        }
    }
}
