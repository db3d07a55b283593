//! One engine in one process, measured on request: what `cargo xtask bench` starts, asks in turn, and adds up.
//!
//! It speaks JSON lines, as `tests/bench.py` does for onnxruntime. After the first frame it says how long that took since
//! its first instruction. For each line `round` it runs all frames and answers with nanoseconds a frame; for the line
//! `end`, or where its input ends, it says what memory it took and which logits it gave, and ends.

use std::fs;
use std::hint::black_box;
use std::io::{BufRead, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use conformance::float_twin::FloatTwin;
use conformance::golden::Golden;
use edge_runtime::engine::{self, Engine};
use edge_runtime::model_file::ModelFile;
use edge_runtime::phantom::Label;
use nix::sys::resource::{UsageWho, getrusage};
use prost::Message;
use serde_json::json;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;

/// The float twin's file.
const FLOAT_MODEL: &str = "float.onnx";
/// The picture for the whole program, and its side in pixels.
const PICTURE: &str = "phantom.png";
const PICTURE_SIDE: u16 = 1024;
/// The name under which tract runs the float twin.
const TRACT_F32: &str = "tract-f32";

#[derive(Parser)]
#[command(about = "One engine, measured on request by `cargo xtask bench`")]
enum Arguments {
    /// Write what the workers read: golden frames, as bytes and as floats, and the float twin of the shipped model.
    Prepare {
        folder: PathBuf,
        /// Frames to write, taken evenly from the golden ones.
        #[arg(long)]
        frames: usize,
    },
    /// Measure one engine.
    Engine(Choice),
    /// Run a program to its end; say how long it took and what memory it held at most.
    #[command(subcommand)]
    Process(Process),
}

#[derive(clap::Args)]
struct Choice {
    /// One of edge-runtime's engines, or `tract-f32`.
    name: String,
    /// The folder that `prepare` wrote.
    folder: PathBuf,
    /// Kernels to use instead of the best that this machine has.
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
        Arguments::Prepare { folder, frames } => prepare(&folder, frames),
        Arguments::Engine(choice) if choice.name == TRACT_F32 => {
            let model = ModelProto::decode(&*fs::read(choice.folder.join(FLOAT_MODEL))?)?;
            serve::<f32>(float_engine(&model)?, &choice.folder, start)
        }
        Arguments::Engine(choice) => {
            let mut engine = int8_engine(&choice)?;
            let infer = move |frame: &[u8]| Ok(engine.infer(frame)?);
            serve::<u8>(infer, &choice.folder, start)
        }
        Arguments::Process(Process::Program(line)) => process(&line),
    }
}

/// One of edge-runtime's engines, ready for the shipped model.
fn int8_engine(choice: &Choice) -> anyhow::Result<Box<dyn Engine>> {
    ensure!(choice.kernels.is_none(), "this build has no kernels to choose from");
    let model = ModelFile::load(conformance::shipped_model())?;
    let engine = engine::load(&choice.name, &model);
    let expected = engine::NAMES;
    Ok(engine.with_context(|| {
        format!("there is no engine {}; expected {TRACT_F32} or {expected:?}", choice.name)
    })??)
}

/// tract on the float twin, as `edge_runtime::infer_tract` runs the int8 model.
fn float_engine(model: &ModelProto) -> anyhow::Result<impl FnMut(&[f32]) -> anyhow::Result<f32>> {
    let plan = tract_onnx::onnx().model_for_proto_model(model)?.into_optimized()?.into_runnable()?;
    Ok(move |frame: &[f32]| {
        let side = frame.len().isqrt();
        let outputs = plan.run(tvec!(Tensor::from_shape(&[1, 1, side, side], frame)?.into()))?;
        Ok(outputs[0].try_as_plain_ram()?.as_slice::<f32>()?[0])
    })
}

