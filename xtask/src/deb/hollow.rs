//! The packages around placeholders, for the suite `packages`: everything in them but the programs,
//! which take many minutes to link and are tried on the emulated board.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use debian_packages::Apt;
use toolbox::cross::Target;
use toolbox::outcome::Outcome;
use toolbox::target;

use super::{Architecture, PACKAGES, check, pack, users};

/// Packs for both architectures, looks into what comes out, and has apt say whether a machine of
/// arm64 could install it.
pub fn try_packages() -> anyhow::Result<Outcome> {
    let folder = target().join("debian/hollow");
    let mut checked = 0;
    for architecture in [Architecture::Amd64, Architecture::Arm64] {
        let (name, machine) = architecture.names();
        let mut files = Vec::new();
        for package in &PACKAGES {
            let built = folder.join("built");
            let of_target = if architecture == Architecture::Arm64 { Target::Aarch64.triple() } else { "" };
            let programs = built.join(of_target).join("dist");
            fs::create_dir_all(&programs)?;
            fs::write(programs.join(package.program.bin), placeholder(machine))?;
            let file = folder.join(format!("{}_{name}.deb", package.name));
            pack(architecture, package, &built, &file)?;
            check(architecture, package, &file).with_context(|| file.display().to_string())?;
            files.push(file);
            checked += 1;
        }
        if architecture == Architecture::Arm64 {
            installable(&folder, &files)?;
            checked += 1;
        }
    }
    a_planted_list_of_users_is_refused(&folder)?;
    Ok(Outcome::Ran { passed: checked + 1, failed: 0 })
}

/// The head of an ELF file for this machine.
fn placeholder(machine: u16) -> Vec<u8> {
    let mut head = b"\x7fELF\x02\x01\x01".to_vec();
    head.resize(64, 0);
    head[18..20].copy_from_slice(&machine.to_le_bytes());
    head
}

/// Whether apt would install them all on an arm64 machine that has nothing yet, and the device's alone,
/// and would not install what depends on the device's package without that.
fn installable(folder: &Path, files: &[PathBuf]) -> anyhow::Result<()> {
    let apt = Apt::new(&folder.join("apt"))?;
    let simulated = |files: &[PathBuf]| {
        let mut install = apt.command("apt-get", &["--simulate", "--no-install-recommends", "install"]);
        install.args(files).output().context("cannot run apt-get")
    };
    let all = simulated(files)?;
    let (said, told) = (String::from_utf8_lossy(&all.stdout), String::from_utf8_lossy(&all.stderr));
    ensure!(all.status.success(), "apt would not install the packages: {told}");
    for package in &PACKAGES {
        let line = format!("Inst {} (", package.name);
        ensure!(said.lines().any(|there| there.starts_with(&line)), "apt would not install {}", package.name);
    }
    let device = simulated(&files[..1])?;
    ensure!(device.status.success(), "apt would not install the device's package alone");
    for neighbour in &files[1..] {
        let alone = simulated(std::slice::from_ref(neighbour))?;
        ensure!(!alone.status.success(), "apt would install {} without the device", neighbour.display());
    }
    Ok(())
}

/// A colon parts the fields of the file of users.
fn a_planted_list_of_users_is_refused(folder: &Path) -> anyhow::Result<()> {
    let planted = folder.join("planted.conf");
    fs::write(&planted, "u planted - \"a: b\"\n")?;
    ensure!(users(&planted).is_err(), "a list of users with a colon in a name was not refused");
    Ok(())
}
