//! `cargo run -p host-trainer`: puts libtorch in place where it is missing, then runs the trainer
//! (the package `trainer`).
//!
//! So one command works from nothing, and a plain `cargo build` of the workspace never needs
//! libtorch.

mod hand_over;
mod launcher;
mod libtorch;

use std::process::ExitCode;

/// Exit status 1 with a message when libtorch cannot be had, else the trainer's.
fn main() -> ExitCode {
    match launcher::run(std::env::args_os().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
