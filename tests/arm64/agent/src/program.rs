//! The program under test: started, signalled, waited for.

use anyhow::Context;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::fs::OpenOptions;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use arm64_protocol::OUTPUT;

/// At most one program, running or ended and not yet asked about.
#[derive(Default)]
pub struct Program(Option<Child>);

impl Program {
    /// Starts it; its output is appended to what its predecessors wrote.
    pub fn start(&mut self, command: &[String]) -> anyhow::Result<()> {
        anyhow::ensure!(self.wait(0)?.is_some() || self.0.is_none(), "the last program still runs");
        let output = OpenOptions::new().create(true).append(true).open(OUTPUT)?;
        let mut command = line(command)?;
        // A group of its own: a program under another one is meant too.
        command.process_group(0);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        self.0 = Some(command.spawn().context("cannot start it")?);
        Ok(())
    }

    pub fn signal(&self, number: i32) -> anyhow::Result<()> {
        let child = self.0.as_ref().context("no program was started")?;
        killpg(Pid::from_raw(child.id().cast_signed()), Signal::try_from(number)?).context("cannot signal it")
    }

    /// Waits at most so many milliseconds; the exit status, where it has ended.
    pub fn wait(&mut self, ms: u64) -> anyhow::Result<Option<i32>> {
        let limit = Instant::now() + Duration::from_millis(ms);
        let Some(child) = &mut self.0 else { return Ok(None) };
        loop {
            if let Some(status) = child.try_wait()? {
                self.0 = None;
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

fn line(words: &[String]) -> anyhow::Result<Command> {
    let (program, arguments) = words.split_first().context("no program was named")?;
    let mut command = Command::new(program);
    command.args(arguments);
    Ok(command)
}

fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}
