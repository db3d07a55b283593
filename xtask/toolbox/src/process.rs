//! Running other programs: announced, in the workspace's folder, with failures that say what
//! failed.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use anyhow::Context;

use crate::root;

/// A program that ran and did not succeed.
#[derive(Debug)]
pub struct Failed {
    command: String,
    status: ExitStatus,
}

impl Failed {
    /// The exit status to pass on: the program's, or 128 + the signal as a shell would; none where
    /// it is unknown.
    pub fn code(&self) -> Option<u8> {
        use std::os::unix::process::ExitStatusExt;
        let code = self.status.code().or_else(|| self.status.signal().map(|signal| 128 + signal));
        code.and_then(|code| u8::try_from(code).ok())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` failed ({})", self.command, self.status)
    }
}

impl std::error::Error for Failed {}

/// The cargo that runs this program.
pub fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program, to be run in the workspace's folder.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Shows the command line on standard error and runs it to its end; anything but success is an
/// error.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = line(command);
    eprintln!("==> {line}");
    let status = command.status().with_context(|| format!("cannot run `{line}`; is it installed?"))?;
    if status.success() { Ok(()) } else { Err(Failed { command: line, status }.into()) }
}

/// As [`run`], and returns what the program wrote to standard output.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let line = line(command);
    eprintln!("==> {line}");
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot run `{line}`"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(Failed { command: line, status: output.status }.into())
    }
}

/// Says what went wrong, and passes on the exit status of a tool that failed: it has said why.
pub fn exit_code(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("error: {error:#}");
    let code = error.downcast_ref::<Failed>().and_then(Failed::code);
    ExitCode::from(code.unwrap_or(1))
}

/// The command line as one would type it, programs without their folder.
pub fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(name).chain(args).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_its_status_and_says_what_failed() {
        let error = run(command("/bin/sh").args(["-c", "exit 7"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 7` failed (exit status: 7)");
        assert_eq!(error.downcast_ref::<Failed>().unwrap().code(), Some(7));
    }

    #[test]
    fn a_signal_is_told_as_a_shell_tells_it() {
        let error = run(command("sh").args(["-c", "kill -9 $$"])).unwrap_err();
        assert_eq!(error.downcast_ref::<Failed>().unwrap().code(), Some(137));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut command("no-such-program")).unwrap_err();
        assert!(error.to_string().contains("`no-such-program`"), "{error}");
    }
}
