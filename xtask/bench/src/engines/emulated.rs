//! Executed instructions on machines that are emulated: exact, the same on every host, and no time.

use std::path::Path;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use super::engine::{self, Setup};
use emulation::machine::{self, Machine};
use toolbox::cross::{self, ON_TARGET, Profile, Program};
use toolbox::root;

/// The worker, built for another machine; there it counts instead of taking times.
const WORKER: Program = Program { manifest: "tests/Cargo.toml", bin: "bench_worker", features: &[] };
/// The engine to which all are compared on aarch64.
pub const AARCH64_BASELINE: &str = "tract-f32";
const CORTEX_M_KERNELS: &str = "dsp";

/// One engine's frame on the two aarch64 machines.
#[derive(Debug, Serialize)]
pub struct Aarch64 {
    pub engine: String,
    /// On a Cortex-A53, which has no SDOT.
    pub a53: u64,
    /// On a Cortex-A76, which has.
    pub a76: u64,
}

/// Counts a frame of each of our engines and of tract's floats.
pub fn aarch64(setup: &Setup) -> anyhow::Result<Vec<Aarch64>> {
    let worker = cross::build(Machine::CortexA53.target(), WORKER, Profile::Release)?;
    let folder = setup.folder.to_str().context("the workspace's path is not UTF-8")?;
    let count = |machine, engine: &str| -> anyhow::Result<u64> {
        let (printed, regions) = machine::counted(machine, &worker, &["count", engine, folder])?;
        ensure!(
            engine == AARCH64_BASELINE || golden(setup, &printed),
            "{engine} on {machine:?} gives another logit than the golden vectors: {printed}"
        );
        Ok(regions.first().context("no region was counted")?.instructions)
    };
    let engines = setup.prepared.engines.iter().map(String::as_str).chain([AARCH64_BASELINE]);
    engines
        .map(|engine| {
            let (a53, a76) = (count(Machine::CortexA53, engine)?, count(Machine::CortexA76, engine)?);
            Ok(Aarch64 { engine: engine.to_owned(), a53, a76 })
        })
        .collect()
}

/// Whether a run printed the golden logit of the last frame.
fn golden(setup: &Setup, printed: &str) -> bool {
    setup.prepared.logits.last().is_some_and(|bits| printed.contains(&format!("logit {bits:08x}\n")))
}

#[derive(Debug, Serialize)]
pub struct Layer {
    #[serde(flatten)]
    pub shape: Shape,
    /// Executed in the core engine, requantization included.
    pub instructions: u64,
    /// What CMSIS-NN takes for such a layer; none where no figure is known.
    pub cmsis_nn: Option<f64>,
}

/// What `edge-runtime inspect --json` says of a layer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Shape {
    pub name: String,
    pub operator: String,
    /// Height, width, channels.
    pub input: [u64; 3],
    pub output: [u64; 3],
    pub stride: [u64; 2],
    pub macs: u64,
}

/// One frame on the Cortex-M4F.
#[derive(Debug, Serialize)]
pub struct CortexM {
    /// Instructions of the whole frame, pooling and head included.
    pub frame: u64,
    pub layers: Vec<Layer>,
}

/// Counts each layer of one frame, and the frame.
pub fn cortex_m(setup: &Setup) -> anyhow::Result<CortexM> {
    #[derive(Deserialize)]
    struct Inspection {
        layers: Vec<Shape>,
    }
    let inspection: Inspection = engine::answer(setup.inspect())?;
    let program = cross::build(Machine::CortexM4.target(), ON_TARGET, Profile::Chip)?;
    let input = setup.last_frame()?;
    let model = setup.folder.join("model.packed");
    // As the board sees them, from the workspace's folder: its command line is short and has no spaces.
    let text = |path: &Path| -> anyhow::Result<String> {
        Ok(path.strip_prefix(root())?.to_str().context("the path is not UTF-8")?.to_owned())
    };
    let (printed, regions) = machine::counted(
        Machine::CortexM4,
        &program,
        &["layers", CORTEX_M_KERNELS, &text(&model)?, &text(&input)?, "0"],
    )?;
    ensure!(golden(setup, &printed), "the Cortex-M4F gives another logit: {printed}");
    let count = |name: &str| {
        let region = regions.iter().find(|region| region.label == name);
        Ok::<_, anyhow::Error>(region.with_context(|| format!("{name} was not counted"))?.instructions)
    };
    let layer =
        |shape: Shape| Ok(Layer { instructions: count(&shape.name)?, cmsis_nn: cmsis_nn(&shape), shape });
    let layers = inspection.layers.into_iter().map(layer).collect::<anyhow::Result<_>>()?;
    Ok(CortexM { frame: count("frame")?, layers })
}

/// Instructions of CMSIS-NN (2026-07, GCC -Ofast) for a layer, from what was counted on an emulated
/// Cortex-M4F, requantization included, in instructions a multiply-accumulate: first convolution
/// 3x3 1->16 10.53; depthwise 3x3 8.80 with stride 1 and 8.81 with stride 2; pointwise 3.96, 2.28,
/// 1.86, 1.79 for 16, 48, 96, 128 input channels; and 80.9 an element of a residual addition.
fn cmsis_nn(shape: &Shape) -> Option<f64> {
    let macs = shape.macs as f64;
    match (shape.operator.as_str(), shape.stride[0]) {
        ("single_channel", _) => Some(10.53 * macs),
        ("depthwise", 1) => Some(8.80 * macs),
        ("depthwise", 2) => Some(8.81 * macs),
        ("pointwise", _) => Some(pointwise(shape.input[2] as f64) * macs),
        ("add", _) => Some(80.9 * shape.output.iter().product::<u64>() as f64),
        _ => None,
    }
}

/// The requantization's share falls with the input channels: a line in their reciprocal through the
/// figures for 16 and 128 meets those for 48 and 96 within 2 %.
fn pointwise(channels: f64) -> f64 {
    let (few, many) = ((1.0 / 16.0, 3.96), (1.0 / 128.0, 1.79));
    many.1 + (1.0 / channels - many.0) * (few.1 - many.1) / (few.0 - many.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_meets_every_figure() {
        for (channels, figure) in [(16.0, 3.96), (48.0, 2.28), (96.0, 1.86), (128.0, 1.79)] {
            let ratio = pointwise(channels) / figure;
            assert!((0.98..1.02).contains(&ratio), "{channels}: {ratio}");
        }
    }
}
