//! `cargo xtask lint`: formatting, and clippy with every warning an error.

use std::process::Command;

use crate::cross::{self, Target};
use crate::{OUTSIDE, board, firmware, process, test};

/// The workspace of the firmware's boards.
const FIRMWARE: &str = "firmware/boards/Cargo.toml";

/// Checks the whole workspace. One clippy run covers both forms of the trainer: its test form contains the launcher.
pub fn run() -> anyhow::Result<()> {
    process::run(process::cargo().args(["fmt", "--all", "--check"]))?;
    for manifest in OUTSIDE {
        process::run(process::cargo().args(["fmt", "--manifest-path", manifest, "--check"]))?;
    }
    process::run(process::cargo().args(["fmt", "--all", "--manifest-path", FIRMWARE, "--check"]))?;
    test::libtorch()?;
    this_machine()?;
    other_machines()
}

fn this_machine() -> anyhow::Result<()> {
    let all = ["clippy", "--workspace", "--all-targets", "--features", "host-trainer/torch"];
    process::run(process::cargo().args(all).args(["--", "--deny", "warnings"]))
}

/// What is built for other machines: their kernels, what runs there, and that the firmware needs no operating system, are checked by no
/// other run here.
fn other_machines() -> anyhow::Result<()> {
    let boards = ["clippy", "--manifest-path", "tests/boards/Cargo.toml", "--target-dir"];
    process::run(process::cargo().args(boards).arg(cross::folder()).args(["--", "--deny", "warnings"]))?;
    let core = "edge-runtime/core/Cargo.toml";
    let programs = [
        (Target::Aarch64, core, "std,suite"),
        (Target::Aarch64, cross::BOARDS.manifest, ""),
        // One of the two kinds of Cortex-M: nothing here asks which.
        (Target::CortexM, core, "cortex-m-dsp,suite"),
        (Target::CortexM, cross::BOARDS.manifest, ""),
        (Target::CortexM, "firmware/Cargo.toml", "defmt"),
    ];
    for (target, manifest, features) in programs {
        clippy(cross::cargo(target, "clippy")?.args(["--manifest-path", manifest, "--features", features]))?;
    }
    clippy(cross::cargo(Target::Aarch64, "clippy")?.args(["--manifest-path", board::AGENT.manifest]))?;
    for (folder, board) in firmware::boards(None)? {
        clippy(&mut firmware::cargo(&folder, &board, "clippy")?)?;
    }
    Ok(())
}

/// Clippy for another machine, in the profile in which most is built for it: then the macros and build scripts that run here are
/// compiled once.
fn clippy(cargo: &mut Command) -> anyhow::Result<()> {
    process::run(cargo.args(["--quiet", "--release", "--", "--deny", "warnings"]))
}
