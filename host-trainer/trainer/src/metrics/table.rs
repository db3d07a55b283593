//! Rows as columns, sorted once by logit: what makes 2,000 resamples of 1,000 rows take a fraction of a second.

use super::{DECISION_POINT, Row, Statistics, calibration, counts::Confusion, rank, ratio};
use edge_core::State;
use std::collections::HashMap;

/// One row, reduced to what the statistics need.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub logit: f64,
    pub score: f64,
    pub label: bool,
    pub state: State,
    pub patient: u32,
}

/// Rows in order.
#[derive(Clone, Debug)]
pub struct Table {
    /// Logit rising.
    pub(super) entries: Vec<Entry>,
    pub(super) patients: usize,
}

impl Table {
    /// Sorts `rows`. Patients are numbered in the order of their first row.
    pub fn new(rows: &[Row]) -> Self {
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut entries: Vec<Entry> = rows
            .iter()
            .map(|r| {
                let next = numbers.len() as u32;
                let patient = *numbers.entry(&r.patient).or_insert(next);
                Entry { logit: r.logit, score: r.score, label: r.label, state: r.state, patient }
            })
            .collect();
        entries.sort_by(|a, b| a.logit.total_cmp(&b.logit));
        Self { entries, patients: numbers.len() }
    }

    /// Each row's weight where patient `p` was drawn `drawn[p]` times.
    pub(super) fn weights(&self, drawn: &[u32]) -> Vec<u32> {
        self.entries.iter().map(|e| drawn.get(e.patient as usize).copied().unwrap_or(0)).collect()
    }

    /// All headline numbers of the rows with these weights (one a row, in the table's order).
    pub fn statistics(&self, weights: &[u32]) -> Statistics<Option<f64>> {
        let c = self.confusion(weights);
        let (tp, fp, tn, fn_) = (c.true_positive, c.false_positive, c.true_negative, c.false_negative);
        let (tp, fp, tn, fn_) = (tp as f64, fp as f64, tn as f64, fn_ as f64);
        let (sensitivity, specificity) = (ratio(tp, tp + fn_), ratio(tn, tn + fp));
        let share = |hit: fn(&Entry) -> bool, of: fn(&Entry) -> bool| {
            let (mut hits, mut all) = (0.0, 0.0);
            for (e, &w) in self.entries.iter().zip(weights).filter(|(e, _)| of(e)) {
                all += f64::from(w);
                hits += if hit(e) { f64::from(w) } else { 0.0 };
            }
            ratio(hits, all)
        };
        Statistics {
            auc: rank::weighted_auc(self, weights),
            average_precision: rank::average_precision(self, weights),
            accuracy: ratio(tp + tn, tp + tn + fp + fn_),
            balanced_accuracy: sensitivity.zip(specificity).map(|(a, b)| (a + b) / 2.0),
            sensitivity,
            specificity,
            precision: ratio(tp, tp + fp),
            negative_precision: ratio(tn, tn + fn_),
            f1: ratio(2.0 * tp, 2.0 * tp + fp + fn_),
            negative_f1: ratio(2.0 * tn, 2.0 * tn + fn_ + fp),
            brier: calibration::brier(self, weights),
            ece: calibration::ece(&calibration::bins(self, weights)),
            sensitivity_not_negative: share(|e| e.state != State::Negative, |e| e.label),
            specificity_not_positive: share(|e| e.state != State::Positive, |e| !e.label),
            refer_share: share(|e| e.state == State::Refer, |_| true),
        }
    }

    /// Weighted counts at the decision point.
    pub fn confusion(&self, weights: &[u32]) -> Confusion {
        let mut c = Confusion::default();
        for (e, &w) in self.entries.iter().zip(weights) {
            let cell = match (e.label, e.score >= DECISION_POINT) {
                (true, true) => &mut c.true_positive,
                (true, false) => &mut c.false_negative,
                (false, true) => &mut c.false_positive,
                (false, false) => &mut c.true_negative,
            };
            *cell += u64::from(w);
        }
        c
    }
}
