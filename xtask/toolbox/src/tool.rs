//! Cargo's tools that the commands need, built from their source into `.cache/tools`.

use std::path::PathBuf;
use std::process::Command;

use crate::{process, root};

/// Path of `name`; built where it is missing or another version.
pub fn installed(name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let program = root().join(".cache/tools/bin").join(name);
    let output = Command::new(&program).arg("--version").output();
    if output.is_ok_and(|output| output.stdout.trim_ascii() == format!("{name} {version}").as_bytes()) {
        return Ok(program);
    }
    eprintln!("==> building {name} {version} (up to two minutes) into .cache/tools");
    process::run(
        process::cargo()
            // Unoptimised: it is built far faster and does its work in seconds all the same.
            .args(["install", "--debug", "--locked", "--force", "--quiet", "--root", ".cache/tools"])
            .args([name, "--version", version])
            .env("CARGO_PROFILE_DEV_DEBUG", "0"),
    )?;
    Ok(program)
}
