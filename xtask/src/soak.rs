//! `cargo xtask soak`: the program over a day of frames from a replay, watched from outside (edge-runtime/tests/soak.rs).

use crate::process;
use crate::test::libtorch;

/// How long to soak.
#[derive(clap::Args)]
pub struct Arguments {
    /// Frames for each engine; a day at two a second if not given.
    #[arg(long, default_value_t = 172_800, value_parser = clap::value_parser!(u64).range(1000..))]
    frames: u64,
}

/// Runs both engines at once and prints what they held of the machine.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    libtorch()?;
    let mut cargo = process::cargo();
    // The features of the other tests: others would compile tract once more.
    cargo.args([
        "test",
        "--workspace",
        "--features",
        "host-trainer/torch",
        "--test",
        "soak",
        "--",
        "--nocapture",
    ]);
    process::run(cargo.env("PNEUMOSCOPE_SOAK_FRAMES", arguments.frames.to_string()))
}
