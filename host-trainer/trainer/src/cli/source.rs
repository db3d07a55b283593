//! What several runs share: where their pictures come from, and what computes them.

use crate::dataset::DataArgs;
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Clone, Debug)]
pub struct SourceArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// How many drawings, without --data
    #[arg(long, default_value_t = 800)]
    pub phantoms: usize,
    /// Use CUDA where libtorch has it
    #[arg(long)]
    pub cuda: bool,
    /// ImageNet's weights for the file's teachers, as in `all`; without them they are fetched
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub weights: Vec<PathBuf>,
    /// Threads of libtorch, where the runs' options say it.
    #[arg(skip)]
    pub threads: Option<u8>,
}
