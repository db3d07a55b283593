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
    let boards =
        ["clippy", "--manifest-path", "tests/boards/Cargo.toml", "--target-dir", ".cache/cross/host"];
    process::run(process::cargo().args(boards).args(["--", "--deny", "warnings"]))?;
    // The kernels of other machines, and the program that runs there, are compiled by no other run here.
    for (target, features) in [(Target::Aarch64, "std,suite"), (Target::CortexM, "cortex-m-dsp,suite")] {
        let core = ["--manifest-path", "edge-runtime/core/Cargo.toml", "--lib", "--features", features];
        for package in [&core[..], &["--manifest-path", cross::BOARDS.manifest]] {
            let mut clippy = cross::cargo(target, "clippy")?;
            process::run(clippy.arg("--quiet").args(package).args(["--", "--deny", "warnings"]))?;
        }
    }
    let mut clippy = cross::cargo(Target::Aarch64, "clippy")?;
    clippy.args(["--quiet", "--manifest-path", board::AGENT.manifest, "--", "--deny", "warnings"]);
    process::run(&mut clippy)?;
    for (folder, board) in firmware::boards(None)? {
        let mut clippy = firmware::cargo(&folder, &board, "clippy")?;
        process::run(clippy.args(["--quiet", "--", "--deny", "warnings"]))?;
    }
    test::libtorch()?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--features", "host-trainer/torch"];
    process::run(process::cargo().args(clippy).args(["--", "--deny", "warnings"]))
}
