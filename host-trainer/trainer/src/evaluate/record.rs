//! The form of `metrics.json`, for writing and for reading back.

use super::localization::Localization;
use super::metrics::{Estimate, PerformanceMetrics};
use super::prediction::{LabelledPicture, Prediction};
use super::robustness::Robustness;
use edge_core::State;
use edge_model::model_file::ModelFile;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// Version of the form of `metrics.json`.
pub const FORMAT: u32 = 1;
pub const METRICS: &str = "metrics.json";
/// What [`DataFacts::trained_on`] means, as tables and reports say it.
pub const TRAINED_ON: &str = "THE MODEL WAS TRAINED ON THESE PICTURES: the figures say how well it remembers them, and nothing of new patients";

/// All of `metrics.json`; prints as a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// [`FORMAT`].
    pub format: u32,
    pub model: ModelFacts,
    pub data: DataFacts,
    /// Estimates, curves, report; over the scored pictures.
    pub measured: PerformanceMetrics,
    /// What the device would show, by true class; over all pictures.
    pub states: StateTable,
    pub not_scored: Vec<UnscoredPicture>,
    pub subgroups: Vec<Subgroup>,
    pub robustness: Option<Robustness>,
    /// Where the network looked; absent where no picture has a map.
    pub localization: Option<Localization>,
}

/// Which model was evaluated, and what it says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    pub sha256: String,
    pub file_bytes: Option<u64>,
    pub engine: String,
    pub name: String,
    pub version: String,
    pub input_side: u16,
    pub preprocessing: String,
    pub label_negative: String,
    pub label_positive: String,
    #[serde(flatten)]
    pub decision: DecisionFacts,
    pub intended_use: String,
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// How a model's logits become states.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionFacts {
    pub temperature: f32,
    pub bias: f32,
    pub fitted_on: String,
    pub negative_below: f32,
    pub positive_above: f32,
    pub chosen_for: String,
}

/// Where a model came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    pub training_data_sha256: String,
    pub seeds: String,
    pub made_by: String,
}

impl ModelFacts {
    pub fn of(model: &ModelFile, file_bytes: Option<u64>, engine: &str) -> Self {
        let m = model.metadata();
        Self {
            sha256: model.sha256().to_owned(),
            file_bytes,
            engine: engine.to_owned(),
            name: m.name.to_string(),
            version: m.version.to_string(),
            input_side: m.input_side,
            preprocessing: edge_core::preprocess::NAME.to_owned(),
            label_negative: m.label_negative.to_string(),
            label_positive: m.label_positive.to_string(),
            decision: DecisionFacts {
                temperature: m.calibration.temperature,
                bias: m.calibration.bias,
                fitted_on: m.fitted_on.to_string(),
                negative_below: m.thresholds.negative_below,
                positive_above: m.thresholds.positive_above,
                chosen_for: m.chosen_for.to_string(),
            },
            intended_use: m.intended_use.to_string(),
            provenance: Provenance {
                training_data_sha256: m.training_data_sha256.to_string(),
                seeds: m.seeds.to_string(),
                made_by: m.made_by.to_string(),
            },
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataFacts {
    pub description: String,
    /// Whether the model was trained on these pictures, as far as is known.
    #[serde(default)]
    pub trained_on: bool,
    /// SHA-256 over ids, patients and labels, in order: two evaluations with the same value used
    /// the same list.
    pub list_sha256: String,
    /// All pictures, scored or not.
    pub pictures: usize,
    pub patients: usize,
    pub negatives: usize,
    pub positives: usize,
    pub scored: usize,
}

impl DataFacts {
    pub(super) fn of(
        items: &[LabelledPicture],
        predictions: &[Prediction],
        (description, trained_on): (&str, bool),
    ) -> Self {
        let mut hash = Sha256::new();
        for item in items {
            for text in [&item.id, &item.patient] {
                hash.update(text.as_bytes());
                hash.update([0]);
            }
            hash.update([u8::from(item.label)]);
        }
        let positives = items.iter().filter(|i| i.label).count();
        Self {
            description: description.to_owned(),
            trained_on,
            list_sha256: hash.finalize().iter().map(|b| format!("{b:02x}")).collect(),
            pictures: items.len(),
            patients: items.iter().map(|i| i.patient.as_str()).collect::<HashSet<_>>().len(),
            negatives: items.len() - positives,
            positives,
            scored: predictions.iter().filter(|p| p.score.is_some()).count(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateCounts {
    pub positive: u64,
    pub refer: u64,
    pub negative: u64,
    pub invalid: u64,
    pub fault: u64,
    pub unreadable: u64,
}

impl StateCounts {
    pub fn total(&self) -> u64 {
        self.positive + self.refer + self.negative + self.invalid + self.fault + self.unreadable
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateTable {
    pub without_disease: StateCounts,
    pub with_disease: StateCounts,
}

impl StateTable {
    pub(super) fn of(predictions: &[Prediction]) -> Self {
        let mut table = Self::default();
        for p in predictions {
            let row = if p.label == 1 { &mut table.with_disease } else { &mut table.without_disease };
            *match p.device_state() {
                Some(State::Positive) => &mut row.positive,
                Some(State::Refer) => &mut row.refer,
                Some(State::Negative) => &mut row.negative,
                Some(State::Invalid) => &mut row.invalid,
                Some(State::Fault) => &mut row.fault,
                None => &mut row.unreadable,
            } += 1;
        }
        table
    }
}

/// A picture without a score, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnscoredPicture {
    pub id: String,
    pub label: u8,
    pub state: String,
    pub reason_code: Option<u8>,
    pub note: String,
}

impl UnscoredPicture {
    pub(super) fn of(p: Prediction) -> Self {
        Self { id: p.id, label: p.label, state: p.state, reason_code: p.reason_code, note: p.note }
    }
}

/// One kind of disease against all pictures without disease.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subgroup {
    pub name: String,
    pub pictures: usize,
    pub patients: usize,
    pub auc: Estimate,
    pub sensitivity: Estimate,
    /// Share that is POSITIVE or REFER.
    pub sensitivity_not_negative: Estimate,
}
