//! Scores a model on labelled pictures, exactly as a device would, and writes down how good it is.
//!
//! Every picture goes through the edge runtime's own decoder, gate, preprocessing, engine and decision. What the gate
//! refuses (INVALID), what cannot be read (UNREADABLE) and what the engine fails on (FAULT) has no score: such pictures
//! are counted in the table of states and listed by name with the reason, and **all other numbers are over the scored
//! pictures**. The device gives no answer there, so counting a guess would flatter or punish it for something that
//! nobody would see; how many there are of each class stands beside every result.
//!
//! In `out`: `predictions.csv`, one line a picture, and `metrics.json`, which holds no date and no time, so that the same
//! model and pictures give the same bytes.

pub mod record;
pub(crate) mod scoring;
pub(crate) mod table;

pub use record::{Metrics, Prediction};
pub use scoring::MakeEngine;

use crate::metrics::{Bootstrap, Row, measure};
use crate::robustness;
use anyhow::{Context, Result, ensure};
use edge_model::decode::{self, DecodeError, Picture};
use edge_model::engine::EngineKind;
use edge_model::files;
use edge_model::model_file::ModelFile;
use record::{DataFacts, ModelFacts, Refusal, StateTable, Subgroup};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Item {
    /// Unique name, for people; a path below the data folder or a name and index.
    pub id: String,
    pub source: Source,
    /// True for the disease.
    pub label: bool,
    /// Who is on it; pictures of one patient are resampled together.
    pub patient: String,
    /// Kind of disease, `bacteria` or `virus`; empty where unknown.
    pub subgroup: String,
}

/// A picture on disk, opened when its turn comes, or one already in memory.
#[derive(Clone, Debug)]
pub enum Source {
    File(PathBuf),
    Memory(Arc<Picture>),
}

impl Source {
    pub fn open(&self) -> Result<Arc<Picture>, DecodeError> {
        match self {
            Source::File(path) => decode::open(path).map(Arc::new),
            Source::Memory(picture) => Ok(Arc::clone(picture)),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Options {
    /// What the pictures are, for the reader of the numbers: source, part, how patients were told apart.
    pub description: String,
    pub bootstrap: Bootstrap,
    /// Most pictures that the robustness table is measured on; 0 leaves it out.
    pub robustness_limit: usize,
    pub engine: EngineKind,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            description: String::new(),
            bootstrap: Bootstrap::default(),
            robustness_limit: 400,
            engine: EngineKind::default(),
        }
    }
}

/// Evaluates the model file at `model` on `items` and writes `predictions.csv` and `metrics.json` into the folder `out`.
/// An error where no picture can be scored.
pub fn run(model: &Path, items: &[Item], out: &Path, options: &Options) -> Result<Metrics> {
    let file = ModelFile::load(model).with_context(|| format!("cannot use the model {}", model.display()))?;
    let bytes = std::fs::metadata(model).map(|m| m.len()).ok();
    let make = || options.engine.load(&file).map_err(anyhow::Error::from);
    run_with(&file, bytes, &make, items, out, options)
}

/// [`run`] with a model that is already loaded, of `bytes` in its file, and engines that `make` makes.
pub fn run_with(
    model: &ModelFile,
    bytes: Option<u64>,
    make: &MakeEngine,
    items: &[Item],
    out: &Path,
    options: &Options,
) -> Result<Metrics> {
    ensure!(!items.is_empty(), "expected labelled pictures to evaluate on, got none; check the data folder");
    let engines = scoring::Engines::new(model, make)?;
    let predictions = scoring::score_all(&engines, items);
    let rows = rows(predictions.iter());
    if rows.is_empty() {
        let why =
            predictions.first().map(|p| format!("{}: {} ({})", p.id, p.state, p.note)).unwrap_or_default();
        anyhow::bail!("none of {} pictures could be scored; the first is {why}", items.len());
    }
    let robustness = match options.robustness_limit {
        0 => None,
        limit => Some(robustness::run(&engines, items, &predictions, limit, &options.bootstrap)),
    };
    let metrics = Metrics {
        format: record::FORMAT,
        model: ModelFacts::of(model, bytes, options.engine.name()),
        data: DataFacts::of(items, &predictions, &options.description),
        measured: measure(&rows, &options.bootstrap),
        states: StateTable::of(&predictions),
        not_scored: predictions.iter().filter(|p| p.score.is_none()).cloned().map(Refusal::of).collect(),
        subgroups: subgroups(&rows, &options.bootstrap),
        robustness,
    };
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    files::write(&out.join(record::PREDICTIONS), &record::to_csv(&predictions)?)?;
    let mut json = serde_json::to_vec_pretty(&metrics)?;
    json.push(b'\n');
    files::write(&out.join(record::METRICS), &json)?;
    Ok(metrics)
}

pub(crate) fn rows<'a>(predictions: impl Iterator<Item = &'a Prediction>) -> Vec<Row> {
    let row = |p: &Prediction| {
        Some(Row {
            patient: p.patient.clone(),
            label: p.label == 1,
            subgroup: p.subgroup.clone(),
            score: f64::from(p.score?),
            logit: f64::from(p.logit?),
            state: p.device_state()?,
        })
    };
    predictions.filter_map(row).collect()
}

/// Each kind of disease against all pictures without disease.
fn subgroups(rows: &[Row], bootstrap: &Bootstrap) -> Vec<Subgroup> {
    let named = rows.iter().filter(|r| r.label && !r.subgroup.is_empty());
    let names: BTreeSet<&str> = named.map(|r| r.subgroup.as_str()).collect();
    let one = |name: &str| {
        let mine: Vec<Row> = rows.iter().filter(|r| !r.label || r.subgroup == name).cloned().collect();
        let m = measure(&mine, bootstrap);
        let patients: BTreeSet<&str> = mine.iter().filter(|r| r.label).map(|r| r.patient.as_str()).collect();
        Subgroup {
            name: name.to_owned(),
            pictures: m.positives,
            patients: patients.len(),
            auc: m.statistics.auc,
            sensitivity: m.statistics.sensitivity,
            sensitivity_not_negative: m.statistics.sensitivity_not_negative,
        }
    };
    names.into_iter().map(one).collect()
}
