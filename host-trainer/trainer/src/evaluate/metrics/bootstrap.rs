//! How sure is a number? Percentile bootstrap over patients.
//!
//! Pictures of one patient resemble each other, so patients are drawn, with replacement, and bring
//! all their pictures (the cluster bootstrap: Field and Welsh, "Bootstrapping clustered data", J.
//! R. Statist. Soc. B 69, 2007; for ROC areas Rutter, "Bootstrap estimation of diagnostic accuracy
//! with patient-clustered data", Academic Radiology 7, 2000). The 95 % interval is the percentile
//! interval (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13). It covers
//! chance in the choice of patients, not another hospital or another device. Where all resamples agree
//! they show no chance at all: a share of none or all has Wilson's interval over patients then.

use super::estimate::Estimate;
use super::rank::{self, ROC_GRID};
use super::statistics::Statistics;
use super::table::{ScoreTable, ratio};
use crate::random::{Purpose, SeededRng};
use rayon::prelude::*;
use std::collections::HashMap;

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

    /// The mean of a figure that each picture has, with its interval. Each comes with its patient;
    /// of no pictures the mean is undefined.
    pub fn mean(&self, figures: &[(&str, f64)]) -> Estimate {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut patients: Vec<(f64, f64)> = Vec::new();
        for &(patient, figure) in figures {
            let number = *numbers.entry(patient).or_insert(patients.len());
            if number == patients.len() {
                patients.push((0.0, 0.0));
            }
            if let Some((sum, count)) = patients.get_mut(number) {
                *sum += figure;
                *count += 1.0;
            }
        }
        let mean = |drawn: &[u32]| {
            let (sum, count) =
                patients.iter().zip(drawn).fold((0.0, 0.0), |(a, b), ((sum, count), &times)| {
                    (a + f64::from(times) * sum, b + f64::from(times) * count)
                });
            ratio(sum, count)
        };
        let resamples = if patients.len() < 2 { 0 } else { self.resamples };
        let resampled: Vec<Option<f64>> =
            (0..resamples).into_par_iter().map(|number| mean(&self.draw(number, patients.len()))).collect();
        Estimate::resampled(mean(&vec![1; patients.len()]), resampled.into_iter(), None)
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
