//! One engine in one process, measured on request: what `cargo xtask bench` starts, asks in turn,
//! and adds up.
//!
//! It speaks JSON lines, as `tests/bench.py` does for onnxruntime. After the first frame it says
//! how long that took since its first instruction. For each line `round` it runs all frames and
//! answers with nanoseconds a frame; for the line `end`, or where its input ends, it says what
//! memory it took and which logits it gave, and ends.

mod frames;
mod serve;

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use edge_core::kernels;
use edge_model::engine::{Engine, EngineKind};
use edge_model::model_file::ModelFile;
use nix::sys::resource::{UsageWho, getrusage};
use prost::Message;
use serde_json::json;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;

/// The name under which tract runs the float twin.
const TRACT_F32: &str = "tract-f32";

#[derive(Parser)]
#[command(about = "One engine, measured on request by `cargo xtask bench`")]
enum Arguments {
    /// Write what workers and boards read: golden frames, as bytes and as floats, the models, a
    /// picture.
    Prepare {
        folder: PathBuf,
        /// Frames to write, taken evenly from the golden ones.
        #[arg(long)]
        frames: usize,
    },
    /// Answer requests for rounds with one engine.
    Engine(Choice),
    /// Run one frame with one engine, between markers for counting its instructions.
    Count(Choice),
    /// Run a program to its end; say how long it took and what memory it held at most.
    #[command(subcommand)]
    Process(Process),
}

#[derive(clap::Args)]
struct Choice {
    /// One of edge-model's engines, or `tract-f32`.
    name: String,
    /// The folder that `prepare` wrote.
    folder: PathBuf,
    /// Kernels to use instead of the fastest that this machine can run.
    #[arg(long)]
    kernels: Option<String>,
}

#[derive(Subcommand)]
enum Process {
    #[command(external_subcommand)]
    Program(Vec<String>),
}

fn main() -> anyhow::Result<()> {
    let start = Instant::now();
    match Arguments::parse() {
        Arguments::Prepare { folder, frames } => frames::prepare(&folder, frames),
        Arguments::Engine(choice) if choice.name == TRACT_F32 => {
            serve::rounds::<f32>(float_engine(&choice)?, &choice.folder, start)
        }
        Arguments::Engine(choice) => serve::rounds::<u8>(int8_engine(&choice)?, &choice.folder, start),
        Arguments::Count(choice) if choice.name == TRACT_F32 => {
            serve::count::<f32>(float_engine(&choice)?, &choice.folder)
        }
        Arguments::Count(choice) => serve::count::<u8>(int8_engine(&choice)?, &choice.folder),
        Arguments::Process(Process::Program(line)) => process(&line),
    }
}

/// One of edge-model's engines, ready for the shipped model.
fn int8_engine(choice: &Choice) -> anyhow::Result<impl FnMut(&[u8]) -> anyhow::Result<f32>> {
    let model = ModelFile::load(conformance::shipped_model())?;
    let kernels = match &choice.kernels {
        Some(name) => kernels::by_name(name).with_context(|| format!("no kernels {name} run here"))?,
        None => kernels::best(),
    };
    let kind: EngineKind = choice.name.parse().with_context(|| format!("and it is not {TRACT_F32}"))?;
    let mut engine = kind.load_with(kernels, &model)?;
    Ok(move |frame: &[u8]| Ok(engine.infer(frame)?))
}

/// tract on the float twin, as `edge_model::infer_tract` runs the int8 model.
fn float_engine(choice: &Choice) -> anyhow::Result<impl FnMut(&[f32]) -> anyhow::Result<f32>> {
    let path = choice.folder.join(frames::FLOAT_MODEL);
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let model = ModelProto::decode(&*bytes)?;
    let plan = tract_onnx::onnx().model_for_proto_model(&model)?.into_optimized()?.into_runnable()?;
    Ok(move |frame: &[f32]| {
        let side = frame.len().isqrt();
        let outputs = plan.run(tvec!(Tensor::from_shape(&[1, 1, side, side], frame)?.into()))?;
        Ok(outputs[0].try_as_plain_ram()?.as_slice::<f32>()?[0])
    })
}

/// Runs a program to its end, its output thrown away.
fn process(line: &[String]) -> anyhow::Result<()> {
    let (program, arguments) = line.split_first().context("expected a program")?;
    let before = Instant::now();
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status()?;
    let elapsed = before.elapsed();
    ensure!(status.success(), "{program} ended with {status}");
    // Linux counts in units of 1024 bytes; this process has had no other child.
    let peak_kb = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    say(&json!({ "elapsed_us": elapsed.as_secs_f64() * 1e6, "peak_kb": peak_kb }))
}

fn say(answer: &serde_json::Value) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{answer}")?;
    Ok(out.flush()?)
}
