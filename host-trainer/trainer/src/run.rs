//! A training run's folder: what was asked for, which patients were drawn, how each epoch went. Every step reads it and
//! adds to it, so that any step can be run again alone.
//!
//! ```text
//! run.json          recipe, data, split                 train.safetensors     state after the last float epoch
//! history.json      one entry an epoch                  float.safetensors     the float network
//! quantize.json     float and int8 side by side         quantize.safetensors  state after the last int8 epoch
//! model.onnx        the model                           validation/ shifted/  metrics.json and predictions.csv
//! ```

use crate::dataset::Case;
use crate::fit::Sums;
use crate::split::Split;
use crate::validation::Scored;
use anyhow::{Context, Result, bail, ensure};
use edge_runtime::files;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything that decides the outcome of a run, besides the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Split, first weights, order and changes of the pictures.
    pub seed: u64,
    /// Side of the network's input, in pixels.
    pub side: u16,
    /// Share of each class for validation.
    pub validation_share: f32,
    pub epochs: usize,
    pub batch: usize,
    pub rate: f64,
    pub decay: f64,
    /// Decay of the weights' moving average.
    pub average: f64,
    pub quantized_epochs: usize,
    pub quantized_rate: f64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 1,
            side: 128,
            validation_share: 0.2,
            epochs: 24,
            batch: 48,
            rate: 3e-3,
            decay: 0.05,
            average: 0.995,
            quantized_epochs: 4,
            quantized_rate: 0.02,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Float,
    Qat,
}

impl Phase {
    /// Number that the phase's first epoch has as a key of random draws: phases share none.
    pub fn first_epoch(self) -> u64 {
        match self {
            Phase::Float => 0,
            Phase::Qat => 1 << 32,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if *self == Phase::Float { "float" } else { "int8" })
    }
}

/// One line of the learning curves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1, in its phase.
    pub epoch: usize,
    pub phase: Phase,
    /// Class-balanced cross-entropy on the changed training pictures.
    pub train_loss: f64,
    /// Share on the right side of a logit of 0.
    pub train_accuracy: f64,
    pub val_loss: f64,
    pub val_accuracy: f64,
    /// Area under the ROC curve on validation patients.
    pub val_auc: f64,
    pub shifted_loss: f64,
    pub shifted_accuracy: f64,
    pub shifted_auc: f64,
    pub seconds: f64,
}

impl Epoch {
    pub fn new(
        epoch: usize,
        phase: Phase,
        sums: &Sums,
        plain: &Scored,
        shifted: &Scored,
        time: Duration,
    ) -> Self {
        Self {
            epoch,
            phase,
            train_loss: sums.loss / sums.count.max(1.0),
            train_accuracy: sums.right / sums.count.max(1.0),
            val_loss: plain.loss,
            val_accuracy: plain.accuracy,
            val_auc: plain.auc,
            shifted_loss: shifted.loss,
            shifted_accuracy: shifted.accuracy,
            shifted_auc: shifted.auc,
            seconds: time.as_secs_f64(),
        }
    }
}

/// What `run.json` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Plan {
    recipe: Recipe,
    data: String,
    data_sha256: String,
    notes: Vec<String>,
    split: Split,
    trainer: String,
    tch: String,
}

#[derive(Debug)]
pub struct Run {
    folder: PathBuf,
    pub recipe: Recipe,
    /// What the data was called and its [`crate::dataset::content_hash`].
    pub data: (String, String),
    pub notes: Vec<String>,
    pub split: Split,
    pub history: Vec<Epoch>,
}

/// Where runs lie that were given no folder.
const RUNS: &str = "runs";

/// The folder to use: the one asked for, else a new one below `runs/`, or the newest one there to go on with.
pub fn folder(asked: Option<&Path>, new: bool) -> Result<PathBuf> {
    if let Some(asked) = asked {
        return Ok(asked.into());
    }
    let numbered = |n: usize| Path::new(RUNS).join(format!("{n:03}"));
    let used = (1..).take_while(|&n| numbered(n).exists()).count();
    if new {
        return Ok(numbered(used + 1));
    }
    ensure!(
        used > 0,
        "there is no run below {RUNS}/ yet; run the `train` step first, or name the folder with --run"
    );
    Ok(numbered(used))
}

