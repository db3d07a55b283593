//! `cargo xtask lint`: formatting, and clippy with every warning an error.

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
    let boards = ["clippy", "--manifest-path", "tests/boards/Cargo.toml", "--target-dir"];
    process::run(process::cargo().args(boards).arg(cross::folder()).args(["--", "--deny", "warnings"]))?;
    // The kernels of other machines, what runs there, and that the firmware needs no operating system, are checked by no other run here.
    let core = "edge-runtime/core/Cargo.toml";
    let microcontrollers = [Target::CortexM, Target::CortexM33].map(|target| {
        [
            (target, core, "cortex-m-dsp,suite"),
            (target, cross::BOARDS.manifest, ""),
            (target, "firmware/Cargo.toml", "defmt"),
        ]
    });
    let linux = [(Target::Aarch64, core, "std,suite"), (Target::Aarch64, cross::BOARDS.manifest, "")];
    for (target, manifest, features) in linux.into_iter().chain(microcontrollers.into_iter().flatten()) {
        let mut clippy = cross::cargo(target, "clippy")?;
        clippy.args(["--quiet", "--manifest-path", manifest, "--features", features]);
        process::run(clippy.args(["--", "--deny", "warnings"]))?;
    }
    let mut clippy = cross::cargo(Target::Aarch64, "clippy")?;
    clippy.args(["--quiet", "--manifest-path", board::AGENT.manifest, "--", "--deny", "warnings"]);
    process::run(&mut clippy)?;
    for (folder, board) in firmware::boards(None)? {
        // In the profile in which they are built: then the macros and build scripts that run on this machine are compiled once.
        let mut clippy = firmware::cargo(&folder, &board, "clippy")?;
        process::run(clippy.args(["--quiet", "--release", "--", "--deny", "warnings"]))?;
    }
    test::libtorch()?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--features", "host-trainer/torch"];
    process::run(process::cargo().args(clippy).args(["--", "--deny", "warnings"]))
}
