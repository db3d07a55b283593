//! The command line: subcommands, options, help.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  edge-runtime                                  classify the built-in demonstration frames
  edge-runtime classify film.png                one picture
  edge-runtime classify --json films/ > log     a folder, one JSON object a line
  scan | edge-runtime classify -                one picture from standard input
  edge-runtime --model new.onnx about           what a model says of itself

Exit codes:
  0  every picture got an answer (whichever)
  1  anything else went wrong, such as results that could not be written
  2  the command line is wrong
  3  some pictures could not be read or got no answer; the others were answered
  4  the model was refused

It supports a decision; it is not a diagnosis. See `edge-runtime about` for the intended use.";

/// Classifies chest X-ray pictures with a Pneumoscope model. Without a subcommand: a demonstration.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// Model file to use instead of the one that this program was built with.
    #[arg(long, value_name = "FILE", global = true)]
    pub model: Option<PathBuf>,
    /// Write one JSON object a line instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Classify pictures: JPEG or PNG files, folders, or `-` for standard input.
    #[command(after_help = EXAMPLES)]
    Classify {
        /// Files (JPEG or PNG by content), folders (their .jpg, .jpeg and .png files, recursively, sorted), or `-`.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Measure preprocessing and inference on this machine, one thread.
    Bench(BenchOptions),
    /// Show version, engines, limits, and what the model says of itself.
    About,
}

#[derive(Args, Debug)]
pub struct BenchOptions {
    /// Measure this engine only.
    #[arg(long, value_name = "NAME", value_parser = edge_runtime::engine::NAMES)]
    pub engine: Option<String>,
    /// Frames to measure.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub frames: u32,
    /// Side of the square frames, in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 1024, value_parser = clap::value_parser!(u16).range(32..=8000))]
    pub side: u16,
}

/// For whom the output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A person: tables and sentences.
    Text,
    /// A program: one JSON object a line.
    Json,
}

impl Cli {
    pub fn output(&self) -> Output {
        if self.json { Output::Json } else { Output::Text }
    }
}
