//! Debian packages of 64-bit Arm, unpacked and not installed. apt keeps lists and downloads for
//! them in a folder of ours, so that neither its own nor the machine's list of architectures is
//! touched, and no root is needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

/// apt for arm64, with a state of its own in a folder that goes when it is dropped.
pub struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// With today's lists, in `folder`, which is made.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        for part in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(part))?;
        }
        fs::write(folder.join("status"), "")?;
        let apt = Self { folder: folder.to_path_buf() };
        run(&mut apt.command("apt-get", &["update"])).context(
            "apt has no lists for arm64; they come with Debian's own sources, elsewhere there may be none",
        )?;
        Ok(apt)
    }

    /// `program` of apt's, with this state.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        let at = |part: &str| self.folder.join(part).display().to_string();
        for option in [
            "APT::Architecture=arm64".into(),
            "APT::Architectures=arm64".into(),
            // What is written belongs to who runs this, not to apt's own user.
            "APT::Sandbox::User=".into(),
            "Acquire::Languages=none".into(),
            format!("Dir::State={}", at("state")),
            format!("Dir::State::status={}", at("status")),
            format!("Dir::Cache={}", at("cache")),
        ] {
            command.arg("-o").arg(option);
        }
        command.arg("-q").args(arguments).current_dir(&self.folder);
        command
    }

    /// Unpacks `package`, a name or `NAME=VERSION`, into `to`, which is there whole or not at all.
    pub fn unpack(&self, package: &str, to: &Path) -> anyhow::Result<()> {
        run(&mut self.command("apt-get", &["download", package]))?;
        let name = package.split('=').next().unwrap_or(package);
        let deb = downloaded(&self.folder, name)?;
        let unpacked = to.with_extension("tmp");
        if unpacked.exists() {
            fs::remove_dir_all(&unpacked)?;
        }
        fs::create_dir_all(&unpacked)?;
        run(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(&unpacked))?;
        fs::rename(&unpacked, to).with_context(|| format!("cannot move {} to its place", unpacked.display()))
    }
}

impl Drop for Apt {
    fn drop(&mut self) {
        // What is left of it is in the way of nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The one file of the package in the folder.
fn downloaded(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let begins = format!("{name}_");
    let files = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let fitting: Vec<PathBuf> = files
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().starts_with(&begins))
        .map(|file| file.path())
        .collect();
    match <[PathBuf; 1]>::try_from(fitting) {
        Ok([path]) => Ok(path),
        Err(other) => bail!("expected one package {name} in {}, found {other:?}", folder.display()),
    }
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot run `{name}`"))?;
    ensure!(status.success(), "`{name}` failed ({status}); its message is above");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_found_among_what_apt_keeps_there() {
        let folder = std::env::temp_dir().join(format!("unpacked-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert!(downloaded(&folder, "lib").is_err());
        for name in ["lib_1.0_arm64.deb", "library_1.0_arm64.deb", "status"] {
            fs::write(folder.join(name), "").unwrap();
        }
        assert_eq!(downloaded(&folder, "lib").unwrap(), folder.join("lib_1.0_arm64.deb"));
        fs::write(folder.join("lib_2.0_arm64.deb"), "").unwrap();
        assert!(downloaded(&folder, "lib").unwrap_err().to_string().contains("expected one package lib"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
