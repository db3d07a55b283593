//! What the exporter binds into a model: calibration and thresholds from predictions out of fold or
//! from the validation patients, limits of the gate from the training pictures, and where all of it came from.

use crate::augment::batches::SHARED_SEED;
use crate::dataset::Sample;
use crate::dataset::phantoms;
use crate::export::Bound;
use crate::export::calibrate;
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
/// these patients themselves, and the texts say so.
pub fn metadata(
    run: &Run,
    samples: &[Sample],
    quantized: &Quantized,
    version: &str,
    out_of_fold: Option<&Gathered>,
    device: Device,
) -> Result<Bound> {
    let (train, validate) = run.indices(samples)?;
    let fitted = match out_of_fold {
        Some(gathered) => for_new_patients(run, samples, gathered)?,
        None => on_validation(run, samples, &validate, quantized, device),
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
    Ok(Bound { metadata, prevalence: fitted.prevalence })
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
}

fn share(labels: &[bool]) -> f64 {
    labels.iter().filter(|l| **l).count() as f64 / labels.len().max(1) as f64
}

fn on_validation(
    run: &Run,
    samples: &[Sample],
    validate: &[usize],
    quantized: &Quantized,
    device: Device,
) -> Fitted {
    let sets = Validation::new(samples, validate, run.recipe.side, device);
    let [plain, shifted, _] = sets.logits(&|steps| quantized.logits(steps));
    let both = [plain, shifted].concat();
    let labels = [&sets.labels[..], &sets.labels[..]].concat();
    let calibration = calibrate::fit(&both, &labels);
    let scores: Vec<f32> = both.iter().map(|&z| calibration.score(z)).collect();
    let thresholds = calibrate::thresholds(&scores, &labels);
    let patients: HashSet<&str> = validate.iter().map(|&i| samples[i].patient.as_str()).collect();
    let (pictures, patients, seed) = (validate.len(), patients.len(), run.split.seed);
    let on = format!(
        "{pictures} validation pictures of {patients} patients, each as it is and shifted, split seed {seed}; \
         the same that are reported on"
    );
    Fitted { calibration, thresholds, prevalence: share(&labels), on, whom: "validation patients" }
}

fn for_new_patients(run: &Run, samples: &[Sample], gathered: &Gathered) -> Result<Fitted> {
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
    Ok(Fitted { calibration, thresholds, prevalence: share(&labels), on, whom })
}

/// How many networks taught this one; which, and how, is in the run: the field holds 64 bytes.
fn taught(run: &Run) -> String {
    run.recipe.taught.as_ref().map_or(String::new(), |taught| format!(", {} teachers", taught.teachers.len()))
}

/// What every draw of the run depends on; the field holds 64 bytes, so seeds of ten digits.
fn seeds(run: &Run) -> String {
    let (split, seed) = (run.split.seed, run.recipe.seed);
    match run.recipe.draws {
        0 => format!("split {split}, all else {seed}"),
        n => format!("split {split}, all else {seed}, {n} draws of {SHARED_SEED}"),
    }
}
