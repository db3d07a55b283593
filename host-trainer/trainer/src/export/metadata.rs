//! What the exporter binds into a model: calibration and thresholds from patients that did not train,
//! limits of the gate from the training pictures, and where all of it came from.

use crate::augment::batches::SHARED_SEED;
use crate::dataset::Sample;
use crate::dataset::phantoms;
use crate::dataset::split::SplitKind;
use crate::export::Bound;
use crate::export::calibrate::{self, Case};
use crate::folds::figures::cases;
use crate::folds::{Gathered, OutOfFold};
use crate::quantize::{Comparison, Quantized};
use crate::run::{Run, TCH, TRAINER};
use crate::train::validation::Validation;
use anyhow::{Result, ensure};
use edge_core::Metadata;
use edge_core::decide::{Calibration, Thresholds};
use std::collections::{HashMap, HashSet};
use tch::Device;

/// Who may use a model of this data for what.
const INTENDED_USE: &str = "Triage support on frontal chest radiographs of children aged 1 to 5: marks pictures that a person should \
     read first. Supports a decision, is no diagnosis. Not for adults, lateral views or other diseases.";
/// The same for a model that has seen no X-ray.
const NO_USE: &str = "Trained on drawings to try the trainer. Not for pictures of people.";

/// What to bind into the model of a run. Score and thresholds are fitted on `out_of_fold` predictions
/// where there are any, but for those of the run's own validation patients, who are reported on; else on
/// half of these patients, who are then not reported on; where they are too few, on all of them, and the
/// texts say so.
pub fn metadata(
    run: &Run,
    samples: &[Sample],
    quantized: &Quantized,
    version: &str,
    out_of_fold: Option<&Gathered>,
    device: Device,
) -> Result<Bound> {
    let (train, validate) = run.indices(samples)?;
    let half = run.halves(samples)?.0;
    let ask = |of: &[usize]| -> Result<(Vec<bool>, [Vec<f32>; 3])> {
        let sets = Validation::new(samples, of, run.recipe.side, &run.folder, device)?;
        let logits = sets.logits(&|steps| quantized.logits(steps));
        Ok((sets.labels, logits))
    };
    let fitted = match out_of_fold {
        Some(gathered) => out_of_folds(run, samples, gathered)?,
        None => match on_half(samples, half, run.split.seed, &ask)? {
            Some(fitted) => fitted,
            None => on_validation(run, samples, &validate, &ask)?,
        },
    };
    let Comparison { float, int8 } = run.read_json("quantize.json")?;
    let metrics = format!(
        "int8, validation patients: AUC {:.4}, shifted {:.4}; float: {:.4}, shifted {:.4}",
        int8.val_auc, int8.shifted_auc, float.val_auc, float.shifted_auc
    );
    let drawn = run.data == phantoms::NAME;
    let metadata = Metadata {
        name: if drawn { "phantom" } else { "pneumonia" }.to_owned(),
        version: version.to_owned(),
        input_side: run.recipe.side,
        label_negative: "NORMAL".to_owned(),
        label_positive: "PNEUMONIA".to_owned(),
        calibration: fitted.calibration,
        fitted_on: fitted.on,
        // Measured along the device's own path, with the gate.
        score_deciles_ppm: [0; 9],
        thresholds: fitted.thresholds,
        chosen_for: calibrate::chosen_for(fitted.whom),
        gate: calibrate::limits(samples, &train),
        intended_use: if drawn { NO_USE } else { INTENDED_USE }.to_owned(),
        training_data_sha256: run.data_sha256.clone(),
        seeds: seeds(run),
        made_by: format!("{TRAINER}, {TCH}{}", taught(run)),
        metrics,
    };
    let mut held_apart: Vec<String> = fitted.held_apart.iter().map(|&i| samples[i].id.clone()).collect();
    held_apart.sort();
    Ok(Bound { metadata, prevalence: fitted.prevalence, held_apart })
}

/// Score and thresholds, and what stands behind them.
struct Fitted {
    calibration: Calibration,
    thresholds: Thresholds,
    /// Share of pneumonia among what they were fitted on.
    prevalence: f64,
    on: String,
    /// For whom the thresholds promise.
    whom: &'static str,
    /// Validation pictures that are not reported on, because all this was fitted on them.
    held_apart: Vec<usize>,
}

/// Share of pneumonia at which a score fitted on these is a probability.
fn prevalence(labels: &[bool]) -> f64 {
    match (labels.contains(&true), labels.contains(&false)) {
        (true, true) => calibrate::PREVALENCE,
        (ill, _) => f64::from(u8::from(ill)),
    }
}

fn patients(samples: &[Sample], of: &[usize]) -> usize {
    of.iter().map(|&i| samples[i].patient.as_str()).collect::<HashSet<_>>().len()
}

