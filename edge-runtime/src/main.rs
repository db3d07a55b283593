//! The program `edge-runtime`: wiring only. Each subcommand is a file in `commands`, the stages are
//! in the library.

mod cli;
mod commands;
mod exit;
mod model;
mod outcome;
mod report;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use cli::{Cli, Command};
use outcome::Outcome;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.model.is_some() && matches!(cli.command, Some(Command::Model(_))) {
        // Who wrote it believes that it is installed, or asked about.
        let why = "`model` is about the models of the device's store: leave out --model; `model install FILE` takes one";
        Cli::command().error(ErrorKind::ArgumentConflict, why).exit();
    }
    exit::code(run(&cli))
}

fn run(cli: &Cli) -> Result<Outcome> {
    let (path, engine, output) = (cli.model.as_deref(), cli.engine(), cli.output());
    match &cli.command {
        None => commands::demo::run(&model::load(path)?, engine, output),
        Some(Command::Classify { paths, heatmap, crop }) => {
            let how = commands::classify::How { engine, heatmap: heatmap.as_deref(), crop: *crop };
            commands::classify::run(&model::load(path)?, how, paths, output)
        }
        Some(Command::Run(options)) => commands::run::run(options, path, cli.engine, output),
        Some(Command::Pack { out }) => commands::pack::run(&model::load(path)?, out, output),
        Some(Command::Inspect { file }) => commands::inspect::run(file.as_deref().or(path), output),
        Some(Command::Bench(options)) => {
            commands::bench::run(&model::load(path)?, cli.engine, options, output)
        }
        Some(Command::Log(command)) => commands::log::run(command, path, output),
        Some(Command::Calibrate(options)) => {
            commands::calibrate::run(&model::load(path)?, engine, options, output)
        }
        Some(Command::Devices) => commands::devices::run(output),
        Some(Command::Aim(options)) => commands::aim::run(&model::load(path)?, engine, options, output),
        Some(Command::About { config }) => {
            let config = commands::model::configuration(config.as_deref(), path)?;
            commands::about::run(&config.model, cli.engine.unwrap_or(config.model.engine), output)
        }
        Some(Command::Model(command)) => commands::model::run(command, cli.engine, output),
        Some(Command::CheckConfig { file }) => commands::check_config::run(file, output),
        Some(Command::Setup(options)) => commands::setup::run(options, output),
        Some(Command::Doctor { config }) => commands::doctor::run(config, output),
        Some(Command::SelfTest { config }) => {
            commands::self_test::run(config.as_deref(), path, cli.engine, output)
        }
        Some(Command::Lights { config, seconds, what }) => commands::lights::run(config, *what, *seconds),
    }
}
