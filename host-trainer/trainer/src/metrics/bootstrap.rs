//! How sure is a number? Percentile bootstrap over patients.
//!
//! Pictures of one patient resemble each other, so patients are drawn, with replacement, and bring all their pictures
//! (the cluster bootstrap: Field and Welsh, "Bootstrapping clustered data", J. R. Statist. Soc. B 69, 2007; for ROC
//! areas Rutter, "Bootstrap estimation of diagnostic accuracy with patient-clustered data", Academic Radiology 7,
//! 2000). The 95 % interval is the percentile interval (Efron and Tibshirani, "An Introduction to the
//! Bootstrap", 1993, chapter 13). It covers chance in the choice of patients, not another hospital or another device.

use super::Statistics;
use super::rank::{self, GRID};
use super::table::Table;
use crate::random::{Dice, Purpose};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// An interval is only stated where at least this share of the resamples defines the number.
const LEAST_DEFINED: f64 = 0.95;

/// A number with its 95 % interval; each is none where undefined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// On the data as they are.
    pub value: Option<f64>,
    /// 2.5 % quantile over the resamples.
    pub low: Option<f64>,
    /// 97.5 % quantile.
    pub high: Option<f64>,
}

impl Estimate {
    /// `value` with the percentile interval of `resamples`.
    pub(super) fn percentile(
        value: Option<f64>,
        resamples: impl ExactSizeIterator<Item = Option<f64>>,
    ) -> Self {
        let all = resamples.len();
        let mut defined: Vec<f64> = resamples.flatten().collect();
        if value.is_none() || (defined.len() as f64) < LEAST_DEFINED * all as f64 {
            return Self { value, low: None, high: None };
        }
        defined.sort_by(f64::total_cmp);
        let [low, high] = Bootstrap::TAILS.map(|q| quantile(&defined, q));
        Self { value, low, high }
    }
}

/// The `q` quantile of sorted values, linear between neighbours (type 7 of Hyndman and Fan 1996).
pub(super) fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let at = q * (sorted.len().checked_sub(1)? as f64);
    let (below, part) = (at.floor() as usize, at.fract());
    let low = *sorted.get(below)?;
    Some(sorted.get(below + 1).map_or(low, |high| low + (high - low) * part))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Number of resamples; 0 gives no intervals.
    pub resamples: u32,
    /// Each resample has random numbers of its own, by seed and number, so threads do not matter.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 2000, seed: 1 }
    }
}

impl Bootstrap {
    /// The tails of a 95 % interval.
    pub(super) const TAILS: [f64; 2] = [0.025, 0.975];

    /// How often each of `patients` is drawn in resample `number`.
    fn draw(&self, number: u32, patients: usize) -> Vec<u32> {
        let mut dice = Dice::new(self.seed, Purpose::Resample, 0, u64::from(number));
        let mut drawn = vec![0; patients];
        for _ in 0..patients {
            if let Some(count) = drawn.get_mut(dice.below(patients)) {
                *count += 1;
            }
        }
        drawn
    }

    /// All resamples' statistics and, of those with both classes, sensitivities over the grid. None with fewer than
    /// two patients: one patient says nothing of the spread between patients.
    pub(super) fn resample(&self, table: &Table) -> (Vec<Statistics<Option<f64>>>, Vec<[f32; GRID]>) {
        if table.patients < 2 {
            return (Vec::new(), Vec::new());
        }
        let one = |number| {
            let weights = table.weights(&self.draw(number, table.patients));
            (table.statistics(&weights), rank::sensitivities(table, &weights))
        };
        let (statistics, bands): (Vec<_>, Vec<_>) = (0..self.resamples).into_par_iter().map(one).unzip();
        (statistics, bands.into_iter().flatten().collect())
    }
}
