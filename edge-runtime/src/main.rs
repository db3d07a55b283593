//! The program `edge-runtime`: wiring only. Each subcommand is a file in `commands`, the stages are in the library.

mod cli;
mod commands;
mod exit;
mod model;
mod pictures;
mod report;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = cli.output();
    let outcome = model::load(cli.model.as_deref()).and_then(|model| match cli.command {
        None => commands::demo::run(&model, output),
        Some(Command::Classify { paths }) => commands::classify::run(&model, &paths, output),
        Some(Command::Bench(options)) => commands::bench::run(&model, &options, output),
        Some(Command::About) => commands::about::run(&model, output),
    });
    exit::code(outcome)
}
