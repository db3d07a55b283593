//! What the page is made from: what a run's folder holds, and what is asked for. Absent files are
//! none; damaged ones are an error that names them.

use crate::dataset::findings::{FINDINGS, Findings};
use crate::evaluate::prediction::{self, Prediction};
use crate::evaluate::record::{self, Evaluation, ModelFacts};
use crate::folds::{self, figures::Figures};
use crate::gate::{FITTED_ON, FittedOn};
use crate::run::{self, Epoch};
use anyhow::{Context, Result, ensure};
use edge_model::decode::Picture;
use edge_model::engine::EngineKind;
use edge_model::model_file::ModelFile;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::ErrorKind;
use std::path::Path;

/// Finds a picture by its id.
pub type FindPicture<'a> = dyn Fn(&str) -> Option<Picture> + 'a;

#[derive(Clone, Copy, Default)]
pub struct PageOptions<'a> {
    /// Leaves out the thumbnails, which are pictures of patients.
    pub no_pictures: bool,
    /// Finds a picture by its id where `predictions.csv` names no file (data in an `.npz` file).
    pub open: Option<&'a FindPicture<'a>>,
}

/// The sets that a run may have been evaluated on: folder, name, and what it is.
const SETS: [(&str, &str, &str); 4] = [
    ("validation", "Validation", "pictures of patients that were kept out of training"),
    (SHIFTED, "Shifted validation", "the same pictures, changed as by another installation"),
    (FILM, "Film", "the same pictures, photographed from a film or screen by a simulated camera"),
    ("test", "Test", "pictures that were not looked at while the model was made"),
];

/// Folders of the changed pictures' evaluations.
const SHIFTED: &str = "shifted";
const FILM: &str = "film";

#[derive(Clone, Debug)]
pub struct EvaluatedSet {
    pub name: &'static str,
    /// What it is, in half a sentence.
    pub what: &'static str,
    /// Its pictures are those of the first set, changed; the changed ones are not kept anywhere.
    pub changed: bool,
    pub metrics: Evaluation,
    /// One line a picture; empty where the file is absent.
    pub predictions: Vec<Prediction>,
}

#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// From `model.onnx`, else from an evaluation.
    pub model: Option<ModelFacts>,
    /// `model.onnx` itself.
    pub network: Option<ModelFile>,
    pub run: Option<Value>,
    /// What the data held.
    pub findings: Option<Findings>,
    /// What the model's gate was fitted on.
    pub gate: Option<FittedOn>,
    /// Null (not a number) is none.
    pub history: Vec<Epoch<Option<f64>>>,
    pub quantize: Option<Value>,
    /// Figures of the predictions that score and thresholds were fitted on; none where these are those of
    /// the validation patients.
    pub out_of_fold: Option<Figures>,
    /// How many validation pictures score and thresholds were fitted on, which no figure is of.
    pub held_apart: usize,
    /// The evaluated sets, in the order of the page.
    pub sets: Vec<EvaluatedSet>,
}

impl Inputs {
    pub fn read(folder: &Path) -> Result<Self> {
        ensure!(folder.is_dir(), "expected the folder of a training run, found none at {}", folder.display());
        let mut sets = Vec::new();
        for (name, title, what) in SETS {
            let Some(metrics) = json::<Evaluation>(&folder.join(name).join(record::METRICS))? else {
                continue;
            };
            ensure!(
                metrics.format == record::FORMAT,
                "{name}/{}: expected format {}, got {}; evaluate again with this version",
                record::METRICS,
                record::FORMAT,
                metrics.format
            );
            let path = folder.join(name).join(prediction::PREDICTIONS);
            let predictions = match bytes(&path)? {
                Some(bytes) => {
                    prediction::from_csv(&bytes).with_context(|| format!("{} is damaged", path.display()))?
                }
                None => Vec::new(),
            };
            let changed = name == SHIFTED || name == FILM;
            sets.push(EvaluatedSet { name: title, what, changed, metrics, predictions });
        }
        let (model, network) = model(&folder.join("model.onnx"))?.unzip();
        let model = model.or_else(|| sets.first().map(|s| s.metrics.model.clone()));
        Ok(Self {
            model,
            network,
            run: json(&folder.join("run.json"))?,
            findings: json(&folder.join(FINDINGS))?,
            gate: json(&folder.join(FITTED_ON))?,
            history: json(&folder.join("history.json"))?.unwrap_or_default(),
            quantize: json(&folder.join("quantize.json"))?,
            out_of_fold: json(&folder.join(folds::IN_RUN))?,
            held_apart: json::<Vec<String>>(&folder.join(run::HELD_APART))?.map_or(0, |ids| ids.len()),
            sets,
        })
    }

    /// What the model calls its positive label.
    pub fn positive_label(&self) -> &str {
        self.model.as_ref().map_or("disease", |model| &model.label_positive)
    }

    /// Evaluated sets whose model is another than the one described.
    pub fn strangers(&self) -> Vec<&'static str> {
        let hash = self.model.as_ref().map(|m| m.sha256.as_str());
        self.sets.iter().filter(|s| Some(s.metrics.model.sha256.as_str()) != hash).map(|s| s.name).collect()
    }
}

fn model(path: &Path) -> Result<Option<(ModelFacts, ModelFile)>> {
    let Some(bytes) = bytes(path)? else { return Ok(None) };
    let file = ModelFile::from_bytes(&bytes).with_context(|| format!("cannot use {}", path.display()))?;
    let engines = EngineKind::names();
    Ok(Some((ModelFacts::of(&file, Some(bytes.len() as u64), &engines), file)))
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let Some(bytes) = bytes(path)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).with_context(|| format!("{} is damaged", path.display()))
}

fn bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("cannot read {}", path.display())),
    }
}