/// Version of this program, as models and runs record it.
pub const TRAINER: &str = concat!("host-trainer ", env!("CARGO_PKG_VERSION"));
/// Version of the bindings and of libtorch behind them.
pub const TCH: &str = "tch 0.26, libtorch 2.13.0";

impl Run {
    /// Starts a run in `folder`. With `resume`, a run that is there goes on if it was asked for with the same recipe and
    /// data; otherwise an unfinished or finished run there is an error, so that nothing is overwritten unasked.
    pub fn start(
        folder: &Path,
        recipe: Recipe,
        data: (String, String),
        notes: Vec<String>,
        cases: &[Case],
        resume: bool,
    ) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        if folder.join("run.json").exists() {
            ensure!(
                resume,
                "{} holds a run already; add --resume to go on with it, or choose another --run folder",
                folder.display()
            );
            let run = Self::open(folder)?;
            ensure!(
                run.recipe == recipe,
                "{} was started with another recipe: {:?}",
                folder.display(),
                run.recipe
            );
            ensure!(run.data.1 == data.1, "{} was started on other data ({})", folder.display(), run.data.0);
            return Ok(run);
        }
        let split = Split::draw(cases, recipe.validation_share, recipe.seed);
        let run = Self { folder: folder.into(), recipe, data, notes, split, history: vec![] };
        let plan = Plan {
            recipe: run.recipe.clone(),
            data: run.data.0.clone(),
            data_sha256: run.data.1.clone(),
            notes: run.notes.clone(),
            split: run.split.clone(),
            trainer: TRAINER.into(),
            tch: TCH.into(),
        };
        run.write_json("run.json", &plan)?;
        Ok(run)
    }

    pub fn open(folder: &Path) -> Result<Self> {
        let mut run = Self {
            folder: folder.into(),
            recipe: Recipe::default(),
            data: Default::default(),
            notes: vec![],
            split: Split { seed: 0, train: vec![], validation: vec![], duplicate_groups: 0 },
            history: vec![],
        };
        let plan: Plan = run.read_json("run.json").context("run the `train` step first")?;
        run.history = if run.path("history.json").exists() { run.read_json("history.json")? } else { vec![] };
        (run.recipe, run.split, run.notes) = (plan.recipe, plan.split, plan.notes);
        run.data = (plan.data, plan.data_sha256);
        Ok(run)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Indices of training and validation cases; an error where the split is of other data.
    pub fn indices(&self, cases: &[Case]) -> Result<(Vec<usize>, Vec<usize>)> {
        match self.split.indices(cases) {
            Some(indices) => Ok(indices),
            None => bail!(
                "the data lacks pictures that this run's split names; give the data that it was started on"
            ),
        }
    }

    pub fn record(&mut self, epoch: Epoch) -> Result<()> {
        println!(
            "{:>5} {:>3}  loss {:.4} / {:.4} / {:.4}  AUC {:.4} / {:.4}  {:.0} s",
            epoch.phase,
            epoch.epoch,
            epoch.train_loss,
            epoch.val_loss,
            epoch.shifted_loss,
            epoch.val_auc,
            epoch.shifted_auc,
            epoch.seconds
        );
        self.history.push(epoch);
        self.write_json("history.json", &self.history)
    }

    /// Forgets epochs of `phase` after the first `epochs`: those whose state was not saved any more.
    pub fn truncate(&mut self, phase: Phase, epochs: usize) {
        self.history.retain(|e| e.phase != phase || e.epoch <= epochs);
    }

    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        files::write(&self.path(name), text.as_bytes())?;
        Ok(())
    }

    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let path = self.path(name);
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged or of another version", path.display()))
    }
}
