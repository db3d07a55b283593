//! Building for machines other than this one: which compiler, which linker, and what both need.
//!
//! The compiler is the one that runs cargo, where it has the target's standard library (`rustup
//! target add TRIPLE`). Elsewhere it is Debian's `rustc-web`: its library for arm64 is a package of
//! Debian's, which is unpacked into `.cache`; of that for chips there is the source, which cargo
//! compiles along (`-Z build-std`, which `RUSTC_BOOTSTRAP=1` permits). Everything lands in
//! `.cache/cross`, where all targets share the macros and build scripts that run on this machine.

use std::iter;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use debian_packages::{self as debian, Tool};

use crate::{process, root};

/// A machine to build for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Linux on a 64-bit Arm, linked statically, so that it runs in any.
    Aarch64,
    /// A Cortex-M4 or M7 with a float unit, without operating system.
    CortexM,
    /// A Cortex-M33 with DSP instructions and a float unit, without operating system.
    CortexM33,
}

/// A profile of `.cargo/config.toml`; what each is for stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    Dev,
    Chip,
    Release,
    Dist,
}

impl Profile {
    /// As cargo calls it.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Dev => "dev",
            Profile::Chip => "chip",
            Profile::Release => "release",
            Profile::Dist => "dist",
        }
    }

    /// Cargo's folder for what is built in it.
    fn folder(self) -> &'static str {
        if self == Profile::Dev { "debug" } else { self.name() }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// Manifest of its package, from the workspace's folder.
    pub manifest: &'a str,
    pub bin: &'a str,
    pub features: &'a [&'a str],
}

/// Runs the shared stages on every target.
pub const ON_TARGET: Program =
    Program { manifest: "tests/on-target/Cargo.toml", bin: "on-target", features: &[] };
/// The first process of the emulated arm64 board.
pub const ARM64_AGENT: Program =
    Program { manifest: "tests/arm64/agent/Cargo.toml", bin: "arm64-agent", features: &[] };
/// The Linux device.
pub const DEVICE: Program =
    Program { manifest: "edge-runtime/Cargo.toml", bin: "edge-runtime", features: &[] };
/// What sends the device's log to a broker and an archive.
pub const DELIVER: Program =
    Program { manifest: "edge-runtime/deliver/Cargo.toml", bin: "pneumoscope-deliver", features: &[] };
/// What shows the device's answers in a browser.
pub const SCREEN: Program =
    Program { manifest: "edge-runtime/screen/Cargo.toml", bin: "pneumoscope-screen", features: &[] };

impl Target {
    pub fn triple(self) -> &'static str {
        match self {
            Target::Aarch64 => "aarch64-unknown-linux-gnu",
            Target::CortexM => "thumbv7em-none-eabihf",
            Target::CortexM33 => "thumbv8m.main-none-eabihf",
        }
    }

    /// The target of a board, by Rust's name of its processor.
    pub fn of(triple: &str) -> anyhow::Result<Self> {
        let known = [Target::CortexM, Target::CortexM33];
        let target = known.into_iter().find(|target| target.triple() == triple);
        let names = known.map(Target::triple).join(", ");
        target.with_context(|| format!("target in board.toml: expected one of {names}, got `{triple}`"))
    }

    /// Name of cargo's variable `CARGO_TARGET_TRIPLE_name`.
    fn variable(self, name: &str) -> String {
        format!("CARGO_TARGET_{}_{name}", self.triple().to_uppercase().replace(['-', '.'], "_"))
    }

    /// What building with any compiler and running need.
    fn tools(self) -> &'static [Tool] {
        match self {
            Target::Aarch64 => &[
                Tool { ask: &["aarch64-linux-gnu-gcc", "--version"], package: "gcc-aarch64-linux-gnu" },
                Tool {
                    ask: &["test", "-f", "/usr/aarch64-linux-gnu/lib/libc.a"],
                    package: "libc6-dev-arm64-cross",
                },
                Tool { ask: &["qemu-aarch64", "--version"], package: "qemu-user" },
            ],
            Target::CortexM | Target::CortexM33 => {
                &[Tool { ask: &["qemu-system-arm", "--version"], package: "qemu-system-arm" }]
            }
        }
    }
}

/// Debian's Rust with its source, and a linker for bare Arm (rustup's brings its own).
const DEBIAN: [Tool; 5] = [
    Tool { ask: &["/usr/bin/rustc", "--version"], package: "rustc-web" },
    Tool { ask: &["/usr/bin/cargo", "--version"], package: "cargo-web" },
    Tool { ask: &["/usr/bin/clippy-driver", "--version"], package: "rust-web-clippy" },
    Tool { ask: &["test", "-f", "/usr/lib/rustlib/src/rust/library/Cargo.lock"], package: "rust-web-src" },
    Tool { ask: &["arm-none-eabi-ld", "--version"], package: "binutils-arm-none-eabi" },
];

