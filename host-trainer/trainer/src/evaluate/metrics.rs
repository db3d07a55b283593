//! How good are the scores? Every number that an evaluation states, with its formula and its
//! source.
//!
//! [`measure`] turns [`ScoredPicture`]s into [`PerformanceMetrics`]: estimates with 95 % intervals,
//! the classification report, curves and reliability bins. Every statistic is computed from
//! *weighted* pictures; the estimate has weight 1 everywhere, a bootstrap resample has the number
//! of times that the picture's patient was drawn. So estimate and interval come from one
//! implementation.
//!
//! "Positive" is the disease (label true). At the decision point a picture is called positive where
//! `score >= 0.5`. A quotient without a denominator (no positives, nothing called positive) is
//! *undefined*: `None` here, `null` in JSON, a dash in tables; never 0 or 1.

mod bootstrap;
mod calibration;
mod classification_report;
mod confusion;
mod estimate;
mod rank;
mod statistics;
mod table;

pub use bootstrap::Bootstrap;
pub use calibration::{BINS, ReliabilityBin};
pub use classification_report::{ClassAverage, ClassMetrics, ClassificationReport};
pub use confusion::{Confusion, DECISION_POINT};
pub use estimate::Estimate;
pub(super) use estimate::three_decimals;
pub use rank::{PrPoint, RocBand, RocPoint, auc};
pub use statistics::Statistics;
pub use table::{ScoreTable, ScoredPicture, at_own_share};

use serde::{Deserialize, Serialize};

/// What [`measure`] finds, over the scored pictures; part of `metrics.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerformanceMetrics {
    pub pictures: usize,
    pub patients: usize,
    pub positives: usize,
    pub negatives: usize,
    /// Number of bootstrap resamples behind each interval.
    pub resamples: u32,
    pub seed: u64,
    /// Headline numbers with 95 % intervals.
    pub statistics: Statistics<Estimate>,
    pub confusion: Confusion,
    pub report: ClassificationReport,
    /// ROC curve from (0, 0) to (1, 1), one point a distinct score.
    pub roc: Vec<RocPoint>,
    /// Pointwise 95 % interval of the ROC curve on a fixed grid.
    pub roc_band: Vec<RocBand>,
    pub precision_recall: Vec<PrPoint>,
    pub reliability: Vec<ReliabilityBin>,
}

/// Measures `pictures`. The answer does not depend on the number of threads.
pub fn measure(pictures: &[ScoredPicture], bootstrap: &Bootstrap) -> PerformanceMetrics {
    let table = ScoreTable::new(pictures);
    let ones = vec![1; pictures.len()];
    let (resamples, bands) = bootstrap.resample(&table);
    let statistics = Statistics::of(&table, &ones).with_intervals(&resamples, &Statistics::patients(&table));
    let confusion = Confusion::of(&table, &ones);
    let positives = pictures.iter().filter(|p| p.label).count();
    PerformanceMetrics {
        pictures: pictures.len(),
        patients: table.patients,
        positives,
        negatives: pictures.len() - positives,
        resamples: bootstrap.resamples,
        seed: bootstrap.seed,
        report: ClassificationReport::new(&statistics, &confusion),
        statistics,
        confusion,
        roc: rank::roc(&table),
        roc_band: rank::bands(&bands),
        precision_recall: rank::precision_recall(&table),
        reliability: calibration::bins(&table, &ones),
    }
}
