//! What `gate` can be asked for, and the pictures that `all` gives it.

use crate::dataset::DataArgs;
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Clone, Debug)]
pub struct GateArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// The exported model
    #[arg(long)]
    pub model: PathBuf,
    /// The file to write; the model itself may be named again
    #[arg(long, required_unless_present = "compare")]
    pub out: Option<PathBuf>,
    /// Compare detectors of what the model is not for on these pictures, into this JSON file, and leave
    /// the model as it is
    #[arg(long, value_name = "JSON", conflicts_with_all = ["out", "model_version"])]
    pub compare: Option<PathBuf>,
    /// Every draw of the fit, 1 by default; which patients train is the model's own matter, and this
    /// seed's only where the model does not say it
    #[arg(long)]
    pub seed: Option<u64>,
    /// How many drawings, without --data
    #[arg(long, default_value_t = 800)]
    pub phantoms: usize,
    /// Version to write into the model; without it, the version stays
    #[arg(long)]
    pub model_version: Option<String>,
    /// Fit anew without --unfamiliar a model that refers chests of another kind: it then answers for them,
    /// and is another version
    #[arg(long, requires = "model_version", conflicts_with_all = ["unfamiliar", "compare"])]
    pub forget_unfamiliar: bool,
    #[command(flatten)]
    pub others: OtherArgs,
}

/// Real pictures that the model is not for, in folders of any depth, without labels. Half of each, by
/// patient as far as file names tell, is fitted on, the other half measured.
#[derive(Args, Clone, Debug, Default)]
pub struct OtherArgs {
    /// Folder of pictures that are no upright frontal chests: the gate is to refuse such ones
    #[arg(long, value_name = "DIR")]
    pub not_chests: Vec<PathBuf>,
    /// Folder of chests unlike those that the model is measured on, adults' for example: the device is to
    /// refer such ones
    #[arg(long, value_name = "DIR")]
    pub unfamiliar: Vec<PathBuf>,
    /// Folder of pictures of either kind that is measured and never fitted on
    #[arg(long, value_name = "DIR")]
    pub measure_only: Vec<PathBuf>,
}
