//! The command line: subcommands, options, help.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  pneumoscope-deliver check-config                     files, certificates, the broker's and the archive's addresses
  pneumoscope-deliver check-config --connect           the same, and whether they answer
  pneumoscope-deliver run                              what the service does, until SIGTERM
  pneumoscope-deliver status                           how far each destination is, and why it waits
  pneumoscope-deliver status --json                    the same for a program
  pneumoscope-deliver schema decision                  the JSON Schema of a message

Exit codes:
  0  done; of status: every destination has all that there is, or is being sent it
  1  anything else went wrong
  2  the command line is wrong
  3  status: a destination waits, or nothing delivers
  5  the configuration is not as it must be; each reason is listed

What is sent supports a decision; it is not a diagnosis.";

/// Delivers what Pneumoscope's device has logged: to a broker by MQTT, to an archive by DICOM.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Deliver until SIGTERM.
    Run(Options),
    /// Show how far each destination is, and why it waits.
    Status {
        #[command(flatten)]
        options: Options,
        /// Write one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Check the configuration and what it names.
    CheckConfig {
        #[command(flatten)]
        options: Options,
        /// Also ask whether broker and archive can be reached.
        #[arg(long)]
        connect: bool,
    },
    /// Write the JSON Schema of a message.
    Schema {
        #[arg(value_enum)]
        message: Name,
    },
}

#[derive(Args, Debug)]
pub struct Options {
    /// The configuration (TOML).
    #[arg(long, value_name = "FILE", default_value = "/etc/pneumoscope/deliver.toml")]
    pub config: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Name {
    Decision,
    Event,
    Gap,
    Status,
}
