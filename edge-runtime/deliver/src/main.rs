//! The program `pneumoscope-deliver`: wiring only.

mod cli;
mod commands;

use clap::{Parser, ValueEnum};
use cli::{Cli, Command};
use deliver::schema::SCHEMAS;
use edge_runtime::config::ConfigError;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(options) => commands::run::run(&options.config),
        Command::Status { options, json } => commands::status::run(&options.config, json),
        Command::CheckConfig { options, connect } => commands::check_config::run(&options.config, connect),
        Command::Schema { message } => schema(message),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let cause = error.downcast_ref::<io::Error>().map(io::Error::kind);
            if cause != Some(io::ErrorKind::BrokenPipe) {
                // Nothing is left to be done where even standard error is closed.
                let _ = writeln!(io::stderr(), "error: {error:#}");
            }
            ExitCode::from(if error.is::<ConfigError>() { 5 } else { 1 })
        }
    }
}

fn schema(message: cli::Name) -> anyhow::Result<u8> {
    let name = message.to_possible_value().map(|value| value.get_name().to_owned());
    let text = SCHEMAS.iter().find(|(known, _)| Some(*known) == name.as_deref());
    io::stdout().lock().write_all(text.map_or("", |(_, text)| text).as_bytes())?;
    Ok(0)
}
