//! `cargo xtask deb`: the Debian packages of the clinic device, of its screen and of what delivers its
//! log, for amd64 and for arm64, built and looked into.
//!
//! What is in them stands in their `Cargo.toml`; what must be in them stands here, so that a file
//! that is forgotten there is missed here. The programs for arm64 are linked statically and run on
//! any arm64 Linux; those for amd64 need the C library of the Debian that they were built on, or a
//! later one.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use debian_packages::{self as debian, Tool};
use toolbox::cross::{self, DELIVER, DEVICE, Profile, Program, SCREEN, Target};
use toolbox::{process, root, target, tool};

mod hollow;

pub use hollow::try_packages;

/// The tool, and the version that it was tried with.
const CARGO_DEB: (&str, &str) = ("cargo-deb", "3.8.0");

/// Greatest size of the program, in bytes.
const PROGRAM_MAX: u64 = 25_000_000;

/// A Debian package.
struct Package {
    name: &'static str,
    /// The package of this workspace.
    of: &'static str,
    program: Program<'static>,
    /// Beside the device's package, of which then one at least as new is needed.
    beside_the_device: bool,
    /// What an upgrade keeps.
    configuration: &'static str,
    files: &'static [(&'static str, &'static str)],
}

const PACKAGES: [Package; 3] = [
    Package {
        name: "pneumoscope",
        of: "edge-runtime",
        program: DEVICE,
        beside_the_device: false,
        configuration: "/etc/pneumoscope/pneumoscope.toml",
        files: &FILES,
    },
    Package {
        name: "pneumoscope-screen",
        of: "screen",
        program: SCREEN,
        beside_the_device: true,
        configuration: "/etc/pneumoscope/screen.toml",
        files: &SCREEN_FILES,
    },
    Package {
        name: "pneumoscope-deliver",
        of: "deliver",
        program: DELIVER,
        beside_the_device: true,
        configuration: "/etc/pneumoscope/deliver.toml",
        files: &DELIVER_FILES,
    },
];

/// Where packages list the users that they need.
const USERS: &str = "./usr/lib/sysusers.d/";

