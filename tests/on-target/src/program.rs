//! What runs on every target: the same arguments and files give the same lines, whatever the
//! machine.
//!
//! `tensor NAME HASH` gives the first 16 bytes of a SHA-256, as in `models/pneumonia/golden.json`;
//! the other lines name themselves. `region INDEX NAME` says what a counted region is; the plugin
//! knows only its index.

use core::fmt;

use edge_core::infer::Engine;
use edge_core::kernels::suite::{self, OPERATORS};
use edge_core::kernels::{self, Kernels, Set};
use edge_core::packed::Packed;
use edge_core::{Frame, Geometry, PixelFormat, Scratch, preprocess};
use sha2::{Digest, Sha256};

use crate::classify;
use crate::machine::{Error, Machine, Memory};

pub const USAGE: &str = "usage: boards MODE
  known ROUNDS                              regions whose instructions are known
  unpaired                                  markers that do not pair up
  sets                                      names of the kernel sets that run here, the fastest first
  suite CASES                               the kernels' suite over every kernel set that runs here
  planted CASES                             the suite over kernels that are wrong
  preprocess PICTURE WIDTH HEIGHT SIDE      a grey picture to the network's input
  tensors MODEL FRAMES                      every tensor and logit of every frame, by every kernel set
  layers KERNELS MODEL FRAMES NUMBER        one frame, each layer a region
  classify MODEL PICTURES                   every picture through the whole pipeline, a row at a time
  stages KERNELS MODEL PICTURES             the first picture, each stage a region
FRAMES is a file of inputs, one after the other; PICTURES one of pictures with their sizes, see classify.rs.";

pub fn run(arguments: &[&str], machine: &mut impl Machine, memory: &mut Memory) -> Result<(), Error> {
    match *arguments {
        #[cfg(any(target_arch = "aarch64", target_arch = "arm"))]
        ["known", rounds] => {
            marker::known(number(rounds)?);
            Ok(writeln!(machine, "region 0 outer\nregion 1 loop\nregion 2 empty\nregion 3 page")?)
        }
        ["unpaired"] => {
            marker::stop();
            marker::start();
            Ok(writeln!(machine, "region 0 never ended")?)
        }
        ["sets"] => {
            let mut here = kernels::ALL.iter().filter_map(Set::kernels);
            Ok(here.try_for_each(|kernels| writeln!(machine, "set {}", kernels.name()))?)
        }
        ["suite", cases] => every_set(machine, &mut memory.suite.memory(), number(cases)?),
        ["planted", cases] => planted(machine, &mut memory.suite.memory(), number(cases)?),
        ["preprocess", path, width, height, side] => {
            picture(machine, memory, path, (number(width)?, number(height)?), number(side)?)
        }
        ["tensors", model, frames] => tensors(machine, memory, model, frames),
        ["layers", name, model, frames, frame] => {
            let kernels = kernels::by_name(name).ok_or(Error::Kernels)?;
            layers(machine, memory, kernels, (model, frames, number(frame)?))
        }
        ["classify", model, pictures] => classify::every(machine, memory, model, pictures),
        ["stages", name, model, pictures] => {
            let kernels = kernels::by_name(name).ok_or(Error::Kernels)?;
            classify::stages(machine, memory, kernels, (model, pictures))
        }
        _ => Err(Error::Usage),
    }
}

fn number<T: core::str::FromStr>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::Usage)
}

/// Runs the suite over every kernel set that this machine can run, and names them.
fn every_set(machine: &mut impl Machine, memory: &mut suite::Memory, cases: u64) -> Result<(), Error> {
    // Weights are bytes with a sign; the sizes are those of the slices that are replaced.
    let parts = [memory.x.len(), memory.scratch.len(), memory.packed.len()].map(|n| machine.guarded(n));
    if let [Some(x), Some(scratch), Some(packed)] = parts {
        (memory.x, memory.scratch, memory.packed) = (x, scratch, bytemuck::cast_slice_mut(packed));
    }
    for kernels in kernels::ALL.iter().filter_map(Set::kernels) {
        match suite::run(&kernels, 0, cases, memory) {
            Ok(()) => writeln!(machine, "suite {} passed", kernels.name())?,
            Err(failure) => writeln!(machine, "suite {} failed: {failure}", kernels.name())?,
        }
    }
    Ok(())
}

/// The suite bites on this machine too: each operator that is made wrong is found.
fn planted(machine: &mut impl Machine, memory: &mut suite::Memory, cases: u64) -> Result<(), Error> {
    for operator in OPERATORS {
        match suite::run_operator(operator, &suite::planted(operator), 0, cases, memory) {
            Err(failure) => writeln!(machine, "found {}", failure.operator)?,
            Ok(()) => writeln!(machine, "missed {operator}")?,
        }
    }
    for kernels in kernels::ALL.iter().filter_map(Set::kernels) {
        match suite::run_mislabelled(&kernels, 0, cases, memory) {
            Ok(()) => writeln!(machine, "label {} passed", kernels.name())?,
            Err(operator) => writeln!(machine, "label {} failed: {operator}", kernels.name())?,
        }
    }
    Ok(())
}

