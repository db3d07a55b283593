//! What predictions out of fold amount to: ranking in each fold, and, with score and thresholds that
//! were fitted on the other folds alone, whether calibration and thresholds hold for new patients.

use super::OutOfFold;
use crate::augment::condition::Condition;
use crate::dataset::cluster::ClusterFacts;
use crate::evaluate::metrics::{Bootstrap, Estimate, ScoredPicture, Statistics, at_own_share, auc, measure};
use crate::export::calibrate::{self, Case};
use edge_core::decide::decide;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Version of the file's form.
pub const FORMAT: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// [`FORMAT`].
    pub format: u32,
    /// How the folds were drawn, in words.
    pub kind: String,
    pub folds: Vec<FoldFigures>,
    pub conditions: Vec<ConditionFigures>,
}

/// One fold's network on the patients that it had not seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoldFigures {
    /// From 1.
    pub number: usize,
    pub pictures: usize,
    pub positives: usize,
    /// Area under the ROC curve in the order of [`Condition::ALL`]; none where a class is absent.
    pub auc: [Option<f64>; 3],
    /// The cluster that it held out, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterFacts>,
}

/// All folds under one condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionFigures {
    pub condition: String,
    /// Mean of the folds' areas under the ROC curve.
    pub mean_auc: Option<f64>,
    /// The lowest of them.
    pub worst_auc: Option<f64>,
    /// All pictures together, with 95 % intervals over patients. Each picture's score and state come
    /// from a calibration and thresholds fitted on the other folds, plain and shifted, and it is ranked by
    /// that score's log odds: the folds' networks have logits of different scales.
    pub pooled: Statistics<Estimate>,
}

/// The figures of these predictions; `clusters` are those that were held out, in the order of the
/// folds, or none.
pub fn figures(kind: &str, rows: &[OutOfFold], clusters: &[ClusterFacts], bootstrap: &Bootstrap) -> Figures {
    let numbers: BTreeSet<usize> = rows.iter().map(|row| row.fold).collect();
    let folds: Vec<FoldFigures> = numbers.iter().map(|&number| fold(number, rows, clusters)).collect();
    let scored = cross_fitted(rows, &numbers);
    let conditions = Condition::ALL.into_iter().enumerate().map(|(at, condition)| {
        let areas = || folds.iter().filter_map(|fold| fold.auc[at]);
        let count = areas().count();
        ConditionFigures {
            condition: condition.name().to_owned(),
            mean_auc: (count > 0).then(|| areas().sum::<f64>() / count as f64),
            worst_auc: areas().min_by(f64::total_cmp),
            pooled: measure(&scored[at], bootstrap).statistics,
        }
    });
    Figures { format: FORMAT, kind: kind.to_owned(), conditions: conditions.collect(), folds }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{v:.4}"));
        writeln!(f, "{:>4} {:>9} {:>9}  AUC plain  shifted     film", "fold", "pictures", "positive")?;
        for fold in &self.folds {
            let [plain, shifted, film] = fold.auc.map(number);
            let (number, pictures, positives) = (fold.number, fold.pictures, fold.positives);
            writeln!(f, "{number:>4} {pictures:>9} {positives:>9} {plain:>10} {shifted:>8} {film:>8}")?;
        }
        for condition in &self.conditions {
            let ConditionFigures { condition, mean_auc, worst_auc, pooled } = condition;
            let (mean, worst) = (number(*mean_auc), number(*worst_auc));
            writeln!(
                f,
                "{condition}: AUC of folds {mean} in the mean, {worst} at worst; pooled {}",
                pooled.auc
            )?;
            writeln!(
                f,
                "  fitted on the other folds: ECE {}, ill not NEGATIVE {}, healthy not POSITIVE {}, REFER {}",
                pooled.ece,
                pooled.sensitivity_not_negative,
                pooled.specificity_not_positive,
                pooled.refer_share
            )?;
        }
        Ok(())
    }
}

fn fold(number: usize, rows: &[OutOfFold], clusters: &[ClusterFacts]) -> FoldFigures {
    let mine: Vec<&OutOfFold> = rows.iter().filter(|row| row.fold == number).collect();
    let labels: Vec<bool> = mine.iter().map(|row| row.positive()).collect();
    let area = |at: usize| {
        let logits: Vec<f64> = mine.iter().map(|row| f64::from(row.logits()[at])).collect();
        auc(&logits, &labels)
    };
    FoldFigures {
        number,
        pictures: mine.len(),
        positives: labels.iter().filter(|l| **l).count(),
        auc: [0, 1, 2].map(area),
        cluster: clusters.iter().find(|cluster| cluster.number == number).cloned(),
    }
}

