//! What the exporter binds into a model: calibration and thresholds from the validation patients,
//! limits of the gate from the training pictures, and where all of it came from.

use crate::augment::batches::SHARED_SEED;
use crate::dataset::Sample;
use crate::dataset::phantoms;
use crate::export::calibrate;
use crate::quantize::{Comparison, Quantized};
use crate::run::{Run, TCH, TRAINER};
use crate::train::validation::Validation;
use anyhow::Result;
use edge_core::Metadata;
use edge_model::model_file::OwnedMetadata;
use std::collections::HashSet;
use tch::Device;

/// Who may use a model of this data for what.
const INTENDED_USE: &str = "Triage support on frontal chest radiographs of children aged 1 to 5: marks pictures that a person should \
     read first. Supports a decision, is no diagnosis. Not for adults, lateral views or other diseases.";
/// The same for a model that has seen no X-ray.
const NO_USE: &str = "Trained on drawings to try the trainer. Not for pictures of people.";

pub fn metadata(
    run: &Run,
    samples: &[Sample],
    quantized: &Quantized,
    version: &str,
    device: Device,
) -> Result<OwnedMetadata> {
    let (train, validate) = run.indices(samples)?;
    let sets = Validation::new(samples, &validate, run.recipe.side, device);
    let both = sets.logits(&|steps| quantized.logits(steps)).concat();
    let labels = [&sets.labels[..], &sets.labels[..]].concat();
    let calibration = calibrate::fit(&both, &labels);
    let scores: Vec<f32> = both.iter().map(|&z| calibration.score(z)).collect();
    let thresholds = calibrate::thresholds(&scores, &labels);
    let patients: HashSet<&str> = validate.iter().map(|&i| samples[i].patient.as_str()).collect();
    let (pictures, patients, seed) = (validate.len(), patients.len(), run.split.seed);
    let fitted_on = format!(
        "{pictures} validation pictures of {patients} patients, each as it is and shifted, split seed {seed}"
    );
    let Comparison { float, int8 } = run.read_json("quantize.json")?;
    let metrics = format!(
        "int8, validation patients: AUC {:.4}, shifted {:.4}; float: {:.4}, shifted {:.4}",
        int8.val_auc, int8.shifted_auc, float.val_auc, float.shifted_auc
    );
    let drawn = run.data == phantoms::NAME;
    Ok(Metadata {
        name: if drawn { "phantom" } else { "pneumonia" }.to_owned(),
        version: version.to_owned(),
        input_side: run.recipe.side,
        label_negative: "NORMAL".to_owned(),
        label_positive: "PNEUMONIA".to_owned(),
        calibration,
        fitted_on,
        // Measured along the device's own path, with the gate.
        score_deciles_ppm: [0; 9],
        thresholds,
        chosen_for: calibrate::chosen_for(),
        gate: calibrate::limits(samples, &train),
        intended_use: if drawn { NO_USE } else { INTENDED_USE }.to_owned(),
        training_data_sha256: run.data_sha256.clone(),
        seeds: match run.recipe.draws {
            0 => format!("split: {seed}; weights, order and augmentation: {}", run.recipe.seed),
            n => format!(
                "split: {seed}; weights and order: {}; augmentation: {SHARED_SEED}, {n} draws",
                run.recipe.seed
            ),
        },
        made_by: format!("{TRAINER}, {TCH}{}", taught(run)),
        metrics,
    })
}

/// How many networks taught this one, and the hash of each as far as it tells them apart.
fn taught(run: &Run) -> String {
    let Some(taught) = &run.recipe.taught else { return String::new() };
    let short = |hash: &String| hash.chars().take(12).collect::<String>();
    let teachers: Vec<String> = taught.teachers.iter().map(short).collect();
    format!(", taught by {} networks: {}", teachers.len(), teachers.join(" "))
}
