//! What the boards are given, and how their answers are read.
//!
//! `tests/on-target` is a package of its own, built for machines that this one only emulates.
//! `cargo xtask test` has the inputs written ([`write_inputs`]), runs each line of arguments on
//! each machine, and keeps what was printed; the suite `tests/tests/it/on_target.rs` reads it.

use crate::golden::{Entry, Golden};
use crate::{frames, pictures};
use anyhow::Context;
use edge_model::model_file::ModelFile;
use edge_model::pack::pack;
use phantoms::{Label, draw};
use std::fs;
use std::path::Path;

/// Side of the picture that is preprocessed there, and of the input that it becomes: their ratio is
/// no whole number.
pub const PICTURE: (u16, u16) = (333, 96);
/// Cases of each operator in the kernels' suite.
const CASES: u32 = 300;
/// Cases of each operator until a planted fault must have been found.
const PLANTED_CASES: u32 = 20;

/// The picture that is preprocessed: grey, one byte a pixel.
pub fn picture() -> edge_model::decode::Picture {
    draw(Label::Pneumonia, 1, PICTURE.0)
}

/// Writes model, frames and picture into `folder` and returns the lines of arguments to run there;
/// `folder` is named as the boards will see it.
///
/// # Errors
/// A file cannot be written, or the shipped model cannot be packed.
pub fn write_inputs(folder: &Path) -> anyhow::Result<Vec<String>> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let write = |name: &str, bytes: &[u8]| write(folder, name, bytes);
    let model = ModelFile::load(crate::shipped_model())?;
    let packed = write("model.packed", pack(&model)?.bytes())?;
    let inputs = frames::all(model.metadata().input_side);
    let frames = write("frames.u8", &inputs.into_iter().flat_map(|f| f.input).collect::<Vec<u8>>())?;
    let judged = pictures::all()?.iter().map(pictures::bytes).collect::<anyhow::Result<Vec<_>>>()?;
    let judged = write("pictures.bin", &judged.concat())?;
    let rows = picture();
    let picture = write("picture.u8", &rows.frame().rows().flatten().copied().collect::<Vec<u8>>())?;
    let (side, input) = PICTURE;
    Ok(vec![
        format!("suite {CASES}"),
        format!("planted {PLANTED_CASES}"),
        format!("preprocess {picture} {side} {side} {input}"),
        format!("tensors {packed} {frames}"),
        format!("classify {packed} {judged}"),
    ])
}

/// Writes model and cameras' frames into `folder` and returns the lines of arguments that count
/// their stages, the camera's name before each.
///
/// # Errors
/// As [`write_inputs`].
pub fn write_stages(folder: &Path) -> anyhow::Result<Vec<String>> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let packed = write(folder, "model.packed", pack(&ModelFile::load(crate::shipped_model())?)?.bytes())?;
    let line = |(name, width, height, format)| {
        let picture = pictures::bytes(&pictures::camera(width, height, format)?)?;
        let picture = write(folder, &format!("{name}.bin"), &picture)?;
        Ok(format!("{name} stages dsp {packed} {picture}"))
    };
    pictures::CAMERAS.into_iter().map(line).collect()
}

/// Writes a file and names it as the boards will see it.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<String> {
    let path = folder.join(name);
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path.display().to_string())
}

/// The first difference between a board's answer to `tensors` and the golden vectors, as text; none
/// where every kernel set of `sets` gave every tensor and logit of every frame, byte by byte, and
/// nothing else.
pub fn first_difference(answer: &str, sets: &[&str], golden: &Golden) -> Option<String> {
    let expected = sets.iter().flat_map(|set| {
        let frames = golden.frames.iter().enumerate();
        let frames = frames.flat_map(|(index, entry)| frame(index, entry, &golden.tensors));
        std::iter::once(format!("kernels {set}")).chain(frames)
    });
    let of_tensors = |line: &&str| {
        let word = line.split(' ').next().unwrap_or_default();
        ["kernels", "frame", "tensor", "logit"].contains(&word) && !line.starts_with("tensor input ")
    };
    let mut got = answer.lines().filter(of_tensors);
    let mut place = (String::new(), String::new());
    for line in expected {
        if line.starts_with("kernels") {
            place.0.clone_from(&line);
        } else if line.starts_with("frame") {
            place.1.clone_from(&line);
        }
        match got.next() {
            Some(got) if got == line => {}
            got => return Some(format!("{}, {}: expected `{line}`, got {got:?}", place.0, place.1)),
        }
    }
    got.next().map(|line| format!("`{line}` after the last that was expected"))
}

fn frame(index: usize, entry: &Entry, names: &[String]) -> Vec<String> {
    let mut lines = vec![format!("frame {index}")];
    lines.extend(names.iter().zip(&entry.tensors).map(|(name, hash)| format!("tensor {name} {hash}")));
    lines.push(format!("logit {}", entry.logit_bits));
    lines
}
