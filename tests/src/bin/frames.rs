//! Writes the golden frames of the shipped model into a folder, one file of bytes each, for `tests/golden.py`.

use anyhow::Context;
use edge_runtime::model_file::ModelFile;
use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).context("usage: frames FOLDER")?;
    let model = ModelFile::load(conformance::shipped_model())?;
    if folder.exists() {
        // Frames of an earlier version must not stay behind.
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let frames = conformance::frames::all(model.metadata.input_side);
    for frame in &frames {
        std::fs::write(folder.join(format!("{}.u8", frame.name)), &frame.input)?;
    }
    println!("{}: {} frames", folder.display(), frames.len());
    Ok(())
}
