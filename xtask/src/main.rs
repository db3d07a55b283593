//! The project's one list of commands. Continuous integration calls these and nothing else.

mod deb;
mod deny;
mod fuzz;
mod golden;
mod kernel_sets;
mod lint;

mod panic_free;
mod readme;
mod sanitize;
mod soak;
mod suites;
mod test;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use toolbox::process;

/// The commands that keep Pneumoscope in order.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    after_help = "Before a commit: cargo xtask lint && cargo xtask test\n\
                  Exit status: 0 when everything passed, otherwise that of the tool which did not, or 1."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the tests: what this machine can run by itself, or with --all everything.
    Test(test::Arguments),
    /// Check formatting and lints, every warning an error.
    Lint,
    /// Check that licences and sources of all dependencies are the allowed ones (deny.toml).
    Deny,
    /// Check the dependencies against the RustSec advisories; needs access to github.com.
    Audit,
    /// Look for bytes that break what reads them: pictures, models, packed models, frames
    /// (tests/fuzz).
    Fuzz(fuzz::Arguments),
    /// Run the device over a day of frames, two a second, as fast as it goes: its memory must stay
    /// flat.
    Soak(soak::Arguments),
    /// Write the golden vectors of the shipped model again (models/pneumonia/golden.json).
    Golden,
    /// Build the Debian packages, for amd64 and arm64, and check what is in them (target/debian).
    Deb(deb::Arguments),
    /// Measure every board's firmware against firmware/budget.toml: flash, memory, a bound on its
    /// stack, no allocator, no panic.
    Sizes(Handed),
    /// Classify pictures on an emulated microcontroller, beside what edge-runtime says of them.
    Emulate(Handed),
    /// Measure our engines beside tract and onnxruntime, and write the tables of
    /// docs/PERFORMANCE.md.
    Bench(Handed),
    /// Count the instructions of every stage of a frame on the emulated microcontrollers; estimate
    /// time and energy on the boards.
    BenchMcu(Handed),
    /// Sign a model for boards, or make a key.
    Sign(Handed),
    /// Put a board's firmware on it.
    Flash(Handed),
    /// Put a signed model on a board.
    FlashModel(Handed),
    /// Make a file of a board's firmware or of a model that the RP2350 takes as a drive.
    Uf2(Handed),
    /// Make a file of a board's firmware or of a model for an STM32's boot loader.
    Dfu(Handed),
    /// Make an Intel HEX file of a board's firmware or of a model.
    Hex(Handed),
    /// Go through the checklist of a board's first start: lamps, button, camera, flash, watchdog.
    BringUp(Handed),
    /// Send pictures to a board over its serial port.
    Send(Handed),
}

/// Arguments for the tool that does it; `--help` too is its own.
#[derive(Args)]
#[command(disable_help_flag = true)]
struct Handed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<OsString>,
}

fn main() -> ExitCode {
    process::exit_code(match Arguments::parse().command {
        Command::Test(arguments) => test::run(&arguments),
        Command::Lint => lint::run(),
        Command::Deny => deny::licences(),
        Command::Audit => deny::advisories(),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::Golden => golden::run(),
        Command::Deb(arguments) => deb::run(&arguments),
        Command::Sizes(handed) => become_tool("sizes", None, &handed),
        Command::Emulate(handed) => become_tool("emulation", Some("emulate"), &handed),
        Command::Bench(handed) => become_tool("bench", Some("bench"), &handed),
        Command::BenchMcu(handed) => become_tool("bench", Some("bench-mcu"), &handed),
        Command::Sign(handed) => become_tool("flash-cli", Some("sign"), &handed),
        Command::Flash(handed) => become_tool("flash-cli", Some("flash"), &handed),
        Command::FlashModel(handed) => become_tool("flash-cli", Some("flash-model"), &handed),
        Command::Uf2(handed) => become_tool("flash-cli", Some("uf2"), &handed),
        Command::Dfu(handed) => become_tool("flash-cli", Some("dfu"), &handed),
        Command::Hex(handed) => become_tool("flash-cli", Some("hex"), &handed),
        Command::BringUp(handed) => become_tool("flash-cli", Some("bring-up"), &handed),
        Command::Send(handed) => become_tool("flash-cli", Some("send"), &handed),
    })
}

/// Builds a tool and becomes it: its exit status and its last line are those of the command.
fn become_tool(package: &str, subcommand: Option<&str>, handed: &Handed) -> anyhow::Result<()> {
    let mut tool = suites::tool(package, subcommand.as_slice())?;
    let error = tool.args(&handed.arguments).exec();
    Err(error).with_context(|| format!("cannot run `{}`", process::line(&tool)))
}
