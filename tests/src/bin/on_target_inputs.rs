//! Writes what the emulated boards are given into a folder, and prints the lines of arguments to
//! run there: those of the tests, or those that count stages.

use anyhow::bail;
use std::path::Path;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let lines = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [folder] => conformance::on_target::write_inputs(Path::new(folder))?,
        ["stages", folder] => conformance::on_target::write_stages(Path::new(folder))?,
        _ => bail!("usage: on_target_inputs [stages] FOLDER"),
    };
    for line in lines {
        println!("{line}");
    }
    Ok(())
}
