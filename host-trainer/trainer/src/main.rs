//! The trainer, by subcommand in the order of the model flow; `cargo run -p host-trainer` puts
//! libtorch in place and runs it.

use anyhow::Result;
use clap::Parser;
use std::process::ExitCode;
use trainer::cli::{Cli, Command};
use trainer::commands;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    match cli.command {
        None => run(Cli::parse_from(["host-trainer", "all"])),
        Some(Command::Check(args)) => commands::check::check(&args),
        Some(Command::Teach(args)) => commands::teachers::teach(&args),
        Some(Command::Train(args)) => commands::train(&args),
        Some(Command::Folds(args)) => commands::folds::folds(&args),
        Some(Command::Baselines(args)) => commands::baselines::baselines(&args),
        Some(Command::Quantize(args)) => commands::quantize(&args),
        Some(Command::Export(args)) => commands::export(&args),
        Some(Command::Gate(args)) => commands::gate::gate(&args),
        Some(Command::Evaluate(args)) => commands::evaluate(&args),
        Some(Command::Report(args)) => commands::report(&args),
        Some(Command::Pack(args)) => commands::pack(&args),
        Some(Command::All(args)) => commands::all::all(&args),
        Some(Command::Sweep(args)) => commands::sweep::sweep(&args),
    }
}
