//! `cargo xtask soak`: the program over a day of frames from a replay, watched from outside
//! (edge-runtime/tests/it/soak.rs).

use toolbox::process;

use crate::suites::ignored_tests;

/// How long to soak.
#[derive(clap::Args)]
pub struct Arguments {
    /// Frames for each engine; a day at two a second if not given.
    #[arg(long, default_value_t = 172_800, value_parser = clap::value_parser!(u64).range(1000..))]
    frames: u64,
}

/// Runs both engines at once and prints what they held of the machine.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut cargo = ignored_tests("soak::")?;
    process::run(cargo.arg("--nocapture").env("PNEUMOSCOPE_SOAK_FRAMES", arguments.frames.to_string()))
}
