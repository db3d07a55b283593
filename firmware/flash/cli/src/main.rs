//! The program behind `cargo xtask sign`, `flash`, `flash-model`, `uf2`, `dfu`, `hex`, `bring-up` and `send`: wiring only.

mod checklist;
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
        Command::Uf2(options) => commands::loader::uf2(&options.file),
        Command::Dfu(options) => commands::loader::dfu(&options),
        Command::Hex(options) => commands::loader::hex(&options.file),
        Command::BringUp(options) => commands::bring_up::run(&options),
        Command::Send(options) => commands::send::run(&options),
    })
}
