//! `cargo xtask deny` and `cargo xtask audit`: licences, sources and known faults of the dependencies, by cargo-deny.

use crate::{process, tool};

/// The version of cargo-deny that deny.toml was written for.
const VERSION: &str = "0.20.2";

/// Licences, banned crates and sources. Needs no more network than a build.
pub fn licences() -> anyhow::Result<()> {
    process::run(
        process::command(tool::installed("cargo-deny", VERSION)?)
            .args(["check", "licenses", "bans", "sources"]),
    )
}

/// Known faults of the dependencies. The RustSec database is a git repository on github.com, which not every build
/// machine reaches; so this is a command of its own.
pub fn advisories() -> anyhow::Result<()> {
    process::run(process::command(tool::installed("cargo-deny", VERSION)?).args(["check", "advisories"]))
}
