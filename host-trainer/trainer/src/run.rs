//! A training run's folder: what was asked for, which patients were drawn, how each epoch went.
//! Every step reads it and adds to it, so that any step can be run again alone.
//!
//! ```text
//! run.json          recipe, data, split                 train.safetensors     state after the last float epoch
//! data.json         what was read, left out, is there twice
//! gate.json         how many training pictures the model's gate was fitted on
//! history.json      one entry an epoch                  float.safetensors     the float network
//! quantize.json     float and int8 side by side         quantize.safetensors  state after the last int8 epoch
//! model.onnx        the model                           validation/ shifted/ film/  metrics.json, predictions.csv
//!
//! a teacher's has run.json, history.json and            teach.safetensors     state after the last epoch
//!                                                       teacher.safetensors   the network
//! ```

use crate::dataset::split::{Split, SplitKind};
use crate::dataset::{Sample, content_hash, patients_hash};
use crate::train::net::Net;
use anyhow::{Context, Result, ensure};
use edge_model::files;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt;
use std::path::{Path, PathBuf};

/// Everything that decides the outcome of a run, besides the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Split, first weights, order and changes of the pictures.
    pub seed: u64,
    /// Side of the network's input, in pixels.
    pub side: u16,
    /// Multiplies the network's channels, see [`Net::pneumonia`].
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub width: f64,
    /// Share of each class for validation.
    pub validation_share: f32,
    pub epochs: usize,
    /// Pictures a step of the optimizer.
    pub batch: usize,
    /// Largest learning rate.
    pub rate: f64,
    /// Weight decay, a step of learning rate 1.
    pub decay: f64,
    /// Decay of the weights' moving average.
    pub average: f64,
    /// In float, share of each label that goes to both classes alike (label smoothing).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub smoothing: f64,
    /// In float, alpha of mixup: how much of another picture is mixed into each; 0 for nothing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub mixup: f64,
    /// In float, rho of sharpness-aware minimisation: how far the parameters climb before their
    /// gradient is taken; 0 for the gradient where they are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sam: f64,
    /// In float, weight of an auxiliary head's loss beside the network's own: bacterial against viral.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub auxiliary: f64,
    /// In int8, weight of the loss of a head that tells training pictures from those that the model is
    /// not for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub others: f64,
    pub quantized_epochs: usize,
    pub quantized_rate: f64,
    /// Threads of libtorch, whatever the machine has: over more or fewer, sums are rounded otherwise. Those
    /// that change pictures are not among them, and may be any number.
    #[serde(default = "one_thread")]
    pub threads: u8,
    /// How many draws of the pictures' changes there are: epoch e has the draw e modulo this number,
    /// which is the same in every run. 0: each epoch has a draw of its own, by the seed.
    #[serde(default)]
    pub draws: u64,
    /// Seed of the split, where it is not the recipe's own: networks of several seeds then learn from
    /// the same patients, and from the same teachers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_seed: Option<u64>,
    /// For a teacher: which one. None for the network that ships.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teacher: Option<TeacherRecipe>,
    /// Which teachers the network learns from, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taught: Option<TaughtRecipe>,
    /// Share of the training pictures that are photographed from a film, 0 to 1.
    #[serde(default)]
    pub film: f64,
    /// Which patients validate.
    #[serde(default)]
    pub split: SplitKind,
}

/// What makes a teacher of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeacherRecipe {
    /// The network's name, as in `--size`.
    pub size: String,
    /// SHA-256 of the weights that it starts from; none where these are drawn.
    pub weights: Option<String>,
    /// Seed of the split: the pupils'. The recipe's own seed is for everything else.
    pub split_seed: u64,
}

/// What a network learns from beside the labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaughtRecipe {
    /// SHA-256 of each teacher's file.
    pub teachers: Vec<String>,
    /// Sides of the teachers' inputs, in pixels.
    #[serde(default)]
    pub sides: Vec<u16>,
    /// Divides the logits of teacher and pupil.
    pub temperature: f64,
    /// Share of the teachers in the loss, 0 to 1.
    pub share: f64,
}

