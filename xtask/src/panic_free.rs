//! Proves that gate and core engine have no panic path: `tests/panic-free` links for a microcontroller only where none can be
//! reached. The proof bites: with a planted one it must not link.

use std::process::Stdio;

use anyhow::ensure;

use crate::cross::{self, Profile, Program, Target};

const PANIC_FREE: Program =
    Program { manifest: "tests/panic-free/Cargo.toml", bin: "panic-free", features: &[] };

/// Links both programs, for the target whose kernels and whose size matter most.
pub fn run() -> anyhow::Result<()> {
    cross::build(Target::CortexM, PANIC_FREE, Profile::Release)?;
    let mut planted = cross::cargo(Target::CortexM, "build")?;
    planted.args(["--release", "--quiet", "--manifest-path", PANIC_FREE.manifest, "--features", "planted"]);
    let output = planted.stdin(Stdio::null()).output()?;
    let message = String::from_utf8_lossy(&output.stderr);
    ensure!(
        !output.status.success() && message.contains("a_panic_can_be_reached"),
        "a planted panic path was not found, so that the check for panic paths proves nothing:\n{message}"
    );
    eprintln!("==> no panic path in gate and core engine; a planted one is found");
    Ok(())
}
