//! `cargo xtask sizes`: what every board's program takes, measured on the linked file, against
//! budgets and bounds.

mod budget;
mod elf;
mod measure;
mod show;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use clap::Parser;

use crate::elf::image::Image;
use crate::elf::table::Table;
use toolbox::{cross, firmware, root};

/// Whom functions call through pointers, and other things that the linked file does not say.
const CALLS: &str = "firmware/calls.toml";

/// What to measure and how to say it.
#[derive(Default, Parser)]
#[command(
    bin_name = "cargo xtask sizes",
    after_help = "Examples:\n  cargo xtask sizes                      every board, against its budget\n  \
                        cargo xtask sizes --board an386 --path the calls that need the most stack\n  \
                        cargo xtask sizes --json               one object a board\n\n\
                        Budgets are in firmware/budget.toml; what the linked file does not say is in firmware/calls.toml. \
                        Exit status: 0 when every board keeps to its budget, to 128 kB of flash and to 256 kB of memory, has a \
                        bound on its stack, no allocator, and no panic in its loop; otherwise 1."
)]
struct Arguments {
    /// One board instead of all.
    #[arg(long, value_name = "BOARD")]
    board: Option<String>,
    /// One JSON object a board on standard output instead of a table.
    #[arg(long)]
    json: bool,
    /// Show the calls that need the most stack, too.
    #[arg(long)]
    path: bool,
    /// Measure this program instead of building the board's.
    #[arg(long, value_name = "FILE", requires = "board")]
    elf: Option<PathBuf>,
    /// Bytes of the stack that a run left unused (`stack_left` in its log): it may not have used
    /// more than is computed.
    #[arg(long, value_name = "BYTES", requires = "board")]
    stack_left: Option<u32>,
}

fn main() -> ExitCode {
    toolbox::process::exit_code(run(&Arguments::parse()))
}

/// Builds, measures, shows, and fails where something is above its bound.
fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let table = Table::read(&root().join(CALLS))?;
    let budgets = budget::read()?;
    let boards = firmware::boards(arguments.board.as_deref())?;
    let mut reports = Vec::new();
    let mut failures = Vec::new();
    let mut names = Vec::new();
    for (folder, board) in &boards {
        let elf = match &arguments.elf {
            Some(elf) => elf.clone(),
            None => firmware::build(folder, board)?,
        };
        let report = measure::measure(board, &board.name, measure::LOOP, &Image::read(&elf)?, &table)?;
        names.push(board.name.clone());
        // A real board has a second program.
        if board.chip.is_some() && arguments.elf.is_none() {
            let image = Image::read(&firmware::build_bring_up(folder, board)?)?;
            let name = format!("{}-bring-up", board.name);
            let report = measure::measure(board, &name, measure::CHECKLIST, &image, &table)?;
            failures.extend(budget::check(&report, budgets.get(&name)));
            reports.push(report);
            names.push(name);
        }
        let wrong = arguments.stack_left.and_then(|left| measure::contradiction(&report, board, left));
        failures.extend(wrong.map(|why| format!("{}: {why}", board.name)));
        failures.extend(budget::check(&report, budgets.get(&board.name)));
        reports.push(report);
    }
    if arguments.board.is_none() {
        failures.extend(budget::strangers(&budgets, names.iter().map(String::as_str)));
        failures.extend(table.unused().into_iter().map(|entry| {
            format!("{CALLS}: nothing needs the entry `{entry}`: its names are out of date, or it can go")
        }));
    }
    // A reader that has seen enough may close the pipe.
    let mut out = std::io::stdout().lock();
    let _ = if arguments.json {
        show::json(&reports, &budgets).and_then(|text| write!(out, "{text}"))
    } else {
        write!(out, "{}", show::text(&reports, &budgets, arguments.path))
    };
    for failure in &failures {
        eprintln!("{failure}");
    }
    // Without it one machine's programs would be above budgets that another's keep.
    if !failures.is_empty() && boards.iter().any(|(_, board)| cross::has_library(&board.target)) {
        eprintln!(
            "the core library is rustup's prebuilt one, larger than the one that {} is for",
            budget::FILE
        );
    }
    ensure!(failures.is_empty(), "{} of the sizes and checks above are not kept", failures.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use emulation::chip::{CHIPS, Chip, inputs, script};

    /// The bound on the stack, which is computed from the linked program, is held against what runs
    /// of it used.
    #[test]
    #[ignore = "needs the emulators: `cargo xtask test tools` runs it"]
    fn no_run_uses_more_stack_than_is_computed() {
        let inputs = inputs(&[]).unwrap();
        for name in CHIPS {
            let chip = Chip::build(name).unwrap();
            let flash = chip.flash(&inputs.bundle).unwrap();
            let steps =
                ["frame normal 3", "frame pneumonia 3", "short-row normal 1", "lost 100"].map(String::from);
            let run = chip.run(&inputs.folder, &flash, &script(&steps, &inputs)).unwrap();
            let left = run.lines("counts").last().and_then(|line| line.number("stack_left")).unwrap();
            run_on(name, u32::try_from(left).unwrap()).unwrap();
            // Planted: a run that used all of it.
            assert!(run_on(name, 0).is_err(), "{name}");
        }
    }

    fn run_on(board: &str, stack_left: u32) -> anyhow::Result<()> {
        run(&Arguments { board: Some(board.into()), stack_left: Some(stack_left), ..Arguments::default() })
    }
}
