//! The programs on the board: started, signalled, waited for.

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::init::GROUPS;
use arm64_protocol::output;

/// By their names, at most one program each, running or ended and not yet asked about.
#[derive(Default)]
pub struct Programs(BTreeMap<String, Child>);

impl Programs {
    /// Starts one; its output is appended to what its predecessors wrote.
    pub fn start(&mut self, name: &str, words: &[String]) -> anyhow::Result<()> {
        self.wait(name, 0)?;
        anyhow::ensure!(!self.0.contains_key(name), "the last {name} still runs");
        let output = OpenOptions::new().create(true).append(true).open(output(name))?;
        let mut command = line(words)?;
        // A group of its own: a program under another one is meant too.
        command.process_group(0);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("cannot start {words:?}"))?;
        self.0.insert(name.into(), child);
        Ok(())
    }

    pub fn signal(&self, name: &str, number: i32) -> anyhow::Result<()> {
        let child = self.0.get(name).with_context(|| format!("{name} was not started"))?;
        killpg(Pid::from_raw(child.id().cast_signed()), Signal::try_from(number)?)
            .with_context(|| format!("cannot signal {name}"))
    }

    /// Waits at most so many milliseconds; the exit status, where it has ended.
    pub fn wait(&mut self, name: &str, ms: u64) -> anyhow::Result<Option<i32>> {
        let limit = Instant::now() + Duration::from_millis(ms);
        let Some(child) = self.0.get_mut(name) else { return Ok(None) };
        loop {
            if let Some(status) = child.try_wait()? {
                self.0.remove(name);
                return Ok(Some(code(status)));
            }
            if Instant::now() >= limit {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

pub fn run(command: &[String]) -> anyhow::Result<(i32, Vec<u8>)> {
    let output = line(command)?.stdin(Stdio::null()).output().context("cannot run it")?;
    Ok((code(output.status), [output.stdout, output.stderr].concat()))
}

/// Becomes the program in the group that is named before it, of which the kernel is told one thing, as
/// systemd makes it for a service outside of other slices.
pub fn grouped((setting, value): (&str, &str), words: &[String]) -> anyhow::Result<ExitCode> {
    let (name, command) = words.split_first().context("no group was named")?;
    let group = Path::new(GROUPS).join(name);
    if !group.exists() {
        fs::write(Path::new(GROUPS).join("cgroup.subtree_control"), "+cpu")?;
        fs::create_dir(&group)?;
    }
    fs::write(group.join(setting), value).with_context(|| format!("the kernel has no {setting}"))?;
    fs::write(group.join("cgroup.procs"), "0")?;
    bail!(line(command)?.exec())
}

fn line(words: &[String]) -> anyhow::Result<Command> {
    let (program, arguments) = words.split_first().context("no program was named")?;
    let mut command = Command::new(program);
    command.args(arguments);
    Ok(command)
}

fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}
