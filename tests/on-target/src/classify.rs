//! The whole way of a frame: its rows stream through one pipeline in one arena, as in a device that
//! never holds the frame.
//!
//! A file of pictures holds one after the other: three little-endian words (width, height, the
//! format's place in [`PixelFormat::ALL`]), then the rows from the top.

use core::fmt;

use edge_core::gate::QualityMetrics;
use edge_core::kernels::{self, Kernels, Set};
use edge_core::pipeline::FrameResult;
use edge_core::{Geometry, Packed, Pipeline, PixelFormat};

use crate::machine::{Error, Machine, Memory};

/// Judges every picture of a file, a row at a time, with the fastest kernels that this machine can
/// run.
pub fn every(
    machine: &mut impl Machine,
    memory: &mut Memory,
    model: &str,
    pictures: &str,
) -> Result<(), Error> {
    let kernels = kernels::ALL.iter().find_map(Set::kernels).ok_or(Error::Kernels)?;
    let length = machine.read(model, 0, &mut memory.file)?;
    let pipeline = pipeline(&memory.file[..length], kernels)?;
    let arena = arena(&pipeline, &mut memory.arena)?;
    let mut at = 0;
    for index in 0.. {
        let Some(geometry) = header(machine, pictures, &mut at)? else {
            return if index > 0 { Ok(()) } else { Err(Error::Length) };
        };
        let row = memory.frame.get_mut(..geometry.row_bytes()).ok_or(Error::Length)?;
        let mut incoming = pipeline.begin(geometry, arena).map_err(Error::Infer)?;
        for _ in 0..geometry.height() {
            if machine.read(pictures, at, row)? != row.len() {
                return Err(Error::Length);
            }
            at += row.len();
            incoming.row(row).map_err(Error::Preprocess)?;
        }
        let stats = incoming.finish().map_err(Error::Preprocess)?;
        let judged = pipeline.judge(geometry, &stats, arena, &mut |_| ()).map_err(Error::Infer)?;
        writeln!(machine, "judged {index} {}", Line(&judged))?;
    }
    Ok(())
}

/// Judges the first picture of a file with each stage a region of its own, one after the other with
/// nothing between. The picture lies in memory, so that no waiting for its rows is counted.
pub fn stages(
    machine: &mut impl Machine,
    memory: &mut Memory,
    kernels: Kernels,
    (model, picture): (&str, &str),
) -> Result<(), Error> {
    let length = machine.read(model, 0, &mut memory.file)?;
    let (bytes, rest) = memory.file.split_at_mut(length);
    let pipeline = pipeline(bytes, kernels)?;
    let arena = arena(&pipeline, &mut memory.arena)?;
    let mut at = 0;
    let geometry = header(machine, picture, &mut at)?.ok_or(Error::Length)?;
    let frame = rest.get_mut(..geometry.row_bytes() * usize::from(geometry.height())).ok_or(Error::Length)?;
    if machine.read(picture, at, frame)? != frame.len() {
        return Err(Error::Length);
    }
    marker::start();
    let mut incoming = pipeline.begin(geometry, arena).map_err(Error::Infer)?;
    for row in frame.chunks_exact(geometry.row_bytes()) {
        incoming.row(row).map_err(Error::Preprocess)?;
    }
    marker::next();
    let stats = incoming.finish().map_err(Error::Preprocess)?;
    let judged = pipeline.judge(geometry, &stats, arena, &mut |_| marker::next());
    marker::stop();
    let judged = judged.map_err(Error::Infer)?;
    writeln!(machine, "judged 0 {}", Line(&judged))?;
    let plan = pipeline.engine().model().plan().map_err(Error::Model)?;
    let layers = (1..=plan.layers()).map(|layer| plan.name(layer));
    let before = ["rows", "standardise", "gate"].map(Ok);
    for (region, name) in before.into_iter().chain(layers).chain(["features", "decide"].map(Ok)).enumerate() {
        writeln!(machine, "region {region} {}", name.map_err(Error::Model)?)?;
    }
    Ok(())
}

fn pipeline(model: &[u8], kernels: Kernels) -> Result<Pipeline<&[u8]>, Error> {
    Ok(Pipeline::new(Packed::new(model).map_err(Error::Model)?, kernels))
}

/// Exactly what the model says that it needs.
fn arena<'a>(pipeline: &Pipeline<&[u8]>, memory: &'a mut [u8]) -> Result<&'a mut [u8], Error> {
    memory.get_mut(..pipeline.engine().model().arena_bytes()).ok_or(Error::Length)
}

/// What the next picture is, at `at`, which goes on to its rows; none where the file ends there.
fn header(machine: &mut impl Machine, path: &str, at: &mut usize) -> Result<Option<Geometry>, Error> {
    let mut bytes = [0; 12];
    match machine.read(path, *at, &mut bytes)? {
        0 => return Ok(None),
        got if got == bytes.len() => *at += got,
        _ => return Err(Error::Length),
    }
    let (words, _) = bytes.as_chunks::<4>();
    let [width, height, format] = [0, 1, 2].map(|word| words.get(word).map_or(0, |w| u32::from_le_bytes(*w)));
    let format = PixelFormat::ALL.get(format as usize).ok_or(Error::Length)?;
    Geometry::new(width, height, *format).map(Some).map_err(|_| Error::Length)
}

/// All that a picture gave, in one form for every machine: state, reason and its numbers, bits of
/// logit and score, and what the gate measured.
struct Line<'a>(&'a FrameResult);

impl fmt::Display for Line<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FrameResult { decision, figures } = self.0;
        write!(out, "{} {} {:?}", decision.state, decision.reason.code(), decision.reason.numbers())?;
        for float in [decision.logit, decision.score] {
            match float {
                Some(float) => write!(out, " {:08x}", float.to_bits())?,
                None => write!(out, " none")?,
            }
        }
        let QualityMetrics { elongation_permille, stats, sharpness, layout, features, familiarity } = figures;
        let exposure = [stats.mean, stats.deviation, stats.black_permille, stats.white_permille];
        write!(out, " {elongation_permille} {exposure:?} {sharpness} {layout} {features:?} {familiarity:?}")
    }
}
