//! `cargo xtask lint`: formatting, and clippy with every warning an error. What is checked for each machine is checked in one run, in
//! the profile and the folder in which the tests build it.

use std::process::Command;

use toolbox::cross::{self, Profile, Target};
use toolbox::{host, process};

/// The manifests of the three workspaces: this machine's, other machines', and what the nightly compiler instruments.
pub const WORKSPACES: [&str; 3] = ["Cargo.toml", "firmware/boards/Cargo.toml", "tests/fuzz/Cargo.toml"];

/// What is checked for other machines: packages of the second workspace, and features. Of the two kinds of Cortex-M4 and M7 that QEMU
/// has, one: nothing asks which. The STM32H7 is alone: embassy takes the width of one chip's interrupt priorities.
const OTHER_MACHINES: [(Target, &[&str], &str); 4] = [
    (Target::Aarch64, &["arm64-agent", "on-target"], ""),
    (Target::CortexM, &["nrf52840", "on-target", "panic-free", "qemu"], "qemu/an386"),
    (Target::CortexM, &["stm32h7"], ""),
    (Target::CortexM33, &["on-target", "qemu", "rp2350"], "qemu/an505"),
];

pub fn run() -> anyhow::Result<()> {
    for manifest in WORKSPACES {
        process::run(process::cargo().args(["fmt", "--all", "--manifest-path", manifest, "--check"]))?;
    }
    host::libtorch()?;
    clippy(process::cargo().args(["clippy", "--workspace", "--all-targets"]))?;
    for (target, packages, features) in OTHER_MACHINES {
        let mut cargo = clippy_for(target)?;
        cargo.args(["--manifest-path", WORKSPACES[1], "--features", features]);
        clippy(cargo.args(packages.iter().flat_map(|package| ["--package", package])))?;
    }
    // Members of the first workspace, which clippy passes over where they are the second's dependencies.
    for (target, features) in
        [(Target::Aarch64, "edge-core/std"), (Target::CortexM, "edge-core/cortex-m-dsp,firmware/defmt")]
    {
        let mut cargo = clippy_for(target)?;
        cargo.args(["--package", "edge-core", "--features", features]);
        clippy(
            cargo.args(
                features.contains("firmware").then_some(["--package", "firmware"]).into_iter().flatten(),
            ),
        )?;
    }
    Ok(())
}

fn clippy(cargo: &mut Command) -> anyhow::Result<()> {
    process::run(cargo.args(["--", "--deny", "warnings"]))
}

/// Clippy for another machine, in the profile in which most is built for it: its macros and build scripts are compiled once.
fn clippy_for(target: Target) -> anyhow::Result<Command> {
    let profile = if target == Target::Aarch64 { Profile::Dev } else { Profile::Chip };
    let mut cargo = cross::cargo(target, "clippy")?;
    cargo.args(["--profile", profile.name()]);
    Ok(cargo)
}
