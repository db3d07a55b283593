//! Proves that pipeline, gate and core engine have no panic path: `tests/panic-free` links for a
//! microcontroller only where none can be reached. The proof bites: with one planted on any of its
//! ways it must not link.

use std::process::Stdio;

use anyhow::ensure;

use toolbox::cross::{self, Profile, Program, Target};

use toolbox::outcome::Outcome;

const PANIC_FREE: Program =
    Program { manifest: "tests/panic-free/Cargo.toml", bin: "panic-free", features: &[] };

/// The ways on each of which a panic is planted.
const WAYS: [&str; 2] = ["planted-step", "planted-frame"];

/// Links all programs, for the targets whose kernels and whose size matter most.
pub fn run() -> anyhow::Result<Outcome> {
    let mut passed = 0;
    for target in [Target::CortexM, Target::CortexM33] {
        cross::build(target, PANIC_FREE, Profile::Chip)?;
        passed += 1;
        for way in WAYS {
            let mut planted = cross::cargo(target, "build")?;
            planted.args([
                "--profile",
                "chip",
                "--quiet",
                "--manifest-path",
                PANIC_FREE.manifest,
                "--features",
                way,
            ]);
            let output = planted.stdin(Stdio::null()).output()?;
            let message = String::from_utf8_lossy(&output.stderr);
            ensure!(
                !output.status.success() && message.contains("a_panic_can_be_reached"),
                "a panic path ({way}) was not found, so that the check for panic paths proves nothing:\n{message}"
            );
            passed += 1;
        }
    }
    Ok(Outcome::Ran { passed, failed: 0 })
}