/// Files of the package that delivers.
const DELIVER_FILES: [(&str, &str); 13] = [
    ("-rw-r--r--", "./etc/pneumoscope/deliver.toml"),
    ("-rw-r--r--", "./usr/lib/sysusers.d/pneumoscope-deliver.conf"),
    ("-rw-r--r--", "./usr/lib/systemd/system/pneumoscope-deliver.service"),
    ("-rwxr-xr-x", "./usr/bin/pneumoscope-deliver"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope-deliver/DELIVER.md"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope-deliver/FLEET.md"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope-deliver/LICENSE-APACHE"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope-deliver/LICENSE-MIT"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope-deliver/copyright"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope-deliver/schemas/decision.schema.json"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope-deliver/schemas/event.schema.json"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope-deliver/schemas/gap.schema.json"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope-deliver/schemas/status.schema.json"),
];

/// Files of the screen's package.
const SCREEN_FILES: [(&str, &str); 9] = [
    ("-rw-r--r--", "./etc/pneumoscope/screen.toml"),
    ("-rw-r--r--", "./usr/lib/sysusers.d/pneumoscope-screen.conf"),
    ("-rw-r--r--", "./usr/lib/systemd/system/pneumoscope-screen.service"),
    ("-rwxr-xr-x", "./usr/bin/pneumoscope-screen"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope-screen/LICENSE-APACHE"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope-screen/LICENSE-MIT"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope-screen/SCREEN.md"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope-screen/copyright"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope-screen/examples/pneumoscope-kiosk.service"),
];

/// Files of the device's package, with their rights as `dpkg-deb --contents` shows them.
const FILES: [(&str, &str); 19] = [
    ("-rw-r--r--", "./etc/pneumoscope/pneumoscope.toml"),
    ("-rw-r--r--", "./usr/lib/sysusers.d/pneumoscope.conf"),
    ("-rw-r--r--", "./usr/lib/tmpfiles.d/pneumoscope.conf"),
    ("-rw-r--r--", "./usr/lib/tmpfiles.d/pneumoscope-dicom.conf"),
    ("-rw-r--r--", "./usr/lib/systemd/system/pneumoscope.service"),
    ("-rw-r--r--", "./usr/lib/systemd/system/pneumoscope-dicom.socket"),
    ("-rw-r--r--", "./usr/lib/systemd/system/pneumoscope-dicom@.service"),
    ("-rwxr-xr-x", "./usr/lib/pneumoscope/dicom-receive"),
    ("-rw-r--r--", "./usr/lib/udev/rules.d/60-pneumoscope.rules"),
    ("-rw-r--r--", "./usr/share/pneumoscope/libcamera.conf"),
    ("-rw-r--r--", "./usr/share/pneumoscope/network-camera.conf"),
    ("-rwxr-xr-x", "./usr/bin/edge-runtime"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope/CHANGELOG.md"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope/LICENSE-APACHE"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope/LICENSE-MIT"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope/MODELS.md"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope/MODEL_CARD.md"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope/README.md"),
    ("-rw-r--r--", "./usr/share/doc/pneumoscope/copyright"),
];

/// What to build.
#[derive(clap::Args)]
pub struct Arguments {
    /// Build for this machine only.
    #[arg(value_enum)]
    architecture: Option<Architecture>,
}

/// A machine, as Debian calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Architecture {
    Amd64,
    Arm64,
}

impl Architecture {
    /// Debian's name, and the machine's number in an ELF file.
    fn names(self) -> (&'static str, u16) {
        match self {
            Self::Amd64 => ("amd64", 62),
            Self::Arm64 => ("arm64", 183),
        }
    }
}

/// Builds the packages and checks them.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let all = [Architecture::Amd64, Architecture::Arm64];
    for architecture in all.into_iter().filter(|&one| arguments.architecture.is_none_or(|only| only == one)) {
        for package in &PACKAGES {
            let file = build(architecture, package)?;
            check(architecture, package, &file).with_context(|| file.display().to_string())?;
            println!("{}", file.strip_prefix(root()).unwrap_or(&file).display());
        }
    }
    Ok(())
}

/// Builds one package and says where it is.
fn build(architecture: Architecture, package: &Package) -> anyhow::Result<PathBuf> {
    let built = match architecture {
        Architecture::Amd64 => {
            ensure!(cfg!(target_arch = "x86_64"), "the package for amd64 is built on amd64");
            process::run(process::cargo().args(["build", "--profile", "dist", "--package", package.of]))?;
            target()
        }
        Architecture::Arm64 => {
            cross::build(Target::Aarch64, package.program, Profile::Dist)?;
            cross::folder()
        }
    };
    let (name, _) = architecture.names();
    let file = target().join(format!("debian/{}_{name}.deb", package.name));
    pack(architecture, package, &built, &file)?;
    Ok(file)
}

/// Makes the file of a package around the program that lies in cargo's folder `built`.
fn pack(architecture: Architecture, package: &Package, built: &Path, file: &Path) -> anyhow::Result<()> {
    debian::ensure_tools(&[
        Tool { ask: &["dpkg-deb", "--version"], package: "dpkg" },
        Tool { ask: &["dpkg-shlibdeps", "--version"], package: "dpkg-dev" },
        Tool { ask: &["systemd-sysusers", "--version"], package: "systemd" },
    ])?;
    let mut deb = process::command(tool::installed(CARGO_DEB.0, CARGO_DEB.1)?);
    deb.args(["deb", "--package", package.of, "--profile", "dist", "--no-build", "--no-strip"]);
    if architecture == Architecture::Arm64 {
        deb.args(["--target", Target::Aarch64.triple()]);
    }
    process::run(deb.env("CARGO_TARGET_DIR", built).arg("--output").arg(file))
}

