//! `cargo xtask deny` and `cargo xtask audit`: licences, sources and known faults of the dependencies, by cargo-deny.

use std::path::PathBuf;
use std::process::Command;

use crate::{process, root};

/// The version of cargo-deny that deny.toml was written for.
const VERSION: &str = "0.20.2";

/// Licences, banned crates and sources. Needs no more network than a build.
pub fn licences() -> anyhow::Result<()> {
    process::run(process::command(installed()?).args(["check", "licenses", "bans", "sources"]))
}

/// Known faults of the dependencies. The RustSec database is a git repository on github.com, which not every build
/// machine reaches; so this is a command of its own.
pub fn advisories() -> anyhow::Result<()> {
    process::run(process::command(installed()?).args(["check", "advisories"]))
}

/// Path of cargo-deny in `.cache/tools`; built from its source where it is missing or another version.
fn installed() -> anyhow::Result<PathBuf> {
    let program = root().join(".cache/tools/bin/cargo-deny");
    let version = Command::new(&program).arg("--version").output();
    if version.is_ok_and(|output| output.stdout.trim_ascii() == format!("cargo-deny {VERSION}").as_bytes()) {
        return Ok(program);
    }
    eprintln!("==> building cargo-deny {VERSION} (about two minutes) into .cache/tools");
    process::run(
        process::cargo()
            // Unoptimised: it is built far faster and checks this workspace in seconds all the same.
            .args(["install", "--debug", "--locked", "--force", "--quiet", "--root", ".cache/tools"])
            .args(["cargo-deny", "--version", VERSION])
            .env("CARGO_PROFILE_DEV_DEBUG", "0"),
    )?;
    Ok(program)
}