fn one() -> f64 {
    1.0
}

fn one_thread() -> u8 {
    1
}

fn is_one(value: &f64) -> bool {
    *value == 1.0
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Recipe {
    /// The network that ships; a teacher's is that of its size.
    pub fn net(&self) -> Net {
        Net::pneumonia(i64::from(self.side), self.width)
    }

    /// Seed of the split into training and validation patients.
    pub fn split_seed(&self) -> u64 {
        self.teacher.as_ref().map_or(self.split_seed.unwrap_or(self.seed), |teacher| teacher.split_seed)
    }
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 1,
            side: 128,
            width: 1.0,
            validation_share: 0.2,
            epochs: 24,
            batch: 48,
            rate: 3e-3,
            decay: 0.05,
            average: 0.995,
            smoothing: 0.0,
            mixup: 0.0,
            sam: 0.0,
            auxiliary: 0.0,
            quantized_epochs: 4,
            quantized_rate: 0.02,
            others: 0.0,
            threads: 1,
            draws: 0,
            split_seed: None,
            teacher: None,
            taught: None,
            film: 0.0,
            split: SplitKind::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Float,
    Qat,
    Teacher,
}

impl Phase {
    /// Number that the phase's first epoch has as a key of random draws: phases share none.
    pub fn first_epoch(self) -> u64 {
        match self {
            Phase::Float => 0,
            Phase::Qat => 1 << 32,
            Phase::Teacher => 2 << 32,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Phase::Float => "float",
            Phase::Qat => "int8",
            Phase::Teacher => "teach",
        })
    }
}

/// One line of the learning curves. Not a number is null in JSON; whoever may meet one reads an
/// `Option` as `T`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch<T = f64> {
    /// From 1, in its phase.
    pub epoch: usize,
    pub phase: Phase,
    /// On the changed training pictures: class-balanced cross-entropy, and where there is a teacher
    /// its share (see [`crate::train::distillation`]).
    pub train_loss: T,
    /// Share on the right side of a logit of 0.
    pub train_accuracy: T,
    pub val_loss: T,
    pub val_accuracy: T,
    /// Area under the ROC curve on validation patients.
    pub val_auc: T,
    pub shifted_loss: T,
    pub shifted_accuracy: T,
    pub shifted_auc: T,
    pub seconds: T,
    /// On photographs of films; none in runs that are older than this set.
    #[serde(default)]
    pub film_loss: Option<f64>,
    #[serde(default)]
    pub film_accuracy: Option<f64>,
    #[serde(default)]
    pub film_auc: Option<f64>,
}

/// A run; `run.json` holds what does not change.
#[derive(Debug, Serialize, Deserialize)]
pub struct Run {
    #[serde(skip)]
    pub folder: PathBuf,
    pub recipe: Recipe,
    /// The data's name in reports and in the model: the last part of its path.
    pub data: String,
    /// Its [`crate::dataset::content_hash`].
    pub data_sha256: String,
    /// Its [`crate::dataset::patients_hash`]; none in runs of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patients_sha256: Option<String>,
    pub notes: Vec<String>,
    pub split: Split,
    trainer: String,
    tch: String,
    #[serde(skip)]
    pub history: Vec<Epoch>,
}

/// Where runs lie that were given no folder.
const RUNS: &str = "runs";

/// The folder to use: the one asked for, else a new one below `runs/`, or the newest one there to
/// go on with.
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

/// Name of the file of ids of validation pictures that the exported model's score was fitted on.
pub const HELD_APART: &str = "held-apart.json";
/// Where the data is not that of the run.
const LACKS: &str =
    "the data lacks pictures that this run's split names; give the data that it was started on";

