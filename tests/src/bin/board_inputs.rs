//! Writes what the emulated boards are given into a folder, and prints the lines of arguments to run there.

use anyhow::Context;
use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).context("usage: board_inputs FOLDER")?;
    for line in conformance::boards::write_inputs(&folder)? {
        println!("{line}");
    }
    Ok(())
}
