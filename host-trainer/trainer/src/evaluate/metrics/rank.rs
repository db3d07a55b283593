//! What the order of the scores says: ROC, precision-recall and the areas under them.
//!
//! Sources: Hanley and McNeil, "The meaning and use of the area under a receiver operating
//! characteristic (ROC) curve", Radiology 143, 1982; Fawcett, "An introduction to ROC analysis",
//! Pattern Recognition Letters 27, 2006 (vertical averaging for the band); Davis and Goadrich, "The
//! relationship between precision-recall and ROC curves", ICML 2006 (why precision-recall is not
//! interpolated linearly; average precision is a sum of steps).

use super::estimate::interval;
use super::table::{Entry, ScoreTable, ratio};
use serde::{Deserialize, Serialize};

/// One point of the ROC curve: pictures with `logit >= threshold` are called positive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RocPoint {
    /// Share of negatives called positive, 1 - specificity.
    pub fpr: f64,
    /// Share of positives called positive, sensitivity.
    pub tpr: f64,
    /// The logit; none at (0, 0), where nothing is called positive.
    pub threshold: Option<f64>,
}

/// The interval of the sensitivity at one false-positive rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RocBand {
    pub fpr: f64,
    /// 2.5 % quantile of the sensitivity there.
    pub low: f64,
    /// 97.5 % quantile.
    pub high: f64,
}

/// One point of the precision-recall curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrPoint {
    pub recall: f64,
    /// Share of those called positive that are.
    pub precision: f64,
}

/// ROC AUC of plain scores: `P(score+ > score-) + P(score+ = score-) / 2`, the Mann-Whitney
/// statistic with midranks. `None` where a class is missing, the lengths differ or a score is NaN.
pub fn auc(scores: &[f64], labels: &[bool]) -> Option<f64> {
    if scores.len() != labels.len() || scores.iter().any(|s| s.is_nan()) {
        return None;
    }
    let mut pairs: Vec<(f64, bool, u32)> = scores.iter().zip(labels).map(|(&s, &l)| (s, l, 1)).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    auc_of_sorted(pairs.into_iter())
}

pub(super) fn weighted_auc(table: &ScoreTable, weights: &[u32]) -> Option<f64> {
    auc_of_sorted(table.entries.iter().zip(weights).map(|(e, &w)| (e.logit, e.label, w)))
}

/// Counts, over rising scores, the pairs that a positive wins (2) and ties (1), in whole numbers:
/// exact.
fn auc_of_sorted(rows: impl Iterator<Item = (f64, bool, u32)>) -> Option<f64> {
    let (mut negatives, mut positives, mut twice_wins) = (0u64, 0u64, 0u128);
    let (mut here_negatives, mut here_positives, mut here) = (0u64, 0u64, f64::NAN);
    let mut close = |p: &mut u64, n: &mut u64| {
        twice_wins += u128::from(*p) * u128::from(2 * negatives + *n);
        positives += *p;
        negatives += *n;
        (*p, *n) = (0, 0);
    };
    for (score, label, weight) in rows {
        if score != here {
            close(&mut here_positives, &mut here_negatives);
            here = score;
        }
        *(if label { &mut here_positives } else { &mut here_negatives }) += u64::from(weight);
    }
    close(&mut here_positives, &mut here_negatives);
    ratio(twice_wins as f64 / 2.0, positives as f64 * negatives as f64)
}

/// Walks from the highest logit down and calls `step(true positives, false positives, threshold)`
/// after each group of equal logits.
fn descend(table: &ScoreTable, weights: &[u32], mut step: impl FnMut(u64, u64, f64)) {
    let rows: Vec<(&Entry, u32)> = table.entries.iter().zip(weights.iter().copied()).rev().collect();
    let (mut tp, mut fp) = (0u64, 0u64);
    for (i, (e, w)) in rows.iter().enumerate() {
        *(if e.label { &mut tp } else { &mut fp }) += u64::from(*w);
        if rows.get(i + 1).is_none_or(|(next, _)| next.logit != e.logit) {
            step(tp, fp, e.logit);
        }
    }
}

/// Weighted numbers of positives and negatives.
fn totals(table: &ScoreTable, weights: &[u32]) -> (f64, f64) {
    table.entries.iter().zip(weights).fold((0.0, 0.0), |(p, n), (e, &w)| {
        if e.label { (p + f64::from(w), n) } else { (p, n + f64::from(w)) }
    })
}

/// Average precision: sum over distinct scores of (R_n - R_(n-1)) P_n, equal scores as one step.
pub(super) fn average_precision(table: &ScoreTable, weights: &[u32]) -> Option<f64> {
    let (positives, _) = totals(table, weights);
    let (mut sum, mut before) = (0.0, 0u64);
    descend(table, weights, |tp, fp, _| {
        if tp > before {
            sum += (tp - before) as f64 * tp as f64 / (tp + fp) as f64;
            before = tp;
        }
    });
    ratio(sum, positives)
}

