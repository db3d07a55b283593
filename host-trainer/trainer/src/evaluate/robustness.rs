//! The same pictures as another room might have taken them: does the answer hold?

use super::metrics::{Bootstrap, Estimate, measure, three_decimals};
use super::perturbation::{PERTURBATIONS, Perturbation};
use super::prediction::{LabelledPicture, Outcome, Prediction, scored};
use super::sample::Sample;
use super::scoring::EnginePool;
use crate::progress;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Robustness {
    /// Pictures in the sample, drawn from each class by its share.
    pub pictures: usize,
    /// Pictures that the sample was drawn from: those with a score.
    pub drawn_from: usize,
    pub seed: u64,
    /// First the unchanged sample, then one line a change.
    pub lines: Vec<PerturbationResult>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerturbationResult {
    pub change: String,
    pub scored: usize,
    pub auc: Estimate,
    /// At the decision point, over the scored.
    pub sensitivity: Estimate,
    /// At the decision point, over the scored.
    pub specificity: Estimate,
    /// Mean |difference of logits| from the unchanged picture.
    pub logit_difference: Option<f64>,
    /// Share of the sample whose state differs from that of the unchanged picture.
    pub changed_states: Option<f64>,
}

/// Measures all [`PERTURBATIONS`] on the pictures of the sample.
pub(super) fn measure_robustness(
    engines: &EnginePool,
    items: &[LabelledPicture],
    predictions: &[Prediction],
    sample: &Sample,
    bootstrap: &Bootstrap,
) -> Robustness {
    let pairs: Vec<(&LabelledPicture, &Prediction)> =
        sample.positions.iter().filter_map(|&i| items.get(i).zip(predictions.get(i))).collect();
    // One pass over the pictures: opening a file costs as much as scoring it.
    let changed: Vec<Vec<Prediction>> = progress::map("changing pictures", &pairs, |(item, _)| {
        let picture = item.source.open().ok();
        let one = |change: Perturbation| match picture.as_ref().and_then(|p| change.apply(p)) {
            Some(picture) => Prediction::new(item, engines.classify(&picture)),
            None => Prediction::new(item, Outcome::none(None, "the change leaves no picture")),
        };
        PERTURBATIONS.into_iter().map(one).collect()
    });
    let before: Vec<&Prediction> = pairs.iter().map(|(_, p)| *p).collect();
    let mut lines = vec![compare("unchanged".to_owned(), &before, before.iter().copied(), bootstrap)];
    for (i, change) in PERTURBATIONS.into_iter().enumerate() {
        let after = changed.iter().filter_map(|of_one| of_one.get(i));
        lines.push(compare(change.to_string(), &before, after, bootstrap));
    }
    Robustness { pictures: pairs.len(), drawn_from: sample.drawn_from, seed: bootstrap.seed, lines }
}

/// Compares `after` with `before`, picture by picture.
fn compare<'a>(
    change: String,
    before: &[&Prediction],
    after: impl Iterator<Item = &'a Prediction>,
    bootstrap: &Bootstrap,
) -> PerturbationResult {
    let after: Vec<&Prediction> = after.collect();
    let scored = scored(after.iter().copied());
    let m = measure(&scored, bootstrap);
    let pairs = || before.iter().zip(&after);
    let differences: Vec<f64> =
        pairs().filter_map(|(a, b)| Some((f64::from(a.logit?) - f64::from(b.logit?)).abs())).collect();
    let changed = pairs().filter(|(a, b)| a.state != b.state).count();
    let mean = |sum: f64, n: usize| (n > 0).then(|| sum / n as f64);
    PerturbationResult {
        change,
        scored: scored.len(),
        auc: m.statistics.auc,
        sensitivity: m.statistics.sensitivity,
        specificity: m.statistics.specificity,
        logit_difference: mean(differences.iter().sum(), differences.len()),
        changed_states: mean(changed as f64, before.len()),
    }
}

impl fmt::Display for Robustness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "under changes ({} of {} scored pictures, seed {})",
            self.pictures, self.drawn_from, self.seed
        )?;
        writeln!(
            f,
            "  {:<28}{:<26}{:>12}{:>12}{:>14}{:>16}",
            "", "AUC", "sensitivity", "specificity", "|logit diff|", "states changed"
        )?;
        for l in &self.lines {
            writeln!(
                f,
                "  {:<28}{:<26}{:>12}{:>12}{:>14}{:>16}",
                l.change,
                l.auc,
                three_decimals(l.sensitivity.value),
                three_decimals(l.specificity.value),
                three_decimals(l.logit_difference),
                l.changed_states.map_or_else(|| "-".to_owned(), |s| format!("{:.1} %", s * 100.0)),
            )?;
        }
        Ok(())
    }
}
