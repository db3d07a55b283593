//! Scores a model on labelled pictures, exactly as a device would, and writes down how good it is.
//!
//! Every picture goes through the edge runtime's own decoder, gate, preprocessing, engine and
//! decision. What the gate refuses (INVALID), what cannot be read (UNREADABLE) and what the engine
//! fails on (FAULT) has no score: such pictures are counted in the table of states and listed by
//! name with the reason, and **all other numbers are over the scored pictures**. The device gives
//! no answer there, so counting a guess would flatter or punish it for something that nobody would
//! see; how many there are of each class stands beside every result.
//!
//! In `out`: `predictions.csv`, one line a picture, and `metrics.json`, which holds no date and no
//! time, so that the same model and pictures give the same bytes.

pub mod localization;
pub mod metrics;
pub mod perturbation;
pub mod prediction;
pub mod record;
pub mod robustness;
mod sample;
pub(crate) mod scoring;
mod table;

pub use prediction::{LabelledPicture, Prediction};
pub use record::Evaluation;
pub use scoring::MakeEngine;

use anyhow::{Context, Result, ensure};
use edge_model::activation::ActivationMapper;
use edge_model::engine::EngineKind;
use edge_model::files;
use edge_model::model_file::ModelFile;
use localization::measure_localization;
use metrics::{Bootstrap, ScoredPicture, measure};
use record::{DataFacts, ModelFacts, StateTable, Subgroup, UnscoredPicture};
use robustness::measure_robustness;
use sample::Sample;
use std::collections::BTreeSet;
use std::path::Path;

#[derive(Clone, Debug)]
pub struct EvaluationOptions {
    /// What the pictures are, for the reader of the numbers: source, part, how patients were told
    /// apart.
    pub description: String,
    /// Whether the model was trained on these pictures: then no figure says how it does on new patients.
    pub trained_on: bool,
    pub bootstrap: Bootstrap,
    /// Most pictures that robustness, and where the network looked, are measured on; 0 leaves both
    /// out.
    pub sample_limit: usize,
    pub engine: EngineKind,
}

impl Default for EvaluationOptions {
    fn default() -> Self {
        Self {
            description: String::new(),
            trained_on: false,
            bootstrap: Bootstrap::default(),
            sample_limit: 400,
            engine: EngineKind::default(),
        }
    }
}

/// Evaluates the model file at `model` on `items` and writes `predictions.csv` and `metrics.json`
/// into the folder `out`. An error where no picture can be scored.
pub fn run(
    model: &Path,
    items: &[LabelledPicture],
    out: &Path,
    options: &EvaluationOptions,
) -> Result<Evaluation> {
    let file = ModelFile::load(model).with_context(|| format!("cannot use the model {}", model.display()))?;
    let bytes = std::fs::metadata(model).map(|m| m.len()).ok();
    let make = || options.engine.load(&file).map_err(anyhow::Error::from);
    run_with(&file, bytes, &make, items, out, options)
}

/// [`run`] with a model that is already loaded, of `bytes` in its file, and engines that `make`
/// makes.
pub fn run_with(
    model: &ModelFile,
    bytes: Option<u64>,
    make: &MakeEngine,
    items: &[LabelledPicture],
    out: &Path,
    options: &EvaluationOptions,
) -> Result<Evaluation> {
    ensure!(!items.is_empty(), "expected labelled pictures to evaluate on, got none; check the data folder");
    let engines = scoring::EnginePool::new(model, make)?;
    let predictions = scoring::score_all(&engines, items);
    let mut scored = prediction::scored(predictions.iter());
    if scored.is_empty() {
        let why =
            predictions.first().map(|p| format!("{}: {} ({})", p.id, p.state, p.note)).unwrap_or_default();
        anyhow::bail!("none of {} pictures could be scored; the first is {why}", items.len());
    }
    if let Some(prevalence) = model.fitted_prevalence() {
        metrics::at_own_share(&mut scored, prevalence);
    }
    let (mut robustness, mut localization) = (None, None);
    if options.sample_limit > 0 {
        let bootstrap = &options.bootstrap;
        let sample = Sample::draw(&predictions, options.sample_limit, bootstrap.seed);
        robustness = Some(measure_robustness(&engines, items, &predictions, &sample, bootstrap));
        let mapper =
            ActivationMapper::new(model).context("the model cannot be packed, which its maps need")?;
        localization = measure_localization(&engines, &mapper, items, &predictions, &sample, bootstrap);
    }
    let evaluation = Evaluation {
        format: record::FORMAT,
        model: ModelFacts::of(model, bytes, options.engine.name()),
        data: DataFacts::of(items, &predictions, (&options.description, options.trained_on)),
        measured: measure(&scored, &options.bootstrap),
        states: StateTable::of(&predictions),
        not_scored: predictions
            .iter()
            .filter(|p| p.score.is_none())
            .cloned()
            .map(UnscoredPicture::of)
            .collect(),
        subgroups: subgroups(&scored, &options.bootstrap),
        robustness,
        localization,
    };
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    // Both name pictures, and so maybe patients.
    files::write_private(&out.join(prediction::PREDICTIONS), &prediction::to_csv(&predictions)?)?;
    let mut json = serde_json::to_vec_pretty(&evaluation)?;
    json.push(b'\n');
    files::write_private(&out.join(record::METRICS), &json)?;
    Ok(evaluation)
}

/// Each kind of disease against all pictures without disease.
fn subgroups(scored: &[ScoredPicture], bootstrap: &Bootstrap) -> Vec<Subgroup> {
    let named = scored.iter().filter(|r| r.label && !r.subgroup.is_empty());
    let names: BTreeSet<&str> = named.map(|r| r.subgroup.as_str()).collect();
    let one = |name: &str| {
        let mine: Vec<ScoredPicture> =
            scored.iter().filter(|r| !r.label || r.subgroup == name).cloned().collect();
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
