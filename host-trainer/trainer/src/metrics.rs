//! How good are the scores? Every number that an evaluation states, with its formula and its source.
//!
//! A [`Row`] is one scored picture. [`measure`] turns rows into [`Measured`]: estimates with 95 % intervals, the
//! classification report, curves and reliability bins. Every statistic is computed from *weighted* rows; the
//! estimate has weight 1 everywhere, a bootstrap resample has the number of times that the row's patient was drawn.
//! So estimate and interval come from one implementation.
//!
//! "Positive" is the disease (label true). At the decision point a picture is called positive where
//! `score >= 0.5`. A quotient without a denominator (no positives, nothing called positive) is *undefined*: `None` here,
//! `null` in JSON, a dash in tables; never 0 or 1.

mod bootstrap;
mod calibration;
mod counts;
mod rank;
mod table;

pub use bootstrap::{Bootstrap, Estimate};
pub use calibration::{BINS, Bin};
pub use counts::{Average, Class, Confusion, Report};
pub use rank::{PrPoint, RocBand, RocPoint, auc};
pub use table::Table;

use edge_core::State;
use serde::{Deserialize, Serialize};

/// The score from which on a picture is called positive where there are only two answers.
pub const DECISION_POINT: f64 = 0.5;

/// One picture that has a finite score.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Who is on the picture; pictures of one patient are resampled together.
    pub patient: String,
    /// Whether the picture shows the disease.
    pub label: bool,
    /// A kind of disease (`bacteria`, `virus`) or any other group; may be empty.
    pub subgroup: String,
    /// Calibrated score, 0..=1.
    pub score: f64,
    /// The network's output; ranking uses it because scores near 0 and 1 run together in f32.
    pub logit: f64,
    pub state: State,
}

macro_rules! statistics {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// The headline numbers, each a `T`: a value, an [`Estimate`] or a list.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct Statistics<T> {
            $($(#[doc = $doc])* pub $name: T,)*
        }

        impl Statistics<Option<f64>> {
            /// Percentile intervals of `self` over the resamples.
            fn with_intervals(&self, resamples: &[Self]) -> Statistics<Estimate> {
                Statistics { $($name: Estimate::percentile(self.$name, resamples.iter().map(|r| r.$name)),)* }
            }
        }
    };
}

statistics! {
    /// Area under the ROC curve: the chance that a positive scores higher than a negative, ties one half
    /// (Hanley and McNeil 1982).
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
    /// Expected calibration error over 15 equal-width bins of the positive score (Naeini et al. 2015); 0 is best.
    ece,
    /// Share of positives that the device does not call NEGATIVE: POSITIVE or REFER, so that a person looks.
    sensitivity_not_negative,
    /// Share of negatives that the device does not call POSITIVE: NEGATIVE or REFER.
    specificity_not_positive,
    /// Share of pictures that the device sends to a person.
    refer_share,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
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
    pub report: Report,
    /// ROC curve from (0, 0) to (1, 1), one point a distinct score.
    pub roc: Vec<RocPoint>,
    /// Pointwise 95 % interval of the ROC curve on a fixed grid.
    pub roc_band: Vec<RocBand>,
    pub precision_recall: Vec<PrPoint>,
    pub reliability: Vec<Bin>,
}

/// Measures `rows`. The answer does not depend on the number of threads.
pub fn measure(rows: &[Row], bootstrap: &Bootstrap) -> Measured {
    let table = Table::new(rows);
    let ones = vec![1; rows.len()];
    let estimate = table.statistics(&ones);
    let (resamples, bands) = bootstrap.resample(&table);
    let statistics = estimate.with_intervals(&resamples);
    let confusion = table.confusion(&ones);
    Measured {
        pictures: rows.len(),
        patients: table.patients,
        positives: rows.iter().filter(|r| r.label).count(),
        negatives: rows.iter().filter(|r| !r.label).count(),
        resamples: bootstrap.resamples,
        seed: bootstrap.seed,
        report: Report::new(&statistics, &confusion),
        statistics,
        confusion,
        roc: rank::roc(&table),
        roc_band: rank::bands(&bands),
        precision_recall: rank::precision_recall(&table),
        reliability: calibration::bins(&table, &ones),
    }
}

/// `a / b`, undefined where `b` is 0.
fn ratio(a: f64, b: f64) -> Option<f64> {
    (b > 0.0).then(|| a / b)
}
