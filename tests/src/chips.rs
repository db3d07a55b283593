//! What the emulated chips of the firmware are given.

use crate::frames;
use anyhow::Context;
use edge_core::kernels::Kernels;
use edge_core::{Geometry, PixelFormat};
use edge_runtime::decode::{self, Picture};
use edge_runtime::engine::Engine as _;
use edge_runtime::infer_core::CoreEngine;
use edge_runtime::model_file::ModelFile;
use edge_runtime::pack::pack;
use edge_runtime::phantom::{Label, draw};
use firmware::bundle::{self, Golden};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// The golden frame of the self-test.
const GOLDEN: &str = "pneumonia-00";
/// Side of the drawn pictures.
const SIDE: u16 = 96;

/// A picture's rows as they were written, or why there are none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Written {
    /// The rows.
    Rows {
        /// The picture.
        path: String,
        /// The file of its rows.
        rows: String,
        /// Pixels.
        width: u16,
        /// Pixels.
        height: u16,
        /// How a pixel is stored.
        format: &'static str,
    },
    /// It is none.
    Error {
        /// The file.
        path: String,
        /// Why.
        error: String,
    },
}

/// Writes the shipped model as a chip takes it into `folder`, signed with the development key.
///
/// # Errors
/// The model or the key cannot be read, or the file not be written.
pub fn write_bundle(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let model = ModelFile::load(crate::shipped_model())?;
    let packed = pack(&model)?;
    let inputs = frames::all(model.metadata.input_side);
    let golden = inputs.iter().find(|frame| frame.name == GOLDEN).context("there is no golden frame")?;
    let logit = CoreEngine::load(&model, Kernels::SCALAR)?.infer(&golden.input)?;
    let golden = Golden { input: &golden.input, logit_bits: logit.to_bits() };
    let bundle = bundle::sign(&packed, &golden, &development_key()?)?;
    Ok(fs::write(folder.join("model.bundle"), bundle)?)
}

/// The seed of the development key.
fn development_key() -> anyhow::Result<[u8; 32]> {
    let text = include_str!("../../firmware/boards/keys/development.key");
    let line = text.lines().find(|line| !line.starts_with('#')).context("the development key has no line")?;
    let mut seed = [0; 32];
    for (index, byte) in seed.iter_mut().enumerate() {
        let digits = line.get(2 * index..2 * index + 2).context("the development key is too short")?;
        *byte = u8::from_str_radix(digits, 16)?;
    }
    Ok(seed)
}

/// Writes the rows of the drawn pictures and of each file into `folder`.
///
/// # Errors
/// A file of rows cannot be written.
pub fn write_pictures(folder: &Path, files: impl Iterator<Item = PathBuf>) -> anyhow::Result<Vec<Written>> {
    let drawn = [
        ("normal", draw(Label::Normal, 0, SIDE)),
        ("pneumonia", draw(Label::Pneumonia, 100, SIDE)),
        ("noise", noise()?),
    ];
    let mut written = Vec::new();
    for (name, picture) in drawn {
        written.push(write(folder, name, name.to_owned(), &picture)?);
    }
    for (index, file) in files.enumerate() {
        let path = file.display().to_string();
        written.push(match decode::open(&file) {
            Ok(picture) => write(folder, &index.to_string(), path, &picture)?,
            Err(error) => Written::Error { path, error: error.to_string() },
        });
    }
    Ok(written)
}

fn write(folder: &Path, name: &str, path: String, picture: &Picture) -> anyhow::Result<Written> {
    let rows = folder.join(name).with_extension("rows");
    fs::write(&rows, picture.bytes()).with_context(|| format!("cannot write {}", rows.display()))?;
    let geometry = picture.geometry();
    let format = match geometry.format() {
        PixelFormat::Gray8 => "gray8",
        PixelFormat::Gray16 => "gray16",
        PixelFormat::Rgb8 => "rgb8",
        PixelFormat::Rgb16 => "rgb16",
        PixelFormat::Yuyv => "yuyv",
        PixelFormat::Uyvy => "uyvy",
    };
    let (width, height) = (geometry.width(), geometry.height());
    Ok(Written::Rows { path, rows: rows.display().to_string(), width, height, format })
}

/// Rows of the right form, and no picture.
fn noise() -> anyhow::Result<Picture> {
    let geometry = Geometry::new(SIDE.into(), SIDE.into(), PixelFormat::Gray8)?;
    let mut bytes = vec![0; usize::from(SIDE) * usize::from(SIDE)];
    ChaCha8Rng::seed_from_u64(6).fill_bytes(&mut bytes);
    Ok(Picture::new(geometry, bytes)?)
}
