//! Measures and counts, and writes docs/PERFORMANCE.md; `cargo xtask bench` and `bench-mcu` call
//! it.

mod document;
mod engines;
mod mcu;
mod section;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Command {
    /// Measure our engines beside tract and onnxruntime, and write the tables of
    /// docs/PERFORMANCE.md.
    Bench(engines::Arguments),
    /// Count the instructions of every stage of a frame on the emulated microcontrollers, and
    /// estimate time and energy on the boards.
    BenchMcu(mcu::Arguments),
}

fn main() -> ExitCode {
    toolbox::process::exit_code(match Command::parse() {
        Command::Bench(arguments) => engines::run(&arguments),
        Command::BenchMcu(arguments) => mcu::run(&arguments),
    })
}
