//! Writes the golden frames of the shipped model into a folder, one file of bytes each, for
//! `tests/golden.py`.

use anyhow::Context;
use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).context("usage: frames FOLDER")?;
    println!("{}: {} frames", folder.display(), conformance::frames::write_all(&folder)?);
    Ok(())
}
