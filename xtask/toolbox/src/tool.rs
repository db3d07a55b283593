//! Cargo's tools that the commands need, each in a folder of `.cache/tools`: as wheels of tools.txt where there is
//! one for this machine, else built from their source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use crate::{process, python, root};

const WHEELS: &str = "xtask/toolbox/tools.txt";

/// Path of `name`; fetched where it is missing or another version.
pub fn installed(name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let folder = Path::new(".cache/tools").join(name);
    let program = root().join(&folder).join("bin").join(name);
    if is(&program, name, version)
        || (from_wheel(name, version, &folder).is_ok() && is(&program, name, version))
    {
        return Ok(program);
    }
    eprintln!("==> building {name} {version} (up to two minutes) into {}", folder.display());
    process::run(
        process::cargo()
            // Unoptimised: it is built far faster and does its work in seconds all the same.
            .args(["install", "--debug", "--locked", "--force", "--quiet", "--root"])
            .arg(&folder)
            .args([name, "--version", version])
            .env("CARGO_PROFILE_DEV_DEBUG", "0"),
    )?;
    ensure!(is(&program, name, version), "{} is not {name} {version}", program.display());
    Ok(program)
}

fn is(program: &Path, name: &str, version: &str) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == format!("{name} {version}").as_bytes())
}

/// Installs the wheel of this version, if there is one, with its hash.
fn from_wheel(name: &str, version: &str, folder: &Path) -> anyhow::Result<()> {
    let all = fs::read_to_string(root().join(WHEELS))?;
    let wanted = requirement(&all, name, version);
    ensure!(!wanted.is_empty(), "{WHEELS} has no {name} {version}");
    fs::create_dir_all(root().join(folder))?;
    let list = root().join(folder).join("wheel.txt");
    fs::write(&list, wanted)?;
    let mut pip = process::command(&python::find()?.program);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"])
        .args(["--require-hashes", "--only-binary=:all:", "--no-deps", "--upgrade", "--requirement"])
        .arg(&list)
        .arg("--target")
        .arg(root().join(folder));
    process::run(&mut pip)
}

/// The lines of the list that say this version; none where it says another.
fn requirement(list: &str, name: &str, version: &str) -> String {
    let head = format!("-{name}=={version} ");
    let lines = list.lines().skip_while(|line| !line.contains(&head));
    let mut goes_on = true;
    lines
        .take_while(|line| std::mem::replace(&mut goes_on, line.ends_with('\\')))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_its_version_with_its_hashes_and_no_other() {
        let list = "# x\na-one==1.0 \\\n    --hash=1 \\\n    --hash=2\na-two==2.0 \\\n    --hash=3\n";
        assert_eq!(requirement(list, "one", "1.0"), "a-one==1.0 \\\n    --hash=1 \\\n    --hash=2");
        assert_eq!(requirement(list, "two", "2.0"), "a-two==2.0 \\\n    --hash=3");
        assert_eq!(requirement(list, "one", "2.0"), "");
    }
}
