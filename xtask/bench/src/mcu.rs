//! `cargo xtask bench-mcu`: instructions of every stage of a frame on the emulated
//! microcontrollers, and what they may mean on the boards.

mod count;
mod estimate;
mod report;
mod tables;

use crate::document;
use report::Report;
use toolbox::root;

/// What to do with what was counted.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask bench-mcu          count and show\n  \
                        cargo xtask bench-mcu --write  write docs/PERFORMANCE.md too\n  \
                        cargo xtask bench-mcu --json   one object, for programs\n\n\
                        Counts are exact and the same on every host. Times and energies are estimates from the numbers that each \
                        board's board.toml gives, with their sources.")]
pub struct Arguments {
    /// Write one JSON object to standard output instead of tables.
    #[arg(long)]
    json: bool,
    /// Write the tables into docs/PERFORMANCE.md.
    #[arg(long)]
    write: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let processors = count::all()?;
    let boards = estimate::all(&root().join("firmware/boards"), &processors)?;
    let report = Report { processors, boards };
    let sections = tables::all(&report)?;
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        sections.iter().for_each(|section| println!("{}\n", section.text()));
    }
    if arguments.write {
        let markdown: Vec<String> = sections.iter().map(|section| section.markdown()).collect();
        document::replace("microcontrollers", &markdown.join("\n\n"))?;
    }
    Ok(())
}