/// Preprocesses a grey picture of one byte a pixel, and says what the network would see and what
/// the gate would.
fn picture(
    machine: &mut impl Machine,
    memory: &mut Memory,
    path: &str,
    (width, height): (u32, u32),
    side: u16,
) -> Result<(), Error> {
    let length = machine.read(path, 0, &mut memory.file)?;
    let geometry = Geometry::new(width, height, PixelFormat::Gray8).map_err(|_| Error::Length)?;
    let frame = Frame::packed(geometry, &memory.file[..length]).map_err(|_| Error::Length)?;
    let (mut row, mut line, mut cells) = ([0; SIDE], [0; SIDE], [0; SIDE * SIDE]);
    let scratch = Scratch { row: &mut row, line: &mut line, cells: &mut cells };
    let pixels = usize::from(side) * usize::from(side);
    let input = memory.frame.get_mut(..pixels).ok_or(Error::Length)?;
    marker::start();
    let stats = preprocess(&frame, side, scratch, input);
    marker::stop();
    let stats = stats.map_err(Error::Preprocess)?;
    writeln!(machine, "tensor input {}", Hash(&Sha256::digest(input)))?;
    let exposure = [stats.mean, stats.deviation, stats.black_permille, stats.white_permille];
    writeln!(machine, "exposure {exposure:?}\nregion 0 preprocess")?;
    Ok(())
}

/// Largest side of the input that [`picture`] makes.
const SIDE: usize = 128;

/// Runs every frame with every kernel set that this machine can run.
fn tensors(machine: &mut impl Machine, memory: &mut Memory, model: &str, frames: &str) -> Result<(), Error> {
    let length = machine.read(model, 0, &mut memory.file)?;
    let model = Packed::new(&memory.file[..length]).map_err(Error::Model)?;
    let plan = model.plan().map_err(Error::Model)?;
    let size = plan.value(0).map_err(Error::Model)?.shape.bytes();
    let input = memory.frame.get_mut(..size).ok_or(Error::Length)?;
    for kernels in kernels::ALL.iter().filter_map(Set::kernels) {
        writeln!(machine, "kernels {}", kernels.name())?;
        let engine = Engine::new(model, kernels);
        for frame in 0.. {
            match machine.read(frames, frame * size, input)? {
                0 if frame > 0 => break,
                got if got == size => {}
                _ => return Err(Error::Length),
            }
            writeln!(machine, "frame {frame}")?;
            let mut written = Ok(());
            let mut observe = |layer: usize, bytes: &[u8]| {
                let (Ok(value), Ok(name)) = (plan.value(layer + 1), plan.name(layer + 1)) else { return };
                let hash = nchw(value.shape.channels, bytes);
                written = written.and_then(|()| writeln!(machine, "tensor {name} {}", Hash(&hash)));
            };
            let logit =
                engine.infer_observed(&mut memory.arena, input, &mut observe).map_err(Error::Infer)?;
            written?;
            writeln!(machine, "logit {:08x}", logit.to_bits())?;
        }
    }
    Ok(())
}

/// SHA-256 of a value in ONNX's order (channels x height x width); the engine's is height x width x
/// channels.
fn nchw(channels: usize, bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for channel in 0..channels {
        let mut plane = bytes.iter().skip(channel).step_by(channels);
        // In blocks, because the hash takes single bytes slowly.
        let mut block = [0; 256];
        loop {
            let mut length = 0;
            for (to, &from) in block.iter_mut().zip(&mut plane) {
                *to = from;
                length += 1;
            }
            if length == 0 {
                break;
            }
            hash.update(&block[..length]);
        }
    }
    hash.finalize().into()
}

/// Runs one frame with each layer in a region of its own: region 0 is the whole frame, layer `i`
/// region `i + 1`, the head last.
fn layers(
    machine: &mut impl Machine,
    memory: &mut Memory,
    kernels: Kernels,
    (model, frames, frame): (&str, &str, usize),
) -> Result<(), Error> {
    let length = machine.read(model, 0, &mut memory.file)?;
    let model = Packed::new(&memory.file[..length]).map_err(Error::Model)?;
    let plan = model.plan().map_err(Error::Model)?;
    let size = plan.value(0).map_err(Error::Model)?.shape.bytes();
    let input = memory.frame.get_mut(..size).ok_or(Error::Length)?;
    if machine.read(frames, frame.saturating_mul(size), input)? != size {
        return Err(Error::Length);
    }
    let engine = Engine::new(model, kernels);
    let mut next = |_: usize, _: &[u8]| marker::next();
    marker::start();
    marker::start();
    let logit = engine.infer_observed(&mut memory.arena, input, &mut next);
    marker::stop();
    marker::stop();
    let logit = logit.map_err(Error::Infer)?;
    writeln!(machine, "logit {:08x}\nregion 0 frame", logit.to_bits())?;
    for layer in 1..=plan.layers() {
        writeln!(machine, "region {layer} {}", plan.name(layer).map_err(Error::Model)?)?;
    }
    writeln!(machine, "region {} head", plan.layers() + 1)?;
    Ok(())
}

/// The form in which tensors are compared.
struct Hash<'a>(&'a [u8]);

impl fmt::Display for Hash<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(16).try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}