/// Looks into a package.
fn check(architecture: Architecture, package: &Package, file: &Path) -> anyhow::Result<()> {
    let (name, machine) = architecture.names();
    let listing = process::output(Command::new("dpkg-deb").arg("--contents").arg(file))?;
    files(&listing, package.files)?;
    let field = |name: &str| process::output(Command::new("dpkg-deb").arg("--field").arg(file).arg(name));
    let of = field("Architecture")?;
    ensure!(of.trim() == name, "expected a package for {name}, got one for {of}");
    let (version, needed) = (field("Version")?, field("Depends")?);
    let upstream = version.trim().split('-').next().unwrap_or_default();
    let device = format!("pneumoscope (>= {upstream})");
    ensure!(
        needed.split(", ").any(|one| one.trim() == device) == package.beside_the_device,
        "expected {device} among what a package beside the device's needs, and of no other; got {needed}"
    );

    let folder = target().join("debian/unpacked").join(package.name).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    process::run(Command::new("dpkg-deb").arg("--raw-extract").arg(file).arg(&folder))?;
    let conffiles = std::fs::read_to_string(folder.join("DEBIAN/conffiles"))?;
    ensure!(
        conffiles.trim() == package.configuration,
        "expected the configuration to be kept at an upgrade, got conffiles {conffiles:?}"
    );
    let paths: Vec<&str> = package.files.iter().map(|(_, path)| *path).collect();
    for path in paths.iter().filter(|path| path.starts_with(USERS)) {
        users(&folder.join(path))?;
    }
    scripts(&paths, |script| Ok(std::fs::read_to_string(folder.join("DEBIAN").join(script))?))?;
    let program = std::fs::read(folder.join("usr/bin").join(package.program.bin))?;
    elf(&program, machine, PROGRAM_MAX)
}

/// A list of users that systemd does not understand as a whole fails the installation.
fn users(list: &Path) -> anyhow::Result<()> {
    let list = list.canonicalize().with_context(|| list.display().to_string())?;
    let dry = Command::new("systemd-sysusers").arg("--dry-run").arg(&list).output()?;
    let said = String::from_utf8_lossy(&dry.stderr);
    ensure!(dry.status.success(), "systemd-sysusers would not make the users: {said}");
    Ok(())
}

/// What the package's scripts must do with its files: make users and folders at installation, stop
/// and forget every unit at removal. A template is stopped with what starts it.
fn scripts(paths: &[&str], script: impl Fn(&str) -> anyhow::Result<String>) -> anyhow::Result<()> {
    const DONE: [(&str, &str, &str); 4] = [
        (USERS, "postinst", "systemd-sysusers"),
        ("./usr/lib/tmpfiles.d/", "postinst", "systemd-tmpfiles --create"),
        ("./usr/lib/systemd/system/", "prerm", "deb-systemd-invoke stop"),
        ("./usr/lib/systemd/system/", "postrm", "deb-systemd-helper purge"),
    ];
    for (folder, name, does) in DONE {
        let text = script(name).with_context(|| format!("the package's {name}"))?;
        ensure!(!text.contains("#DEBHELPER#"), "systemd's part of {name} was not filled in");
        let files = paths.iter().filter_map(|path| path.strip_prefix(folder));
        for file in files.filter(|file| !file.contains('@')) {
            let names = |word: &str| word.trim_matches('\'') == file;
            let done = text.lines().any(|line| line.contains(does) && line.split_whitespace().any(names));
            ensure!(done, "{name} does not run `{does}` for {file}");
        }
    }
    let purge = script("postrm")?.lines().any(|line| line.trim_start().starts_with("rm -rf /var/lib/"));
    ensure!(purge, "postrm leaves at a purge what the programs kept");
    Ok(())
}

/// Exactly the files that must be there, with their rights, and all of them root's.
fn files(listing: &str, expected: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    for line in listing.lines().filter(|line| !line.starts_with('d')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let &[rights, owner, _, _, _, path] = &words[..] else {
            anyhow::bail!("cannot read the listing: {line}");
        };
        ensure!(matches!(owner, "root/root" | "0/0"), "{path} belongs to {owner}, not to root");
        found.push((rights, path));
    }
    for file in expected {
        ensure!(found.contains(file), "{} {} is not in the package", file.0, file.1);
    }
    for file in &found {
        ensure!(expected.contains(file), "{} {} was not expected in the package", file.0, file.1);
    }
    Ok(())
}

