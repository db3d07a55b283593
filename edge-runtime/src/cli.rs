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
  edge-runtime --model new.onnx pack new.packed one flat file for devices
  edge-runtime inspect new.packed               its layers, arena and metadata

Exit codes:
  0  every picture got an answer (whichever)
  1  anything else went wrong, such as results that could not be written
  2  the command line is wrong
  3  some pictures could not be read or got no answer; the others were answered
  4  the model was refused
  5  `log verify` found that the log is not what was written

It supports a decision; it is not a diagnosis. See `edge-runtime about` for the intended use.";

/// Classifies chest X-ray pictures with a Pneumoscope model. Without a subcommand: a demonstration.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// Model file to use instead of the one that this program was built with.
    #[arg(long, value_name = "FILE", global = true)]
    pub model: Option<PathBuf>,
    /// What computes the network: the answers are the same, the speed is not. [default: tract; bench measures all]
    #[arg(long, value_name = "NAME", global = true, value_parser = edge_runtime::engine::NAMES)]
    pub engine: Option<String>,
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
    /// Write the model as one flat file that devices read in place, weights laid out for their kernels.
    Pack {
        /// The file to write.
        #[arg(value_name = "OUT")]
        out: PathBuf,
    },
    /// Show a model's layers, their places in the arena, and its metadata.
    Inspect {
        /// An ONNX or a packed model; without it the one of --model, or the built-in one.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Measure preprocessing and inference on this machine, one thread, with every engine or the one named.
    Bench(BenchOptions),
    /// Check, export or sum up a device's log.
    #[command(subcommand)]
    Log(crate::commands::log::Log),
    /// Choose thresholds from pictures that were read at this site.
    Calibrate(crate::commands::calibrate::Calibrate),
    /// Show version, engines, limits, and what the model says of itself.
    About,
}

#[derive(Args, Debug)]
pub struct BenchOptions {
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
    /// The engine that was named, or the default one.
    pub fn engine(&self) -> &str {
        self.engine.as_deref().unwrap_or(edge_runtime::engine::DEFAULT)
    }

    pub fn output(&self) -> Output {
        if self.json { Output::Json } else { Output::Text }
    }
}
