//! The project's one list of commands. Continuous integration calls these and nothing else.

mod bench;
mod bench_mcu;
mod board;
mod boards;
mod chip;
mod cross;
mod deb;
// The trainer's launcher, which must stand alone, has it; it is the same code here.
#[path = "../../host-trainer/src/debian.rs"]
mod debian;
mod deny;
mod elf;
mod emulate;
mod emulate_command;
mod firmware;
mod flash;
// The command lines are the program's own; it is the same code here.
#[path = "../../firmware/flash/src/cli.rs"]
mod flash_cli;
mod fuzz;
mod golden;
mod instructions;
mod lint;
mod panic_free;
mod process;
mod python;
mod sanitize;
mod sizes;
mod soak;
mod test;
mod tool;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The commands that keep Pneumoscope in order.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    after_help = "Examples:\n  cargo xtask test                      every test that needs no X-rays\n  \
                  cargo xtask test --data ~/chest_xray  also those that need them\n  \
                  cargo xtask test gate                 tests whose name contains `gate`\n\n\
                  Exit status: 0 when everything passed, otherwise that of the tool which did not, or 1."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every test of the project; fetches libtorch and the Python packages of the cross-checks where missing.
    Test(test::Arguments),
    /// Boot the emulated board and run the device's program on it: camera, lights, log, and every fault.
    BoardTest(board::Arguments),
    /// Measure our engines beside tract and onnxruntime, and write the tables of docs/PERFORMANCE.md.
    Bench(bench::Arguments),
    /// Count the instructions of every stage of a frame on the emulated microcontrollers, and estimate time and energy on the boards.
    BenchMcu(bench_mcu::Arguments),
    /// Classify pictures on an emulated microcontroller, beside what edge-runtime says of them.
    Emulate(emulate_command::Arguments),
    /// Look for bytes that break what reads them: pictures, models, packed models, frames (tests/fuzz).
    Fuzz(fuzz::Arguments),
    /// Run edge-core's tests under the address sanitizer, and its scalar kernels under miri where that is installed.
    Sanitize,
    /// Run the device over a day of frames, two a second, as fast as it goes: its memory must stay flat.
    Soak(soak::Arguments),
    /// Measure every board's firmware against firmware/budget.toml: flash, memory, a bound on its stack, no allocator, no panic.
    Sizes(sizes::Arguments),
    /// Build the Debian packages, for amd64 and arm64, and check what is in them (target/debian).
    Deb(deb::Arguments),
    Sign(flash_cli::SignOptions),
    Flash(flash_cli::FlashOptions),
    FlashModel(flash_cli::FlashModelOptions),
    Send(flash_cli::SendOptions),
    /// Check formatting and lints, every warning an error.
    Lint,
    /// Check that licences and sources of all dependencies are the allowed ones (deny.toml).
    Deny,
    /// Check the dependencies against the RustSec advisories; needs access to github.com.
    Audit,
    /// Write the golden vectors of the shipped model again (models/pneumonia/golden.json).
    Golden,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Test(arguments) => test::run(&arguments),
        Command::BoardTest(arguments) => board::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::BenchMcu(arguments) => bench_mcu::run(&arguments),
        Command::Emulate(arguments) => emulate_command::run(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Sanitize => sanitize::run(),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::Sizes(arguments) => sizes::run(&arguments),
        Command::Deb(arguments) => deb::run(&arguments),
        Command::Flash(options) => flash::flash(&options),
        Command::Sign(_) | Command::FlashModel(_) | Command::Send(_) => flash::hand_over(),
        Command::Lint => lint::run(),
        Command::Deny => deny::licences(),
        Command::Audit => deny::advisories(),
        Command::Golden => golden::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            // A tool that failed has said why; its exit status is passed on.
            let code = error.downcast_ref::<process::Failed>().and_then(|failed| failed.code());
            ExitCode::from(code.unwrap_or(1))
        }
    }
}

/// Packages that are no part of the workspace, because they are built for other machines or by another compiler.
const OUTSIDE: [&str; 4] = [
    "tests/board/Cargo.toml",
    "tests/boards/Cargo.toml",
    "tests/panic-free/Cargo.toml",
    "tests/fuzz/Cargo.toml",
];

/// The folder of the workspace.
fn root() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    package.parent().map(PathBuf::from).unwrap_or(package)
}

/// Where cargo puts what it builds for the workspace.
fn target() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}
