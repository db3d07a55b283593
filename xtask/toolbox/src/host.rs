//! What is built for this machine. Everything is built with the features that the tests' packages
//! have together: another choice of packages would give a dependency other features, and tract
//! would be compiled once more.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::{process, target};

/// Packages that the tests of the host do without: probe-rs, the analyser of linked programs,
/// emulation and benches.
pub const TOOLS: [&str; 4] = ["flash-cli", "emulation", "sizes", "bench"];

/// What runs before anything else is built: the trainer's front, and the commands. They have few
/// dependencies, with features of their own.
pub const FRONT: [&str; 4] = ["debian-packages", "host-trainer", "toolbox", "xtask"];

/// `cargo SUBCOMMAND` for all other packages.
pub fn cargo(subcommand: &str) -> Command {
    let mut cargo = process::cargo();
    let apart = TOOLS.iter().chain(&FRONT);
    cargo.args([subcommand, "--workspace"]).args(apart.flat_map(|package| ["--exclude", package]));
    cargo
}

/// A program of one of these packages, built if need be.
pub fn program(name: &str) -> anyhow::Result<Command> {
    process::run(cargo("build").args(["--quiet", "--bin", name]))?;
    Ok(process::command(target().join("debug").join(name)))
}

/// Puts libtorch in place; what builds the trainer needs it first. Looks once: five suites ask, and
/// each look takes more than a second.
pub fn libtorch() -> anyhow::Result<()> {
    static IN_PLACE: Mutex<bool> = Mutex::new(false);
    let mut in_place = IN_PLACE.lock().unwrap_or_else(PoisonError::into_inner);
    if !*in_place {
        process::run(process::cargo().args(["run", "--quiet", "--package", "host-trainer", "--", "setup"]))?;
        *in_place = true;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Packages with their features, as cargo resolves them for a choice of packages.
    fn features(choice: Command) -> BTreeSet<String> {
        let mut cargo = choice;
        cargo.args(["--prefix", "none", "--format", "{p} {f}"]);
        let lines = process::output(&mut cargo).unwrap();
        lines.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
    }

    fn alone(package: &str, edges: &str) -> BTreeSet<String> {
        let mut cargo = process::cargo();
        cargo.args(["tree", "--package", package, "--edges", edges]);
        features(cargo)
    }

    fn together(edges: &str) -> BTreeSet<String> {
        let mut cargo = cargo("tree");
        cargo.args(["--edges", edges]);
        features(cargo)
    }

    /// `cargo run -p edge-runtime`, the trainer's front and the tests compile tract once: no
    /// dependency has other features. What build scripts use is looked at apart: cargo gives it
    /// features of its own, which would hide those of the same crate in the program.
    #[test]
    fn programs_alone_and_the_tests_of_all_packages_are_one_build() {
        for (edges, with_tests) in [("normal", "normal,dev"), ("normal,build", "normal,build,dev")] {
            let all = together(with_tests);
            for package in ["edge-runtime", "trainer"] {
                let others: Vec<_> = alone(package, edges).difference(&all).cloned().collect();
                assert!(others.is_empty(), "{package} has other features than the tests: {others:#?}");
            }
        }
        // Planted: alone, edge-core is without `std`, and that is found.
        let all = together("normal,dev");
        assert!(alone("edge-core", "normal").difference(&all).any(|line| line.starts_with("edge-core ")));
    }

    /// Of these, packages that a package is built with.
    fn of(hardware: &[&'static str], package: &str) -> Vec<&'static str> {
        let built = alone(package, "normal,build");
        let is_built = |name: &&str| built.iter().any(|line| line.starts_with(&format!("{name} ")));
        hardware.iter().copied().filter(is_built).collect()
    }

    /// Cameras, lines, signals and systemd are the device's: who decodes a picture or packs a model
    /// compiles none of them.
    #[test]
    fn the_trainer_and_flash_are_built_without_the_devices_hardware() {
        let hardware = ["edge-runtime", "gpiocdev", "moq-v4l", "sd-notify", "signal-hook"];
        for package in ["edge-model", "phantoms", "trainer", "flash"] {
            assert_eq!(of(&hardware, package), [""; 0], "{package}");
        }
        assert_eq!(of(&["edge-model"], "phantoms"), [""; 0], "who draws needs no engine");
        // Engines register what they have at a program's start: linked in, they are there, used or not.
        let engines = ["edge-model", "tract-core", "image"];
        assert_eq!(of(&engines, "screen"), [""; 0], "who shows answers needs no engine and no codec");
        assert_eq!(of(&engines, "deliver"), engines);
        // Planted: the device has all, and each is found by its name.
        assert_eq!(of(&hardware, "edge-runtime"), hardware);
        assert_eq!(of(&["edge-model"], "trainer"), ["edge-model"]);
    }
}
