//! `cargo xtask deny` and `cargo xtask audit`: licences, sources and known faults of the
//! dependencies, by cargo-deny.

use toolbox::{process, tool};

use crate::lint::WORKSPACES;

/// The version of cargo-deny that deny.toml was written for.
const VERSION: &str = "0.20.2";

/// Licences, banned crates and sources, of all three workspaces. Needs no more network than a
/// build.
pub fn licences() -> anyhow::Result<()> {
    for manifest in WORKSPACES {
        let mut deny = process::command(tool::installed("cargo-deny", VERSION)?);
        deny.args(["--manifest-path", manifest, "--config", "deny.toml", "check"]);
        process::run(deny.args(["licenses", "bans", "sources"]))?;
    }
    Ok(())
}

/// Known faults of the dependencies. The RustSec database is a git repository on github.com, which
/// not every build machine reaches; so this is a command of its own.
pub fn advisories() -> anyhow::Result<()> {
    process::run(process::command(tool::installed("cargo-deny", VERSION)?).args(["check", "advisories"]))
}