/// Answers the parent's lines until it has had enough.
fn serve<T: Element>(
    mut infer: impl FnMut(&[T]) -> anyhow::Result<f32>,
    folder: &Path,
    start: Instant,
) -> anyhow::Result<()> {
    let ready = start.elapsed();
    let frames = read_frames::<T>(folder)?;
    let first_frame = frames.first().context("expected at least one frame")?;
    let before = Instant::now();
    black_box(infer(first_frame)?);
    let first = ready + before.elapsed();
    say(&json!({ "ready_us": ready.as_secs_f64() * 1e6, "first_us": first.as_secs_f64() * 1e6 }))?;

    let lines = stdin().lock().lines();
    for line in lines {
        match line?.as_str() {
            "round" => {}
            "end" => break,
            other => anyhow::bail!("expected `round` or `end`, got {other:?}"),
        }
        // Another process had the core: one frame brings code and weights back into the caches.
        black_box(infer(first_frame)?);
        let mut nanoseconds = Vec::with_capacity(frames.len());
        for frame in &frames {
            let before = Instant::now();
            black_box(infer(black_box(frame))?);
            nanoseconds.push(u64::try_from(before.elapsed().as_nanos())?);
        }
        say(&json!(nanoseconds))?;
    }

    let mut run = Ok(0.0);
    let counted = allocation_counter::measure(|| run = infer(first_frame));
    run?;
    let logits = frames.iter().map(|frame| Ok(infer(frame)?.to_bits()));
    let logits = logits.collect::<anyhow::Result<Vec<u32>>>()?;
    say(&json!({
        "peak_kb": peak_kb()?,
        "allocations": counted.count_total,
        "allocated_bytes": counted.bytes_total,
        "logits": logits,
    }))
}

/// What a frame is made of.
trait Element: Sized {
    /// The folder's files of such frames end so.
    const SUFFIX: &str;
    /// The values in a file's bytes.
    fn values(bytes: Vec<u8>) -> Vec<Self>;
}

impl Element for u8 {
    const SUFFIX: &str = "u8";

    fn values(bytes: Vec<u8>) -> Vec<Self> {
        bytes
    }
}

impl Element for f32 {
    const SUFFIX: &str = "f32";

    fn values(bytes: Vec<u8>) -> Vec<Self> {
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    }
}

/// The frames of one kind that [`prepare`] wrote, in the order of their names.
fn read_frames<T: Element>(folder: &Path) -> anyhow::Result<Vec<Vec<T>>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|suffix| suffix == T::SUFFIX) {
            paths.push(path);
        }
    }
    paths.sort();
    paths.into_iter().map(|path| Ok(T::values(fs::read(path)?))).collect()
}

/// Writes the float twin and `count` golden frames, each as bytes for int8 and as f32, little-endian, for the twin.
fn prepare(folder: &Path, count: usize) -> anyhow::Result<()> {
    if folder.exists() {
        // Frames of an earlier run must not stay behind.
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let model = ModelFile::load(conformance::shipped_model())?;
    let twin = FloatTwin::of(&model.proto)?;
    fs::write(folder.join(FLOAT_MODEL), twin.proto.encode_to_vec())?;
    let frames = conformance::frames::all(model.metadata.input_side);
    let golden = Golden::shipped()?.frames;
    ensure!((1..=frames.len()).contains(&count), "expected 1 to {} frames, got {count}", frames.len());
    let mut logits = Vec::new();
    // Evenly over all, so that phantoms of both classes and the extremes are among them.
    for index in (0..count).map(|i| i * frames.len() / count) {
        let (frame, entry) = (&frames[index], &golden[index]);
        ensure!(frame.name == entry.name, "the golden vectors are of other frames; run `cargo xtask golden`");
        fs::write(folder.join(&frame.name).with_extension(u8::SUFFIX), &frame.input)?;
        let floats: Vec<u8> = twin.input(&frame.input).iter().flat_map(|v| v.to_le_bytes()).collect();
        fs::write(folder.join(&frame.name).with_extension(f32::SUFFIX), floats)?;
        logits.push(u32::from_str_radix(&entry.logit_bits, 16)?);
    }
    fs::write(folder.join(PICTURE), picture()?)?;
    say(&json!({ "logits": logits, "model_sha256": model.sha256 }))
}

/// A phantom as a PNG file, for measuring the whole program.
fn picture() -> anyhow::Result<Vec<u8>> {
    let drawn = edge_runtime::phantom::draw(Label::Pneumonia, 1, PICTURE_SIDE);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, PICTURE_SIDE.into(), PICTURE_SIDE.into());
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header()?.write_image_data(drawn.bytes())?;
    Ok(bytes)
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

/// The most memory that this process held at a time (`VmHWM`), in units of 1024 bytes.
fn peak_kb() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(number.context("expected `VmHWM: ... kB` in /proc/self/status")?.trim().parse()?)
}