/// What is asked about samples: their labels, and the network's logits of them under each condition.
type Ask<'a> = dyn Fn(&[usize]) -> Result<(Vec<bool>, [Vec<f32>; 3])> + 'a;

/// Conformal on this half of the validation patients; none where these are too few.
fn on_half(samples: &[Sample], half: Vec<usize>, split_seed: u64, ask: &Ask) -> Result<Option<Fitted>> {
    let case = |i: usize, logit| Case { logit, positive: samples[i].positive, patient: &samples[i].patient };
    let cases: Vec<Case> = half.iter().map(|&i| case(i, 0.0)).collect();
    if !calibrate::can_promise(&cases) {
        return Ok(None);
    }
    let (labels, conditions) = ask(&half)?;
    let conditions = conditions
        .map(|logits| half.iter().zip(logits).map(|(&i, logit)| case(i, logit)).collect::<Vec<_>>());
    let (calibration, thresholds) = calibrate::for_new_patients(&conditions);
    let on = format!(
        "{} pictures of {} patients, half of those that did not train, each as it is, shifted and photographed \
         from film, split seed {split_seed}; none of them is reported on",
        half.len(),
        patients(samples, &half),
    );
    let whom = "new patients (conformal)";
    Ok(Some(Fitted { calibration, thresholds, prevalence: prevalence(&labels), on, whom, held_apart: half }))
}

fn on_validation(run: &Run, samples: &[Sample], validate: &[usize], ask: &Ask) -> Result<Fitted> {
    let (labels, [plain, shifted, _]) = ask(validate)?;
    let both = [plain, shifted].concat();
    let labels = [&labels[..], &labels[..]].concat();
    let calibration = calibrate::fit_at_even_odds(&both, &labels);
    let scores: Vec<f32> = both.iter().map(|&z| calibration.score(z)).collect();
    let thresholds = calibrate::thresholds(&scores, &labels);
    let (pictures, patients, seed) = (validate.len(), patients(samples, validate), run.split.seed);
    let on = format!(
        "{pictures} validation pictures of {patients} patients, each as it is and shifted, split seed {seed}; \
         the same that are reported on"
    );
    let whom = "validation patients, plain and shifted";
    Ok(Fitted { calibration, thresholds, prevalence: prevalence(&labels), on, whom, held_apart: vec![] })
}

fn out_of_folds(run: &Run, samples: &[Sample], gathered: &Gathered) -> Result<Fitted> {
    let rows = &gathered.rows;
    let of: HashMap<&str, &Sample> = samples.iter().map(|sample| (sample.id.as_str(), sample)).collect();
    for row in rows {
        let same = of.get(row.id.as_str()).is_some_and(|sample| sample.positive == row.positive());
        ensure!(
            same,
            "the predictions out of fold are of other data: {} is not in {}; run `folds` on this --data",
            row.id,
            run.data
        );
    }
    let reported: HashSet<&str> = run.split.validation.iter().map(String::as_str).collect();
    let mine: Vec<&OutOfFold> = rows.iter().filter(|row| !reported.contains(row.id.as_str())).collect();
    let labels: Vec<bool> = mine.iter().map(|row| row.positive()).collect();
    ensure!(
        labels.contains(&true) && labels.contains(&false),
        "expected predictions out of fold of both classes beside the validation patients of {}, got {}",
        run.folder.display(),
        mine.len()
    );
    let (calibration, thresholds) = calibrate::for_new_patients(&cases(&mine));
    let patients: HashSet<&str> = mine.iter().map(|row| row.patient.as_str()).collect();
    let whose = if gathered.same_recipe { "of this recipe" } else { "of another recipe" };
    let on = format!(
        "{} pictures of {} patients, each as it is and shifted, judged out of fold by other networks {whose}; \
         none of them is reported on",
        mine.len(),
        patients.len()
    );
    let whom = match gathered.same_recipe {
        true => "new patients (conformal, out of fold)",
        // Another recipe's logits may lie on another scale: no promise.
        false => "patients out of the folds of another recipe",
    };
    Ok(Fitted { calibration, thresholds, prevalence: prevalence(&labels), on, whom, held_apart: vec![] })
}

/// How many networks taught this one; which, and how, is in the run: the field holds 64 bytes.
fn taught(run: &Run) -> String {
    run.recipe.taught.as_ref().map_or(String::new(), |taught| format!(", {} teachers", taught.teachers.len()))
}

/// What every draw of the run depends on; the field holds 64 bytes, so seeds of ten digits, or of five
/// beside a fold.
fn seeds(run: &Run) -> String {
    let (split, seed) = (split_in_words(run.recipe.split, run.split.seed), run.recipe.seed);
    match run.recipe.draws {
        0 => format!("{split}, all else {seed}"),
        n => format!("{split}, all else {seed}, {n} draws of {SHARED_SEED}"),
    }
}

