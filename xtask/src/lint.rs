//! `cargo xtask lint`: formatting, clippy, and the pages of the libraries that others take into their
//! products, with every warning an error. What is checked for each machine is checked in one run, in the profile
//! and the folder in which the tests build it.

use std::process::Command;
use std::thread;

use anyhow::bail;
use toolbox::cross::{self, Profile, Target};
use toolbox::{host, process};

/// The manifests of the three workspaces: this machine's, other machines', and what the nightly
/// compiler instruments.
pub const WORKSPACES: [&str; 3] = ["Cargo.toml", "firmware/boards/Cargo.toml", "tests/fuzz/Cargo.toml"];

/// What is checked for other machines: workspace, packages, features. Of the two kinds of Cortex-M4
/// and M7 that QEMU has, one: nothing asks which. The STM32H7 is alone: embassy takes the width of
/// one chip's interrupt priorities. The first workspace's packages are checked as its members,
/// because clippy passes over them where they are the second's dependencies.
const OTHER_MACHINES: [(Target, &str, &[&str], &str); 9] = [
    (Target::Aarch64, WORKSPACES[1], &["arm64-agent", "on-target"], ""),
    (Target::CortexM, WORKSPACES[1], &["nrf52840", "on-target", "panic-free", "qemu"], "qemu/an386"),
    (Target::CortexM, WORKSPACES[1], &["stm32h7"], ""),
    (Target::CortexM33, WORKSPACES[1], &["on-target", "qemu", "rp2350"], "qemu/an505"),
    // The checklists, which are another program of the same boards.
    (Target::CortexM, WORKSPACES[1], &["nrf52840", "qemu"], "nrf52840/bring-up,qemu/an386,qemu/bring-up"),
    (Target::CortexM, WORKSPACES[1], &["stm32h7"], "stm32h7/bring-up"),
    (Target::CortexM33, WORKSPACES[1], &["rp2350"], "rp2350/bring-up"),
    (Target::Aarch64, WORKSPACES[0], &["edge-core"], "edge-core/std"),
    (
        Target::CortexM,
        WORKSPACES[0],
        &["edge-core", "firmware", "pio-camera", "usb"],
        "edge-core/cortex-m-dsp,firmware/defmt",
    ),
];

/// Libraries that others take into their products: their pages have no broken link.
const LIBRARIES: [&str; 6] = ["board-config", "edge-core", "edge-model", "firmware", "pio-camera", "usb"];

pub fn run() -> anyhow::Result<()> {
    for manifest in WORKSPACES {
        process::run(process::cargo().args(["fmt", "--all", "--manifest-path", manifest, "--check"]))?;
    }
    // Two builds that know nothing of each other: where one compiles a single large crate, the
    // other has the second processor.
    thread::scope(|scope| {
        let others = scope.spawn(other_machines);
        host::libtorch()?;
        clippy(process::cargo().args(["clippy", "--workspace", "--all-targets"]))?;
        others.join().unwrap_or_else(|_| bail!("the lints for other machines ended by a panic"))
    })?;
    let mut pages = process::cargo();
    pages.args(["doc", "--no-deps", "--lib", "--all-features"]).env("RUSTDOCFLAGS", "--deny=warnings");
    pages.args(LIBRARIES.iter().flat_map(|library| ["--package", library]));
    process::run(&mut pages)
}

fn other_machines() -> anyhow::Result<()> {
    for (target, workspace, packages, features) in OTHER_MACHINES {
        let mut cargo = clippy_for(target)?;
        cargo.args(["--manifest-path", workspace, "--features", features]);
        clippy(cargo.args(packages.iter().flat_map(|package| ["--package", package])))?;
    }
    Ok(())
}

fn clippy(cargo: &mut Command) -> anyhow::Result<()> {
    process::run(cargo.args(["--", "--deny", "warnings"]))
}

/// Clippy for another machine, in the profile in which most is built for it: its macros and build
/// scripts are compiled once.
fn clippy_for(target: Target) -> anyhow::Result<Command> {
    let profile = if target == Target::Aarch64 { Profile::Dev } else { Profile::Chip };
    let mut cargo = cross::cargo(target, "clippy")?;
    cargo.args(["--profile", profile.name()]);
    Ok(cargo)
}
