//! `cargo xtask lint`: formatting, and clippy with every warning an error.

use crate::process::{cargo, run};
use crate::test::libtorch;

/// Checks the whole workspace. One clippy run covers both forms of the trainer: its test form contains the launcher.
pub fn run_all() -> anyhow::Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    libtorch()?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--features", "host-trainer/torch"];
    run(cargo().args(clippy).args(["--", "--deny", "warnings"]))
}
