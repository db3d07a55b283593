//! From a command's outcome to the exit code that `--help` documents, and the last line on standard
//! error.

use crate::model::Refused;
use crate::outcome::Outcome;
use crate::report;
use edge_runtime::config::ConfigError;
use std::io;
use std::process::ExitCode;

/// Reports an error, if there is one, and chooses the exit code.
pub fn code(outcome: anyhow::Result<Outcome>) -> ExitCode {
    match outcome {
        Ok(outcome) => ExitCode::from(outcome as u8),
        Err(error) if error.is::<Refused>() || error.is::<ConfigError>() => {
            report::error(&error);
            ExitCode::from(if error.is::<Refused>() { 4 } else { 5 })
        }
        Err(error) => {
            // Whoever closed the pipe knows that he did; a message would only disturb.
            let cause = error.downcast_ref::<io::Error>().map(io::Error::kind);
            if cause != Some(io::ErrorKind::BrokenPipe) {
                report::error(&format!("{error:#}"));
            }
            ExitCode::from(1)
        }
    }
}
