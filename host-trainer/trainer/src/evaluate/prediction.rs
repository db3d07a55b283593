//! What is scored and what it gave: a labelled picture, its outcome, and its line in
//! `predictions.csv`.

use super::metrics::ScoredPicture;
use crate::cell;
use crate::dataset::PictureSource;
use edge_core::{Decision, State};
use serde::{Deserialize, Serialize};

/// Name of the file of predictions.
pub const PREDICTIONS: &str = "predictions.csv";
/// What stands for a state where the picture could not be read.
pub const UNREADABLE: &str = "UNREADABLE";

#[derive(Clone, Debug)]
pub struct LabelledPicture {
    /// Unique name, for people; a path below the data folder or a name and index.
    pub id: String,
    pub source: PictureSource,
    /// True for the disease.
    pub label: bool,
    /// Who is on it; pictures of one patient are resampled together.
    pub patient: String,
    /// Kind of disease, `bacteria` or `virus`; empty where unknown.
    pub subgroup: String,
}

/// What a picture gave; `state` is none where it could not be read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub state: Option<State>,
    pub logit: Option<f32>,
    pub score: Option<f32>,
    pub reason_code: Option<u8>,
    pub note: String,
}

impl Outcome {
    pub fn of(decision: &Decision) -> Self {
        let scored = decision.score.is_some();
        Self {
            state: Some(decision.state),
            logit: decision.logit.filter(|_| scored),
            score: decision.score,
            reason_code: Some(decision.reason.code()),
            note: if scored { String::new() } else { decision.reason.to_string() },
        }
    }

    pub fn none(state: Option<State>, note: impl ToString) -> Self {
        Self { state, logit: None, score: None, reason_code: None, note: note.to_string() }
    }
}

/// One line of `predictions.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    #[serde(with = "cell")]
    pub id: String,
    /// The file; empty where the picture was not a file.
    #[serde(with = "cell")]
    pub path: String,
    #[serde(with = "cell")]
    pub patient: String,
    /// Kind of disease, or empty.
    #[serde(with = "cell")]
    pub subgroup: String,
    /// 1 with the disease, 0 without.
    pub label: u8,
    /// The network's output, in the shortest form that reads back to the same bits.
    pub logit: Option<f32>,
    pub score: Option<f32>,
    /// A state's name, or [`UNREADABLE`].
    pub state: String,
    /// Number of the reason, see `edge_core::Reason`.
    pub reason_code: Option<u8>,
    /// Why there is no score; empty where there is one.
    #[serde(with = "cell")]
    pub note: String,
}

impl Prediction {
    pub(crate) fn new(item: &LabelledPicture, outcome: Outcome) -> Self {
        let path = match &item.source {
            PictureSource::File(path) => path.to_string_lossy().into_owned(),
            PictureSource::Memory(_) | PictureSource::Made(_) => String::new(),
        };
        Self {
            id: item.id.clone(),
            path,
            patient: item.patient.clone(),
            subgroup: item.subgroup.clone(),
            label: u8::from(item.label),
            logit: outcome.logit,
            score: outcome.score,
            state: outcome.state.map_or(UNREADABLE, State::name).to_owned(),
            reason_code: outcome.reason_code,
            note: outcome.note,
        }
    }

    /// The state; none where the picture could not be read.
    pub fn device_state(&self) -> Option<State> {
        State::ALL.into_iter().find(|s| s.name() == self.state)
    }
}

pub fn to_csv(predictions: &[Prediction]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for prediction in predictions {
        writer.serialize(prediction)?;
    }
    writer.into_inner().map_err(|e| anyhow::anyhow!("{e}"))
}

pub fn from_csv(bytes: &[u8]) -> Result<Vec<Prediction>, csv::Error> {
    csv::Reader::from_reader(bytes).deserialize().collect()
}

/// Those of `predictions` that have a score, as the metrics take them.
pub(super) fn scored<'a>(predictions: impl Iterator<Item = &'a Prediction>) -> Vec<ScoredPicture> {
    let one = |p: &Prediction| {
        Some(ScoredPicture {
            patient: p.patient.clone(),
            label: p.label == 1,
            subgroup: p.subgroup.clone(),
            score: f64::from(p.score?),
            probability: f64::from(p.score?),
            logit: f64::from(p.logit?),
            state: p.device_state()?,
        })
    };
    predictions.filter_map(one).collect()
}
