//! Runs the program of `tests/on-target` on every emulated machine and keeps what it prints, for
//! the suite `tests/tests/it/on_target.rs`.

use std::fs;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;

use anyhow::Context;

use toolbox::{host, root};

use crate::machine::{self, Machine};

/// The machines, by the names of their files.
const MACHINES: [(&str, Machine); 5] = [
    ("cortex-a53", Machine::CortexA53),
    ("cortex-a76", Machine::CortexA76),
    ("cortex-m4", Machine::CortexM4),
    ("cortex-m7", Machine::CortexM7),
    ("cortex-m33", Machine::CortexM33),
];

/// Where inputs and outputs lie, from the workspace's folder.
const FOLDER: &str = ".cache/on-target";

/// Runs everything on every machine, all machines at once; returns the folder with one file a
/// machine.
pub fn run() -> anyhow::Result<PathBuf> {
    let runs = inputs(&[FOLDER])?;
    let mut programs = Vec::new();
    for (name, machine) in MACHINES {
        programs.push((name, machine, machine.on_target()?));
    }
    thread::scope(|scope| {
        let runs = &runs;
        let start = |(name, machine, program)| scope.spawn(move || run_all(name, machine, program, runs));
        let threads: Vec<_> = programs.into_iter().map(start).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })?;
    Ok(root().join(FOLDER))
}

/// Runs every line of arguments on one machine and writes what it prints.
fn run_all(name: &str, machine: Machine, program: PathBuf, runs: &[String]) -> anyhow::Result<()> {
    let mut printed = String::new();
    for line in runs {
        printed += &machine::run(machine, &program, &line.split(' ').collect::<Vec<_>>())?;
    }
    let path = root().join(FOLDER).join(format!("{name}.txt"));
    fs::write(&path, printed).with_context(|| format!("cannot write {}", path.display()))
}

/// Has `on_target_inputs` write what a run needs, and returns what it says: lines of arguments to
/// run with.
pub fn inputs(arguments: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut program = host::program("on_target_inputs")?;
    program.args(arguments);
    let lines = machine::output(program)?;
    Ok(lines.lines().map(String::from).collect())
}
