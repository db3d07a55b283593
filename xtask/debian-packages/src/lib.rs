//! Tools that a step needs beside cargo, such as a compiler for another machine.
//!
//! On Debian they are installed where they are missing and that is allowed (root, or sudo without a
//! password), and it is said before it is done. Elsewhere the error names what to install.

mod unpacked;

pub use unpacked::Apt;

use anyhow::{Context, bail, ensure};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

/// A tool: how to ask for it, and the Debian package that has it.
pub struct Tool {
    /// A command that succeeds where the tool is there.
    pub ask: &'static [&'static str],
    pub package: &'static str,
}

pub fn ensure_tools(tools: &[Tool]) -> anyhow::Result<()> {
    install(&missing(tools))
}

/// The packages of the tools that do not answer.
fn missing(tools: &[Tool]) -> Vec<&'static str> {
    tools.iter().filter(|tool| !answers(tool.ask)).map(|tool| tool.package).collect()
}

fn answers(command: &[&str]) -> bool {
    let mut run = Command::new(command[0]);
    run.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    run.status().is_ok_and(|status| status.success())
}

fn install(packages: &[&str]) -> anyhow::Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let names = packages.join(" ");
    let debian = Path::new("/usr/bin/apt-get").exists();
    let root: &[&str] = match (debian, answers(&["sh", "-c", "[ \"$(id -u)\" = 0 ]"])) {
        (true, true) => &["env"],
        (true, false) if answers(&["sudo", "-n", "true"]) => &["sudo", "-n", "env"],
        _ => bail!("missing on this machine: {names} (names of Debian packages); install them and run again"),
    };
    // Suites run beside each other, and apt-get does not wait for another one's lists.
    let turn = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))?;
    turn.lock()?;
    eprintln!("==> installing Debian packages: {names}");
    for arguments in
        [&["update", "-q"][..], &[&["install", "-qy", "--no-install-recommends"], packages].concat()]
    {
        let mut apt = Command::new(root[0]);
        apt.args(&root[1..])
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .args(arguments)
            .stdin(Stdio::null());
        let status = apt.status().context("cannot run apt-get")?;
        ensure!(status.success(), "apt-get {} failed ({status}); its message is above", arguments[0]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_is_not_missing_and_what_does_not_is() {
        let there = Tool { ask: &["sh", "-c", "exit 0"], package: "there" };
        let fails = Tool { ask: &["sh", "-c", "exit 1"], package: "fails" };
        let absent = Tool { ask: &["no-such-program"], package: "absent" };
        assert_eq!(missing(&[there, fails, absent]), ["fails", "absent"]);
    }

    #[test]
    fn nothing_is_installed_where_nothing_is_missing() {
        assert!(install(&[]).is_ok());
    }
}
