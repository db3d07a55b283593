//! Right and wrong answers at the decision point.

use super::table::ScoreTable;
use serde::{Deserialize, Serialize};

/// The score from which on a picture is called positive where there are only two answers.
pub const DECISION_POINT: f64 = 0.5;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    pub true_positive: u64,
    /// Healthy, called positive: a false alarm.
    pub false_positive: u64,
    pub true_negative: u64,
    pub false_negative: u64,
}

impl Confusion {
    /// Weighted counts at the decision point.
    pub(super) fn of(table: &ScoreTable, weights: &[u32]) -> Self {
        let mut c = Self::default();
        for (e, &w) in table.entries.iter().zip(weights) {
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
