//! Counting executed instructions: our QEMU plugin (instructions/plugin.c), and the lines that it
//! logs.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail, ensure};
use serde::Serialize;

use debian_packages::{self as debian, Tool};
use toolbox::{process, root};

/// A stretch of a program between two markers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Region {
    #[serde(rename = "name")]
    pub label: String,
    /// Instructions that were executed in it, those of regions within it included.
    pub instructions: u64,
}

/// The versions of QEMU whose plugin interface is the one that the plugin is written for; 9 has
/// another.
const QEMU: std::ops::RangeInclusive<u32> = 6..=8;

/// Compiles the plugin for `emulator` and says where it is.
pub fn plugin(emulator: &str) -> anyhow::Result<PathBuf> {
    let output = process::command(emulator).arg("--version").output();
    let text = output.with_context(|| format!("cannot run {emulator}"))?.stdout;
    let text = String::from_utf8_lossy(&text);
    let major = text.split("version ").nth(1).and_then(|rest| rest.split('.').next()?.parse().ok());
    ensure!(
        major.is_some_and(|major| QEMU.contains(&major)),
        "instructions are counted with QEMU {} to {}, as Debian 12 has; {emulator} says {:?}",
        QEMU.start(),
        QEMU.end(),
        text.lines().next().unwrap_or_default()
    );
    debian::ensure_tools(&[Tool { ask: &["cc", "--version"], package: "gcc" }])?;
    let folder = root().join(".cache/cross");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // Several processes may compile it at once: each renames its own into place. Threads of one take
    // turns.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let made = folder.join(format!("instructions.{}.tmp", std::process::id()));
    let plugin = folder.join("instructions.so");
    let source = "xtask/emulation/src/instructions/plugin.c";
    let mut cc = process::command("cc");
    cc.args(["-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", source, "-o"]);
    let status = cc.arg(&made).status().context("cannot run cc")?;
    ensure!(status.success(), "cc cannot compile {source}; its message is above");
    fs::rename(&made, &plugin).with_context(|| format!("cannot rename {}", made.display()))?;
    Ok(plugin)
}

/// Joins what the plugin logged with the names that the program printed (`region INDEX NAME`), in
/// the order of starts.
pub fn regions(log: &str, printed: &str) -> anyhow::Result<Vec<Region>> {
    ensure!(log.ends_with("end\n"), "the plugin's log is cut short: {log:?}");
    let mut counts = Vec::new();
    for line in log.lines() {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["region", index, count] => counts.push((index.parse::<usize>()?, count.parse::<u64>()?)),
            ["end"] => {}
            _ => bail!("the plugin cannot count: {line}"),
        }
    }
    counts.sort_unstable();
    let (indices, counts): (Vec<usize>, Vec<u64>) = counts.into_iter().unzip();
    let named = printed.lines().filter_map(|line| line.strip_prefix("region ")?.split_once(' '));
    let named = named.map(|(index, name)| Ok((index.parse()?, name)));
    let (named, names): (Vec<_>, Vec<_>) =
        named.collect::<anyhow::Result<Vec<(usize, _)>>>()?.into_iter().unzip();
    ensure!(indices == named, "the program named regions {named:?}, and these ran: {indices:?}");
    let pairs = counts.into_iter().zip(names);
    Ok(pairs.map(|(instructions, name)| Region { label: name.into(), instructions }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(label: &str, instructions: u64) -> Region {
        Region { label: label.into(), instructions }
    }

    #[test]
    fn counts_get_their_names_in_the_order_of_starts() {
        let printed = "tensor input 00\nregion 0 frame\nregion 1 the stem\n";
        let found = regions("region 1 30\nregion 0 70\nend\n", printed).unwrap();
        assert_eq!(found, [region("frame", 70), region("the stem", 30)]);
    }

    #[test]
    fn what_cannot_be_trusted_is_an_error() {
        let message = |log, printed| regions(log, printed).unwrap_err().to_string();
        assert!(message("region 0 70\n", "region 0 a\n").contains("cut short"));
        assert!(message("fault a stop without a start\nend\n", "").contains("a stop without a start"));
        assert!(message("region 0 70\nend\n", "").contains("named regions [], and these ran: [0]"));
        assert!(message("end\n", "region 0 a\n").contains("named regions [0], and these ran: []"));
    }
}