impl Run {
    /// Starts a run in `folder`. With `resume`, a run that is there goes on if it was asked for
    /// with the same recipe and data; otherwise an unfinished or finished run there is an error, so
    /// that nothing is overwritten unasked.
    pub fn start(
        folder: &Path,
        recipe: Recipe,
        (data, data_sha256): (String, String),
        notes: Vec<String>,
        samples: &[Sample],
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
            ensure!(
                run.data_sha256 == data_sha256,
                "{} was started on other data ({})",
                folder.display(),
                run.data
            );
            run.check_patients(samples)?;
            return Ok(run);
        }
        let patients_sha256 = Some(patients_hash(samples));
        let split = Split::of_kind(recipe.split, samples, recipe.validation_share, recipe.split_seed())?;
        let (folder, trainer, tch) = (folder.into(), TRAINER.into(), TCH.into());
        let run = Self {
            folder,
            recipe,
            data,
            data_sha256,
            patients_sha256,
            notes,
            split,
            trainer,
            tch,
            history: vec![],
        };
        run.write_json("run.json", &run)?;
        Ok(run)
    }

    pub fn open(folder: &Path) -> Result<Self> {
        let run: Self = read_json(&folder.join("run.json")).context("run the `train` step first")?;
        let history = folder.join("history.json");
        let history = if history.exists() { read_json(&history)? } else { vec![] };
        Ok(Self { folder: folder.into(), history, ..run })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// An error where these are not the samples that the run was started on, or are told apart by other
    /// patients: what its split keeps apart would be mixed.
    pub fn check(&self, samples: &[Sample]) -> Result<()> {
        ensure!(
            content_hash(samples) == self.data_sha256,
            "this is not the data that {} was started on ({}); give the same --data, --labels and --classes. A list may be read \
             otherwise than by an earlier version: then train anew",
            self.folder.display(),
            self.data
        );
        self.check_patients(samples)
    }

    fn check_patients(&self, samples: &[Sample]) -> Result<()> {
        let same = match &self.patients_sha256 {
            Some(hash) => *hash == patients_hash(samples),
            None => self.split.torn(samples).is_none(),
        };
        ensure!(
            same,
            "{} was started with other patients: the pictures are the same, whose they are is not. Give the same list of \
             patients (--patients, --labels and --patient-column) as then, or train anew with this one in another --run \
             folder",
            self.folder.display()
        );
        Ok(())
    }

    /// Indices of training and validation samples; an error where the split is of other data.
    pub fn indices(&self, samples: &[Sample]) -> Result<(Vec<usize>, Vec<usize>)> {
        self.split.indices(samples).context(LACKS)
    }

    /// The validation samples in two halves: to fit score and thresholds on, and to report on.
    pub fn halves(&self, samples: &[Sample]) -> Result<(Vec<usize>, Vec<usize>)> {
        self.split.halves(samples).context(LACKS)
    }

    pub fn record(&mut self, e: Epoch) -> Result<()> {
        println!(
            "{:>5} {:>3}  loss {:.4} / {:.4} / {:.4}  AUC {:.4} / {:.4} / {:.4} (film)  {:.0} s",
            e.phase,
            e.epoch,
            e.train_loss,
            e.val_loss,
            e.shifted_loss,
            e.val_auc,
            e.shifted_auc,
            e.film_auc.unwrap_or(f64::NAN),
            e.seconds
        );
        self.history.push(e);
        self.write_json("history.json", &self.history)
    }

    /// Forgets epochs of `phase` after the first `epochs`: those whose state was not saved any
    /// more.
    pub fn truncate(&mut self, phase: Phase, epochs: usize) {
        self.history.retain(|e| e.phase != phase || e.epoch <= epochs);
    }

    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        // Names of pictures, which may be names of patients.
        files::write_private(&self.path(name), text.as_bytes())?;
        Ok(())
    }

    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        read_json(&self.path(name))
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is damaged or of another version", path.display()))
}