/// A program for this machine, of a size that a device has room for.
fn elf(program: &[u8], machine: u16, most: u64) -> anyhow::Result<()> {
    let size = program.len() as u64;
    ensure!(size <= most, "the program has {size} bytes, at most {most} are allowed");
    let is_elf = program.starts_with(b"\x7fELF");
    let got = program.get(18..20).map_or(0, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    ensure!(is_elf && got == machine, "expected a program for ELF machine {machine}, got {got}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A listing as `dpkg-deb --contents` prints it.
    fn listing(files: &[(&str, &str)]) -> String {
        let folder = "drwxr-xr-x root/root         0 2026-11-24 12:00 ./usr/\n";
        let file = |(rights, path): &(&str, &str)| format!("{rights} root/root 7 2026-11-24 12:00 {path}\n");
        folder.to_owned() + &files.iter().map(file).collect::<String>()
    }

    #[test]
    fn what_must_be_in_a_package_is_missed_and_what_must_not_is_found() {
        assert!(files(&listing(&FILES), &FILES).is_ok());
        for left_out in 0..FILES.len() {
            let mut some = FILES.to_vec();
            let (_, path) = some.remove(left_out);
            assert!(files(&listing(&some), &FILES).unwrap_err().to_string().contains(path));
        }
        let more = [&FILES[..], &[("-rw-r--r--", "./etc/shadow")]].concat();
        assert!(files(&listing(&more), &FILES).unwrap_err().to_string().contains("./etc/shadow"));
        let writable = listing(&FILES).replace("-rwxr-xr-x", "-rwxrwxrwx");
        assert!(files(&writable, &FILES).is_err());
        assert!(files(&listing(&FILES).replace("root/root 7", "1000/1000 7"), &FILES).is_err());
    }

    #[test]
    fn a_program_for_another_machine_is_refused() {
        let mut program = b"\x7fELF".to_vec();
        program.resize(64, 0);
        program[18] = 183;
        assert!(elf(&program, 183, 64).is_ok());
        assert!(elf(&program, 62, 64).is_err());
        assert!(elf(&program, 183, 63).is_err());
        assert!(elf(b"#!/bin/sh", 62, 64).is_err());
    }

    #[test]
    fn a_unit_a_folder_or_a_user_that_the_scripts_forget_is_found() {
        let paths = [
            "./usr/lib/sysusers.d/a.conf",
            "./usr/lib/tmpfiles.d/b.conf",
            "./usr/lib/systemd/system/c.socket",
            "./usr/lib/systemd/system/c@.service",
        ];
        let all = [
            ("postinst", "systemd-sysusers a.conf\n\tsystemd-tmpfiles --create b.conf >/dev/null || true\n"),
            ("prerm", "deb-systemd-invoke stop 'c.socket' >/dev/null || true\n"),
            ("postrm", "deb-systemd-helper purge 'c.socket' || true\nrm -rf /var/lib/c\n"),
        ];
        let told = |change: fn(&str) -> String| {
            scripts(&paths, |name| {
                let (_, text) = all.iter().find(|(script, _)| *script == name).context("no script")?;
                Ok(change(text))
            })
            .map_err(|error| format!("{error:#}"))
        };
        assert_eq!(told(str::to_owned), Ok(()));
        let forgets = |change, what: &str| assert!(told(change).unwrap_err().contains(what), "{what}");
        forgets(|text| text.replace("a.conf", ""), "systemd-sysusers` for a.conf");
        forgets(|text| text.replace("b.conf", "bb.conf"), "for b.conf");
        forgets(|text| text.replace("stop", "start"), "prerm does not run");
        forgets(|text| text.replace("purge", "mask"), "postrm does not run");
        forgets(|text| text.replace("rm -rf", "ls"), "at a purge");
        forgets(|text| text.to_owned() + "#DEBHELPER#", "was not filled in");
    }
}