/// The pictures under each condition, each with score and state by what the other folds say.
fn cross_fitted(rows: &[OutOfFold], numbers: &BTreeSet<usize>) -> [Vec<ScoredPicture>; 3] {
    let mut scored = [vec![], vec![], vec![]];
    for &number in numbers {
        let others: Vec<&OutOfFold> = rows.iter().filter(|row| row.fold != number).collect();
        let (calibration, thresholds) = calibrate::for_new_patients(&cases(&others));
        for row in rows.iter().filter(|row| row.fold == number) {
            for (scored, logit) in scored.iter_mut().zip(row.logits()) {
                let decision = decide(logit, &calibration, &thresholds);
                let score = f64::from(calibration.score(logit));
                scored.push(ScoredPicture {
                    patient: row.patient.clone(),
                    label: row.positive(),
                    subgroup: String::new(),
                    score,
                    probability: score,
                    // Logits of different networks are on scales of their own.
                    logit: f64::from(logit / calibration.temperature + calibration.bias),
                    state: decision.state,
                });
            }
        }
    }
    scored.iter_mut().for_each(|pictures| at_own_share(pictures, calibrate::PREVALENCE));
    scored
}

/// What score and thresholds are fitted on: each picture as it is, and shifted.
pub fn cases<'a>(rows: &[&'a OutOfFold]) -> [Vec<Case<'a>>; 2] {
    [0, 1].map(|at| {
        let case = |row: &&'a OutOfFold| Case {
            logit: row.logits()[at],
            positive: row.positive(),
            patient: &row.patient,
        };
        rows.iter().map(case).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::calibrate::{FALSE_ALARMS, MISSED};
    use crate::random::{Purpose, SeededRng};

    /// Patients of two pictures each; `gap` is how far the classes are apart, in deviations.
    fn rows(patients: usize, gap: f32, seed: u64) -> Vec<OutOfFold> {
        let mut rng = SeededRng::new(seed, Purpose::Calibrate, 0, 0);
        let mut rows = vec![];
        for patient in 0..patients {
            let positive = patient % 3 > 0;
            let middle = if positive { gap / 2.0 } else { -gap / 2.0 } + 0.7 * rng.normal();
            for picture in 0..2 {
                let mut logit = || middle + 0.7 * rng.normal();
                rows.push(OutOfFold {
                    id: format!("{patient}-{picture}"),
                    patient: format!("p{patient}"),
                    label: u8::from(positive),
                    fold: patient % 5 + 1,
                    plain: logit(),
                    shifted: logit(),
                    film: logit(),
                });
            }
        }
        rows
    }

    #[test]
    fn thresholds_of_other_folds_hold_and_those_of_an_easier_fold_would_not() {
        let bootstrap = Bootstrap { resamples: 50, seed: 1 };
        let mut mine = rows(900, 3.0, 1);
        let found = figures("patient", &mine, &[], &bootstrap);
        assert_eq!(found.folds.len(), 5);
        for condition in &found.conditions {
            let pooled = &condition.pooled;
            assert!(pooled.sensitivity_not_negative.value.unwrap() >= 1.0 - MISSED, "{condition:?}");
            assert!(pooled.specificity_not_positive.value.unwrap() >= 1.0 - FALSE_ALARMS, "{condition:?}");
            assert!(pooled.ece.value.unwrap() < 0.06, "{condition:?}");
            assert!(condition.worst_auc <= condition.mean_auc);
        }
        // The figures bite: where one fold is moved, what the others promise fails there, which a fit on
        // all folds together would hide.
        let mut moved = mine.clone();
        moved.iter_mut().filter(|row| row.fold == 2).for_each(|row| row.plain -= 4.0);
        let moved = figures("patient", &moved, &[], &bootstrap);
        let sensitivity = moved.conditions[0].pooled.sensitivity_not_negative.value.unwrap();
        assert!(sensitivity < 1.0 - MISSED, "{sensitivity}");
        // Film is only looked at: whatever it says, nothing is fitted on it.
        mine.iter_mut().for_each(|row| row.film -= 4.0);
        let filmed = figures("patient", &mine, &[], &bootstrap);
        assert_eq!(filmed.conditions[..2], found.conditions[..2]);
        assert_ne!(filmed.conditions[2], found.conditions[2]);
    }

    #[test]
    fn pictures_of_all_folds_are_ranked_by_what_the_other_folds_say() {
        let bootstrap = Bootstrap { resamples: 0, seed: 1 };
        let mine = rows(900, 3.0, 5);
        let found = cross_fitted(&mine, &(1..=5).collect());
        for picture in found.iter().flatten() {
            let score = 1.0 / (1.0 + (-picture.logit).exp());
            assert!((score - picture.score).abs() < 1e-5, "{picture:?}");
        }
        let pooled = measure(&found[0], &bootstrap).statistics.auc.value.unwrap();
        let raw: Vec<f64> = mine.iter().map(|row| f64::from(row.plain)).collect();
        let labels: Vec<bool> = mine.iter().map(OutOfFold::positive).collect();
        assert!((pooled - auc(&raw, &labels).unwrap()).abs() < 0.01, "on one scale it hardly matters");
    }

    #[test]
    fn predictions_are_read_as_they_were_written_and_damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("predictions.csv");
        let mut rows = rows(10, 2.0, 3);
        super::super::write(&path, &rows).unwrap();
        assert_eq!(super::super::read(&path).unwrap(), rows);
        rows[3].id = rows[2].id.clone();
        super::super::write(&path, &rows).unwrap();
        assert!(super::super::read(&path).unwrap_err().to_string().contains("is there twice"));
        rows[3].id = "other".into();
        rows[3].film = f32::NAN;
        super::super::write(&path, &rows).unwrap();
        assert!(super::super::read(&path).unwrap_err().to_string().contains("no number"));
    }
}
