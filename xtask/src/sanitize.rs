//! The suites `sanitizer` and `miri`: edge-core's tests, kernels and all, under the address
//! sanitizer; and under miri, which also sees undefined behaviour that touches no wrong address.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use crate::fuzz::{nightly, nightly_is_there};
use toolbox::outcome::{Outcome, run_counted};
use toolbox::{process, root};

/// What both run: the stages, and the suite that holds every kernel set to the plain computation.
const TEST: [&str; 6] = ["--package", "edge-core", "--features", "std", "--lib", "--tests"];

/// The address sanitizer. It stops at the first wrong access, and so does the test program.
pub fn address() -> anyhow::Result<Outcome> {
    if !nightly_is_there() {
        return Ok(Outcome::NotRun("rustup's nightly is not installed".into()));
    }
    bites()?;
    let mut cargo = nightly("cargo");
    // With `--target`, flags go to what is built for it and not to build scripts and macros.
    cargo.arg("test").args(TEST).args(["--target", &triple(), "--target-dir"]).arg(cache("address"));
    run_counted(cargo.env("RUSTFLAGS", "-Zsanitizer=address"))
}

/// A planted read past the end must be found, or the sanitizer finds nothing at all.
fn bites() -> anyhow::Result<()> {
    let program = cache("planted");
    std::fs::create_dir_all(cache("")).with_context(|| format!("cannot make {}", cache("").display()))?;
    let mut rustc = nightly("rustc");
    rustc
        .args(["--edition=2024", "-Zsanitizer=address", "xtask/src/sanitize/planted.rs", "-o"])
        .arg(&program);
    process::run(&mut rustc)?;
    let output = Command::new(&program).output().context("cannot run the planted fault")?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && text.contains("AddressSanitizer: heap-buffer-overflow") {
        return Ok(());
    }
    bail!("the address sanitizer did not find a planted read past the end ({}): {text}", output.status)
}

/// Miri interprets and knows few instructions of real processors: it gets the scalar kernels only.
/// Each test is some thousand times slower, so the stages' tests with many random cases are left to
/// the other runs.
pub fn miri() -> anyhow::Result<Outcome> {
    let version = nightly("cargo").args(["miri", "--version"]).output();
    if !version.is_ok_and(|output| output.status.success()) {
        return Ok(Outcome::NotRun("rustup component add miri rust-src --toolchain nightly".into()));
    }
    let mut cargo = nightly("cargo");
    cargo.args(["miri", "test"]).args(TEST).arg("--target-dir").arg(cache("miri")).args(["--", "scalar"]);
    // Libtest's own look at the clock and the folder is no part of what is tested.
    run_counted(cargo.env("MIRIFLAGS", "-Zmiri-disable-isolation"))
}

/// The machine that this runs on, as rustc names it.
fn triple() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// A folder of everything here that can be made again.
fn cache(name: &str) -> PathBuf {
    root().join(".cache/sanitize").join(name)
}
