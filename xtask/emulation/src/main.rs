//! The emulated machines as a program; `cargo xtask` calls it.

use std::process::ExitCode;

use clap::Parser;
use emulation::{arm64, emulate, on_target};

#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Command {
    /// Classify pictures on an emulated microcontroller, beside what edge-runtime says of them.
    Emulate(emulate::Arguments),
    /// Run the shared stages on every emulated machine, for the tests; print the folder of what
    /// they said.
    #[command(hide = true)]
    OnTarget,
    /// Put together what the emulated arm64 board boots, for the tests; print its folder.
    #[command(hide = true)]
    Arm64,
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Emulate(arguments) => emulate::run(&arguments),
        Command::OnTarget => on_target::run().map(|folder| println!("{}", folder.display())),
        Command::Arm64 => arm64::prepare().map(|folder| println!("{}", folder.display())),
    };
    toolbox::process::exit_code(done)
}
