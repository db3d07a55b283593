//! The test's hands inside the emulated board. It is the board's first process: it loads the
//! modules, mounts what programs expect, and then does what the host's side asks over a serial line
//! ([`arm64_protocol`]).
//!
//! `board still COMMAND` runs a program under ptrace and lets its camera misbehave in ways that no
//! driver can be told to. `board film` is a camera that is a program.

mod camera;
mod film;
mod hands;
mod init;
mod program;
mod still;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((mode, command)) if mode == "still" => still::run(command),
        Some((mode, _)) if mode == "film" => film::run(),
        _ if std::process::id() == 1 => init::prepare().and_then(hands::serve),
        _ => Err(anyhow::anyhow!(
            "run as the board's first process, as `board still COMMAND`, or as `board film`"
        )),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}