/// The ROC curve of the unweighted table; empty where a class is missing.
pub(super) fn roc(table: &ScoreTable) -> Vec<RocPoint> {
    let ones = vec![1; table.entries.len()];
    let (positives, negatives) = totals(table, &ones);
    if positives == 0.0 || negatives == 0.0 {
        return Vec::new();
    }
    let mut points = vec![RocPoint { fpr: 0.0, tpr: 0.0, threshold: None }];
    descend(table, &ones, |tp, fp, logit| {
        points.push(RocPoint {
            fpr: fp as f64 / negatives,
            tpr: tp as f64 / positives,
            threshold: Some(logit),
        });
    });
    points
}

/// The precision-recall curve of the unweighted table; empty without positives.
pub(super) fn precision_recall(table: &ScoreTable) -> Vec<PrPoint> {
    let ones = vec![1; table.entries.len()];
    let (positives, _) = totals(table, &ones);
    let mut points = Vec::new();
    if positives > 0.0 {
        descend(table, &ones, |tp, fp, _| {
            points.push(PrPoint { recall: tp as f64 / positives, precision: tp as f64 / (tp + fp) as f64 });
        });
    }
    points
}

/// Number of false-positive rates in the band: 0, 0.01, ... 1.
pub(super) const ROC_GRID: usize = 101;

/// Sensitivity at each false-positive rate of the grid, linear between the curve's points; none
/// where a class is missing.
pub(super) fn sensitivities(table: &ScoreTable, weights: &[u32]) -> Option<[f32; ROC_GRID]> {
    let (positives, negatives) = totals(table, weights);
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    let mut grid = [1.0; ROC_GRID];
    let (mut next, mut last) = (0usize, (0.0f64, 0.0f64));
    descend(table, weights, |tp, fp, _| {
        let (x, y) = (fp as f64 / negatives, tp as f64 / positives);
        // A grid point on a vertical piece takes its upper end: it is filled once the curve has
        // moved on.
        while let Some(cell) = grid.get_mut(next) {
            let at = next as f64 / (ROC_GRID - 1) as f64;
            if at >= x {
                break;
            }
            *cell = (last.1 + (y - last.1) * (at - last.0) / (x - last.0)) as f32;
            next += 1;
        }
        last = (x, y);
    });
    Some(grid)
}

pub(super) fn bands(resamples: &[[f32; ROC_GRID]]) -> Vec<RocBand> {
    if resamples.is_empty() {
        return Vec::new();
    }
    (0..ROC_GRID)
        .map(|i| {
            let column = resamples.iter().filter_map(|r| r.get(i)).map(|&v| f64::from(v)).collect();
            let [low, high] = interval(column).map(|end| end.unwrap_or(f64::NAN));
            RocBand { fpr: i as f64 / (ROC_GRID - 1) as f64, low, high }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_core::State;

    /// Falling: a positive, a negative, one of each at one logit, two negatives.
    fn table() -> ScoreTable {
        let order = [(false, 1), (false, 2), (true, 3), (false, 3), (false, 4), (true, 5)];
        let entry = |(label, logit): (bool, i32)| Entry {
            logit: logit.into(),
            score: 0.5,
            probability: 0.5,
            label,
            state: State::Refer,
            patient: 0,
        };
        ScoreTable { entries: order.map(entry).to_vec(), patients: 1 }
    }

    /// Without weights the curve goes by (0, 1/2), (1/4, 1/2), (1/2, 1) to (1, 1); where the positive
    /// that is not the first counts three times, by (0, 1/4), (1/4, 1/4), (1/2, 1).
    #[test]
    fn the_band_is_made_of_the_curve_between_its_points() {
        for (weights, expected) in [
            ([1; 6], [0.5, 0.5, 0.5, 0.6, 1.0, 1.0]),
            ([1, 1, 3, 1, 1, 1], [0.25, 0.25, 0.25, 0.4, 1.0, 1.0]),
        ] {
            let found = sensitivities(&table(), &weights).unwrap();
            for (at, expected) in [0, 10, 25, 30, 50, 100].into_iter().zip(expected) {
                assert!((found[at] - expected).abs() < 1e-6, "at {at} %: {}, not {expected}", found[at]);
            }
        }
        assert_eq!(sensitivities(&table(), &[1, 1, 0, 1, 1, 0]), None, "no positive");
        assert_eq!(sensitivities(&table(), &[0, 0, 1, 0, 0, 1]), None, "no negative");
    }
}
