//! How sure is a number? Percentile bootstrap over patients.
//!
//! Pictures of one patient resemble each other, so patients are drawn, with replacement, and bring
//! all their pictures (the cluster bootstrap: Field and Welsh, "Bootstrapping clustered data", J.
//! R. Statist. Soc. B 69, 2007; for ROC areas Rutter, "Bootstrap estimation of diagnostic accuracy
//! with patient-clustered data", Academic Radiology 7, 2000). The 95 % interval is the percentile
//! interval (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13). It covers
//! chance in the choice of patients, not another hospital or another device.

use super::rank::{self, ROC_GRID};
use super::statistics::Statistics;
use super::table::ScoreTable;
use crate::random::{Purpose, SeededRng};
use rayon::prelude::*;

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
    /// How often each of `patients` is drawn in resample `number`.
    fn draw(&self, number: u32, patients: usize) -> Vec<u32> {
        let mut rng = SeededRng::new(self.seed, Purpose::Resample, 0, u64::from(number));
        let mut drawn = vec![0; patients];
        for _ in 0..patients {
            if let Some(count) = drawn.get_mut(rng.below(patients)) {
                *count += 1;
            }
        }
        drawn
    }

    /// All resamples' statistics and, of those with both classes, sensitivities over the grid. None
    /// with fewer than two patients: one patient says nothing of the spread between patients.
    pub(super) fn resample(
        &self,
        table: &ScoreTable,
    ) -> (Vec<Statistics<Option<f64>>>, Vec<[f32; ROC_GRID]>) {
        if table.patients < 2 {
            return (Vec::new(), Vec::new());
        }
        let one = |number| {
            let weights = table.weights(&self.draw(number, table.patients));
            (Statistics::of(table, &weights), rank::sensitivities(table, &weights))
        };
        let (statistics, bands): (Vec<_>, Vec<_>) = (0..self.resamples).into_par_iter().map(one).unzip();
        (statistics, bands.into_iter().flatten().collect())
    }
}
