//! The program behind `cargo xtask sign`, `flash`, `flash-model` and `send`: wiring only.

mod chip;
mod cli;
mod commands;
mod probe;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;

fn main() -> ExitCode {
    flash::outcome::code(match Cli::parse().command {
        Command::Sign(options) => commands::sign::run(&options),
        Command::Flash(options) => commands::flash::run(&options),
        Command::FlashModel(options) => commands::flash_model::run(&options),
        Command::Send(options) => commands::send::run(&options),
    })
}
