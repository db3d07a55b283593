//! `cargo xtask lint`: formatting, and clippy with every warning an error.

use crate::{process, test};

/// Checks the whole workspace. One clippy run covers both forms of the trainer: its test form contains the launcher.
pub fn run() -> anyhow::Result<()> {
    process::run(process::cargo().args(["fmt", "--all", "--check"]))?;
    test::libtorch()?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--features", "host-trainer/torch"];
    process::run(process::cargo().args(clippy).args(["--", "--deny", "warnings"]))
}
