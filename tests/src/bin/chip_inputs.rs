//! Writes what the emulated chips are given into a folder: the shipped model, signed with the
//! development key (`model.bundle`), and pictures as bare rows, decoded as edge-runtime decodes
//! them. Drawn ones come always: `normal`, `pneumonia`, `noise`.
//!
//! Prints a line of JSON a picture: its path, and either `rows` (the file), `width`, `height` and
//! `format`, or `error`.

use anyhow::Context;
use conformance::chips;
use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = arguments.next().context("usage: chip_inputs FOLDER PICTURE...")?;
    chips::write_bundle(&folder)?;
    for picture in chips::write_pictures(&folder, arguments)? {
        println!("{}", serde_json::to_string(&picture)?);
    }
    Ok(())
}
