//! The test's hands inside the emulated board. It is the board's first process: it loads the
//! modules, mounts what programs expect, and then does what the host's side asks over a serial line
//! ([`arm64_protocol`]).
//!
//! `board still COMMAND` runs a program under ptrace and lets its camera misbehave in ways that no
//! driver can be told to. `board film` is a camera that is a program. `board first GROUP
//! COMMAND` runs a program as a service that comes before all else, `board idle GROUP COMMAND` as one
//! that gives way; `board peers` is whom the screen and the delivery talk to, `board burn` takes the
//! processor.

mod camera;
mod film;
mod hands;
mod init;
mod peers;
mod program;
mod still;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((mode, command)) if mode == "still" => still::run(command),
        Some((mode, _)) if mode == "film" => film::run(),
        Some((mode, words)) if mode == "first" => program::grouped(("cpu.weight", "10000"), words),
        Some((mode, words)) if mode == "idle" => program::grouped(("cpu.idle", "1"), words),
        Some((mode, _)) if mode == "peers" => peers::run(),
        Some((mode, _)) if mode == "burn" => loop {
            std::hint::spin_loop();
        },
        _ if std::process::id() == 1 => init::prepare().and_then(hands::serve),
        _ => Err(anyhow::anyhow!(
            "run as the board's first process, or as `board` still, film, first, idle, peers or burn"
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
