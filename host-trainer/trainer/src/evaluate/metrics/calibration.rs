//! Do scores mean what they say? Brier score, reliability bins and the expected calibration error, of
//! scores moved to the share of disease among the pictures ([`super::ScoredPicture::probability`]).
//!
//! Sources: Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
//! Review 78, 1950; Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using
//! Bayesian binning", AAAI 2015.

use super::table::{ScoreTable, ratio};
use serde::{Deserialize, Serialize};

/// Number of equal-width bins: `[0, 1/15), [1/15, 2/15), ... [14/15, 1]`.
pub const BINS: usize = 15;

/// One bin of the reliability diagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    pub from: f64,
    /// Score at which the next bin starts.
    pub to: f64,
    pub count: u64,
    pub mean_score: Option<f64>,
    /// Share of them that are positive.
    pub share_positive: Option<f64>,
}

/// Mean of `(score - label)^2`.
pub(super) fn brier(table: &ScoreTable, weights: &[u32]) -> Option<f64> {
    let (mut sum, mut all) = (0.0, 0.0);
    for (e, &w) in table.entries.iter().zip(weights) {
        let miss = e.probability - f64::from(u8::from(e.label));
        sum += f64::from(w) * miss * miss;
        all += f64::from(w);
    }
    ratio(sum, all)
}

pub(super) fn bins(table: &ScoreTable, weights: &[u32]) -> Vec<ReliabilityBin> {
    let mut sums = [(0u64, 0.0f64, 0u64); BINS];
    for (e, &w) in table.entries.iter().zip(weights) {
        // `as` saturates: a score outside 0..=1 lands in an end bin.
        let at = ((e.probability * BINS as f64) as usize).min(BINS - 1);
        if let Some((count, score, positive)) = sums.get_mut(at) {
            *count += u64::from(w);
            *score += f64::from(w) * e.probability;
            *positive += if e.label { u64::from(w) } else { 0 };
        }
    }
    let edge = |i: usize| i as f64 / BINS as f64;
    sums.iter()
        .enumerate()
        .map(|(i, &(count, score, positive))| ReliabilityBin {
            from: edge(i),
            to: edge(i + 1),
            count,
            mean_score: ratio(score, count as f64),
            share_positive: ratio(positive as f64, count as f64),
        })
        .collect()
}

/// Expected calibration error, `sum_b n_b / N * |share_positive_b - mean_score_b|`, over the bins
/// of the *positive* score. (Guo et al. 2017 bin the winning class's confidence instead; for two
/// classes that folds the halves together.)
pub(super) fn ece(bins: &[ReliabilityBin]) -> Option<f64> {
    let all: u64 = bins.iter().map(|b| b.count).sum();
    let gap = |b: &ReliabilityBin| Some(b.count as f64 * (b.share_positive? - b.mean_score?).abs());
    ratio(bins.iter().filter_map(gap).sum(), all as f64)
}
