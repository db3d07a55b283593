//! How a command ends: the exit status that `--help` documents, and the one line on standard error.

use std::fmt;
use std::process::ExitCode;

#[derive(Debug)]
pub struct NoProbe {
    /// Those that are connected, where another was named.
    pub others: Vec<String>,
}

impl fmt::Display for NoProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.others.is_empty() {
            f.write_str(
                "no debug probe is connected: plug one in (CMSIS-DAP 2, ST-Link, J-Link); \
                 on Linux it needs udev rules, see https://probe.rs/docs",
            )
        } else {
            write!(
                f,
                "the debug probe of --probe is not connected; connected are: {}",
                self.others.join("; ")
            )
        }
    }
}

impl std::error::Error for NoProbe {}

/// What was to be written is not for this board, which was left as it was.
#[derive(Debug)]
pub struct Refused(pub String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// The board's checklist has complaints; each is in the table.
#[derive(Debug)]
pub struct ChecksFailed(pub usize);

impl fmt::Display for ChecksFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of the checks failed; the table says where to look", self.0)
    }
}

impl std::error::Error for ChecksFailed {}

/// Reports an error, if there is one, and chooses the exit status.
pub fn code(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("error: {error:#}");
    if error.is::<NoProbe>() {
        ExitCode::from(3)
    } else if error.is::<Refused>() {
        ExitCode::from(4)
    } else if error.is::<ChecksFailed>() {
        ExitCode::from(5)
    } else {
        ExitCode::FAILURE
    }
}
