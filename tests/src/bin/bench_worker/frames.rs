//! The files that workers read: frames as bytes for int8 and as floats for the twin, and the
//! models.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use conformance::float_twin::FloatTwin;
use conformance::golden::Golden;
use edge_core::kernels::{self, Set};
use edge_model::engine::EngineKind;
use edge_model::model_file::ModelFile;
use edge_model::pack::pack;
use phantoms::Label;
use prost::Message;
use serde_json::json;

use crate::say;

pub const FLOAT_MODEL: &str = "float.onnx";
/// The packed model's file, for boards.
const PACKED_MODEL: &str = "model.packed";
/// The picture for the whole program, and its side in pixels.
const PICTURE: &str = "phantom.png";
const PICTURE_SIDE: u16 = 1024;

pub trait Element: Sized {
    /// The folder's files of such frames end so.
    const SUFFIX: &str;
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
pub fn read_frames<T: Element>(folder: &Path) -> anyhow::Result<Vec<Vec<T>>> {
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

/// Writes the float twin and `count` golden frames, each as bytes for int8 and as f32,
/// little-endian, for the twin.
pub fn prepare(folder: &Path, count: usize) -> anyhow::Result<()> {
    conformance::empty(folder)?;
    let model = ModelFile::load(conformance::shipped_model())?;
    let twin = FloatTwin::of(model.proto())?;
    fs::write(folder.join(FLOAT_MODEL), twin.proto.encode_to_vec())?;
    let frames = conformance::frames::all(model.metadata().input_side);
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
    fs::write(folder.join(PACKED_MODEL), pack(&model)?.bytes())?;
    let runnable = kernels::ALL.iter().filter(|set| set.kernels().is_some());
    say(&json!({
        "logits": logits,
        "model_sha256": model.sha256(),
        "engines": EngineKind::ALL,
        "kernels": runnable.map(Set::name).collect::<Vec<_>>(),
    }))
}

/// A phantom as a PNG file, for measuring the whole program.
fn picture() -> anyhow::Result<Vec<u8>> {
    let drawn = phantoms::draw(Label::Pneumonia, 1, PICTURE_SIDE);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, PICTURE_SIDE.into(), PICTURE_SIDE.into());
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header()?.write_image_data(drawn.bytes())?;
    Ok(bytes)
}
