//! What the emulated chips of the firmware are given.

use anyhow::Context;
use edge_core::{Geometry, PixelFormat};
use edge_model::decode::{self, Picture};
use flash::{key, sign};
use phantoms::{Label, draw};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

const SIDE: u16 = 96;

/// A picture's rows as they were written, or why there are none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Written {
    Rows {
        path: String,
        /// The file of its rows.
        rows: String,
        width: u16,
        height: u16,
        format: &'static str,
    },
    Error {
        path: String,
        error: String,
    },
}

/// Writes the shipped model as a chip takes it into `folder`, signed with the development key.
pub fn write_bundle(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let model = sign::pack(&fs::read(crate::shipped_model())?)?;
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware/boards/keys/development.key");
    let bundle = sign::sign(&model, &key::read(Path::new(key))?)?;
    Ok(fs::write(folder.join("model.bundle"), bundle)?)
}

/// Writes the rows of the drawn pictures and of each file into `folder`.
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