/// `cargo SUBCOMMAND` for the target, in the workspace's folder. What is missing for it is
/// installed on Debian.
pub fn cargo(target: Target, subcommand: &str) -> anyhow::Result<Command> {
    debian::ensure_tools(target.tools())?;
    let triple = target.triple();
    let ours = has_library(triple);
    let mut cargo = if ours {
        process::cargo()
    } else {
        debian::ensure_tools(&DEBIAN)
            .with_context(|| format!("where rustup is in use: `rustup target add {triple}`"))?;
        let mut cargo = process::command("/usr/bin/cargo");
        // What another toolchain's cargo set for its own compiler and libraries.
        cargo.env_remove("LD_LIBRARY_PATH").env_remove("RUSTC_WRAPPER");
        cargo.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
        // Its own subcommands before those of rustup.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = iter::once(PathBuf::from("/usr/bin")).chain(std::env::split_paths(&path));
        cargo.env("PATH", std::env::join_paths(folders)?);
        cargo
    };
    cargo.arg(subcommand).args(["--target", triple, "--target-dir"]).arg(folder());
    // Flags for the host's programs would replace those of the target.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    match target {
        Target::Aarch64 => {
            cargo.env(target.variable("LINKER"), "aarch64-linux-gnu-gcc");
            let mut flags = "-Ctarget-feature=+crt-static".to_owned();
            match (!ours).then(arm64_library) {
                None => {}
                Some(Ok(library)) => flags += &format!(" --sysroot={}", library.display()),
                // Debian's machines may not have built it for arm64 yet.
                Some(Err(error)) => {
                    eprintln!(
                        "==> compiling Rust's standard library for arm64, for want of Debian's: {error:#}"
                    );
                    cargo.arg("-Zbuild-std=std,panic_unwind");
                }
            }
            cargo.env(target.variable("RUSTFLAGS"), flags);
        }
        Target::CortexM | Target::CortexM33 => {
            // What the compiler is told for bare chips: the same that `cargo` in a board's folder tells it.
            cargo.args(["--config", "firmware/boards/.cargo/config.toml"]);
            if !ours {
                cargo.arg("-Zbuild-std=core").env(target.variable("LINKER"), "arm-none-eabi-ld");
            }
        }
    }
    Ok(cargo)
}

/// The folder with the standard library of Debian's compiler for arm64, of that compiler's very
/// version.
fn arm64_library() -> anyhow::Result<PathBuf> {
    let mut query = process::command("dpkg-query");
    let version = process::output(query.args(["--show", "--showformat=${Version}", "rustc-web"]))?;
    let folder = root().join(".cache/rust-arm64").join(version.trim());
    if !folder.exists() {
        eprintln!("==> unpacking Rust's standard library for arm64 (34 MB) into {}", folder.display());
        let apt = debian::Apt::new(&root().join(".cache/rust-arm64/apt"))?;
        apt.unpack(&format!("libstd-rust-web-dev={}", version.trim()), &folder)?;
    }
    Ok(folder.join("usr"))
}

/// Builds one program and says where it is.
pub fn build(target: Target, program: Program, profile: Profile) -> anyhow::Result<PathBuf> {
    let mut cargo = cargo(target, "build")?;
    cargo.args(["--quiet", "--manifest-path", program.manifest, "--bin", program.bin]);
    cargo.args(program.features.iter().flat_map(|feature| ["--features", feature]));
    cargo.args(["--profile", profile.name()]);
    process::run(&mut cargo)?;
    Ok(folder().join(target.triple()).join(profile.folder()).join(program.bin))
}

/// Cargo's folder for what is built for other machines.
pub fn folder() -> PathBuf {
    root().join(".cache/cross")
}

/// Whether the compiler that runs cargo has the standard library of `triple`; elsewhere it is
/// compiled along, and programs of bare chips are some 1.5 kB smaller.
pub fn has_library(triple: &str) -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", triple]).output();
    output.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_string();
        // The folder alone proves nothing: rustup leaves it behind.
        let libraries = std::fs::read_dir(folder).map(|files| files.flatten().collect::<Vec<_>>());
        libraries
            .is_ok_and(|files| files.iter().any(|f| f.file_name().to_string_lossy().starts_with("libcore-")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_variables_are_spelt_as_cargo_spells_them() {
        assert_eq!(Target::Aarch64.variable("LINKER"), "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER");
        assert_eq!(Target::CortexM33.variable("LINKER"), "CARGO_TARGET_THUMBV8M_MAIN_NONE_EABIHF_LINKER");
    }

    #[test]
    fn the_hosts_library_is_found_and_an_unknown_one_is_not() {
        let version = Command::new("rustc").arg("-vV").output().unwrap().stdout;
        let version = String::from_utf8(version).unwrap();
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        assert!(has_library(host));
        assert!(!has_library("no-such-target"));
    }
}
