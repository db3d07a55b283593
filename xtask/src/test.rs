//! `cargo xtask test`: every test of the project.

use std::path::PathBuf;

use anyhow::Context;

use crate::debian::{self, Tool};
use crate::{board, boards, fuzz, panic_free, process, python, sanitize, sizes};

/// What to test.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder of chest X-rays (`train`, `val`, `test`, each with `NORMAL` and `PNEUMONIA`): run the tests that need
    /// them too.
    #[arg(long, env = "PNEUMOSCOPE_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Run only tests whose name contains this text.
    filter: Option<String>,
}

/// Fetches what the tests need and runs them. The test runner's own summary lines come last.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let data = arguments.data.as_ref().map(|dir| {
        dir.canonicalize().with_context(|| format!("--data: there is no folder {}", dir.display()))
    });
    let data = data.transpose()?;
    libtorch()?;
    let python = python::find()?;
    let packages = python::packages(&python)?;

    let test = |more: &[&str]| {
        let mut cargo = process::cargo();
        cargo.args(["test", "--workspace", "--features", "host-trainer/torch"]).args(more);
        cargo.env("PNEUMOSCOPE_PYTHON", &python.program).env("PNEUMOSCOPE_PYTHON_PACKAGES", &packages);
        cargo
    };
    let mut machines = Vec::new();
    if arguments.filter.is_none() {
        // All tests are compiled beside what is built for other machines: linking and the largest crates keep only one processor busy.
        let mut board = None;
        let other_machines = || {
            panic_free::run()?;
            sizes::run(&sizes::Arguments::default())?;
            board = Some(("PNEUMOSCOPE_BOARD", board::prepare()?));
            Ok(())
        };
        process::both(|| process::run(&mut test(&["--no-run"])), other_machines)?;
        // Marked as ignored, because a bare `cargo test` has no onnxruntime.
        process::run(&mut test(&["--test", "onnxruntime", "--", "--ignored"]))?;
        // The photographs come the same way.
        process::run(&mut test(&["--test", "gate", "--", "--ignored", "photographs"]))?;
        // So are those that need emulated machines: the counting of instructions, and every board.
        process::run(&mut test(&["--bin", "xtask", "--", "--ignored"]))?;
        // The service's rights, judged by systemd's own tool.
        debian::ensure_tools(&[Tool { ask: &["systemd-analyze", "--version"], package: "systemd" }])?;
        process::run(&mut test(&["--test", "packaging", "--", "--ignored"]))?;
        machines.push(("PNEUMOSCOPE_BOARDS", boards::run()?));
        machines.extend(board);
        // With X-rays all that is marked as ignored runs below.
        if data.is_none() {
            for suite in ["boards", "board"] {
                process::run(test(&["--test", suite, "--", "--ignored"]).envs(machines.clone()))?;
            }
        }
        sanitize::run()?;
        fuzz::short()?;
    }
    // All test programs are run even after one failed, so that one run tells everything.
    let mut cargo = test(&["--no-fail-fast"]);
    cargo.args(&arguments.filter).envs(machines);
    match data {
        // Tests that need the X-rays are marked as ignored, with that reason.
        Some(data) => cargo.env("PNEUMOSCOPE_DATA", data).args(["--", "--include-ignored"]),
        None => cargo.env_remove("PNEUMOSCOPE_DATA"),
    };
    process::run(&mut cargo)
}

/// Puts libtorch in place; what builds the trainer needs it first.
pub fn libtorch() -> anyhow::Result<()> {
    process::run(process::cargo().args(["run", "--quiet", "--package", "host-trainer", "--", "setup"]))
}