fn split_in_words(kind: SplitKind, seed: u64) -> String {
    match kind {
        SplitKind::Share => format!("split {seed}"),
        SplitKind::PatientFold(fold) => format!("split {seed} fold {fold}"),
        SplitKind::HeldOutCluster(fold) => format!("split {seed} cluster {fold}"),
    }
}

/// How a model's patients were split, by the seeds in its metadata; none where they do not say it.
/// Those of folds and clusters did not say so before.
pub fn split_of(seeds: &str) -> Option<(SplitKind, u64)> {
    // Up to model 1.2.0 one seed was for everything.
    if let Some(seed) = seeds.strip_prefix("split, weights, order and augmentation: ") {
        return Some((SplitKind::Share, seed.parse().ok()?));
    }
    let mut words = seeds.strip_prefix("split ")?.split_once(',')?.0.split(' ');
    let seed = words.next()?.parse().ok()?;
    let kind = match (words.next(), words.next()) {
        (None, _) => SplitKind::Share,
        (Some("fold"), Some(fold)) => SplitKind::PatientFold(fold.parse().ok()?),
        (Some("cluster"), Some(fold)) => SplitKind::HeldOutCluster(fold.parse().ok()?),
        _ => return None,
    };
    Some((kind, seed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::split::Fold;
    use crate::train::optimizer::values;
    use std::path::Path;
    use tch::Tensor;

    #[test]
    fn a_models_split_is_read_as_it_was_written() {
        let fold = Fold { number: 2, of: 5 };
        for kind in [SplitKind::Share, SplitKind::PatientFold(fold), SplitKind::HeldOutCluster(fold)] {
            let seeds = format!("{}, all else 1, 12 draws of {SHARED_SEED}", split_in_words(kind, 7));
            assert_eq!(split_of(&seeds), Some((kind, 7)), "{seeds}");
        }
        assert_eq!(split_of("split 1, all else 3"), Some((SplitKind::Share, 1)), "as models had it before");
        let older = "split, weights, order and augmentation: 4";
        assert_eq!(split_of(older), Some((SplitKind::Share, 4)));
        for other in [
            "1",
            "split 1",
            "split x, all else 1",
            "split 1 half 2/5, all else 1",
            "split 1 fold 9, all else 1",
        ] {
            assert_eq!(split_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_half_of_enough_patients_is_fitted_on_and_held_apart() {
        // Two drawings, each of many patients: 50 ill and 20 healthy ones have a rank.
        let drawn = phantoms::load(2, 32).samples;
        let of = |positive: bool| drawn.iter().find(move |sample| sample.positive == positive).unwrap();
        let people = |ill: usize, healthy: usize| -> Vec<Sample> {
            let one = |i: usize| {
                let name = format!("p{i:03}");
                Sample { id: name.clone(), patient: name, ..of(i < ill).clone() }
            };
            (0..ill + healthy).map(one).collect()
        };
        // Brightness for a logit: what it is does not matter here.
        let bright = |steps: &Tensor| steps.mean_dim([1i64, 2, 3].as_slice(), false, tch::Kind::Float);
        let ask = |samples: &[Sample], of: &[usize]| -> Result<(Vec<bool>, [Vec<f32>; 3])> {
            let sets = Validation::new(samples, of, 32, Path::new("."), Device::Cpu)?;
            let logits = sets.logits(&bright);
            Ok((sets.labels, logits))
        };
        let fit = |samples: &[Sample]| {
            on_half(samples, (0..samples.len()).collect(), 9, &|of| ask(samples, of)).unwrap()
        };
        let fitted = fit(&people(50, 20)).expect("enough of both");
        assert_eq!(fitted.held_apart, (0..70).collect::<Vec<_>>());
        assert_eq!((fitted.whom, fitted.prevalence), ("new patients (conformal)", 0.5));
        assert!(fitted.on.starts_with("70 pictures of 70 patients, half"), "{}", fitted.on);
        assert!(fitted.on.contains("split seed 9"), "{}", fitted.on);
        assert!(fitted.thresholds.negative_below > 0.0 && fitted.thresholds.positive_above < 1.0);
        // It is the pictures' logits that were fitted, under every condition.
        let all: Vec<f32> = ask(&people(50, 20), &[0, 69]).unwrap().1.concat();
        assert!(all.iter().any(|z| *z != all[0]), "{:?}", values(&Tensor::from_slice(&all)));
        assert!(fit(&people(48, 20)).is_none() && fit(&people(50, 18)).is_none());
    }
}
