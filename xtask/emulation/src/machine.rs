//! Running programs of other machines in QEMU: what they print, and how many instructions they
//! execute.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::instructions::{self, Region};
use toolbox::cross::{self, ON_TARGET, Profile, Target};
use toolbox::{process, root};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// The 64-bit Arm core of a Raspberry Pi 3: no SDOT.
    CortexA53,
    /// That of a Raspberry Pi 5: with SDOT.
    CortexA76,
    /// The mps2-an386: a Cortex-M4F with 4 MB of flash and of memory.
    CortexM4,
    /// The mps2-an500: a Cortex-M7.
    CortexM7,
    /// The mps2-an505: a Cortex-M33 in the secure state, with DSP instructions and float unit.
    CortexM33,
}

/// A bare machine: nothing but processor, memory and semihosting.
pub(crate) const BARE: [&str; 6] = ["-display", "none", "-monitor", "none", "-serial", "none"];

/// Longest run; a program that hangs is ended and said so.
const LIMIT: Duration = Duration::from_secs(600);

impl Machine {
    pub fn target(self) -> Target {
        match self {
            Machine::CortexA53 | Machine::CortexA76 => Target::Aarch64,
            Machine::CortexM4 | Machine::CortexM7 => Target::CortexM,
            Machine::CortexM33 => Target::CortexM33,
        }
    }

    /// Builds the program of the shared stages for it: for a chip as it is shipped, for a 64-bit
    /// Arm with overflow checks.
    pub fn on_target(self) -> anyhow::Result<PathBuf> {
        let profile = if self.target() == Target::Aarch64 { Profile::Dev } else { Profile::Chip };
        cross::build(self.target(), ON_TARGET, profile)
    }

    /// The emulator, and how it is told which machine or processor to be.
    fn emulator(self) -> (&'static str, [&'static str; 2]) {
        match self {
            Machine::CortexA53 => ("qemu-aarch64", ["-cpu", "cortex-a53"]),
            Machine::CortexA76 => ("qemu-aarch64", ["-cpu", "cortex-a76"]),
            Machine::CortexM4 => ("qemu-system-arm", ["-M", "mps2-an386"]),
            Machine::CortexM7 => ("qemu-system-arm", ["-M", "mps2-an500"]),
            Machine::CortexM33 => ("qemu-system-arm", ["-M", "mps2-an505"]),
        }
    }

    /// The command that runs `program`, with `options` for the emulator itself, in the workspace's
    /// folder.
    fn command(self, options: &[&str], program: &Path, args: &[&str]) -> anyhow::Result<Command> {
        let (emulator, choose) = self.emulator();
        let mut command = process::command(emulator);
        command.args(choose);
        if self.target() == Target::Aarch64 {
            command.args(options).arg(program).args(args);
        } else {
            // The bare program gets one line and cuts it at spaces; QEMU cuts options at commas.
            if let Some(bad) = args.iter().find(|arg| arg.is_empty() || arg.contains([' ', ','])) {
                bail!(
                    "the argument {bad:?} cannot reach a bare machine: it is empty or has a space or comma"
                );
            }
            let args: String = args.iter().map(|arg| format!(",arg={arg}")).collect();
            let config = format!("enable=on,target=native,arg=on-target{args}");
            command.args(BARE).args(options).args(["-semihosting-config", &config, "-kernel"]).arg(program);
        }
        Ok(command)
    }
}

/// Runs a program to its end and returns what it printed; paths in `args` start at the workspace's
/// folder.
pub fn run(machine: Machine, program: &Path, args: &[&str]) -> anyhow::Result<String> {
    output(machine.command(&[], program, args)?)
}

/// Runs a program that marks regions and returns what it printed and how many instructions each
/// region took, exactly.
pub fn counted(machine: Machine, program: &Path, args: &[&str]) -> anyhow::Result<(String, Vec<Region>)> {
    let plugin = instructions::plugin(machine.emulator().0)?;
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let run = (std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
    let log = root().join(format!(".cache/cross/instructions.{}.{}.log", run.0, run.1));
    let options = ["-plugin", path(&plugin, &[','])?, "-d", "plugin", "-D", path(&log, &[','])?];
    let printed = output(machine.command(&options, program, args)?)?;
    let counts = fs::read_to_string(&log).context("QEMU wrote no log of its plugin")?;
    fs::remove_file(&log).context("cannot remove the log of QEMU's plugin")?;
    let regions = instructions::regions(&counts, &printed)?;
    Ok((printed, regions))
}

/// A path as QEMU may be given it: without the characters at which it is cut.
pub(crate) fn path<'p>(path: &'p Path, cuts: &[char]) -> anyhow::Result<&'p str> {
    path.to_str()
        .filter(|path| !path.contains(cuts))
        .with_context(|| format!("QEMU cannot be given the path {}: move the workspace", path.display()))
}

/// Runs a command and returns its standard output; every status but 0 is an error, and so is
/// running forever.
pub fn output(command: Command) -> anyhow::Result<String> {
    output_within(command, LIMIT)
}

/// As [`output`], with another limit than [`LIMIT`].
fn output_within(mut command: Command, limit: Duration) -> anyhow::Result<String> {
    let line = process::line(&command);
    eprintln!("==> {line}");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("cannot run `{line}`"))?;
    let mut stdout = child.stdout.take().context("no standard output")?;
    let reader = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let status = end(&mut child, &line, limit)?;
    let text = reader.join().ok().context("the reader of the output died")??;
    ensure!(status.success(), "`{line}` failed ({status}) after printing {text:?}");
    Ok(text)
}

/// Waits until a program ends; one that takes longer than `limit` is ended, and that is an error.
pub(crate) fn end(child: &mut Child, line: &str, limit: Duration) -> anyhow::Result<ExitStatus> {
    let started = Instant::now();
    while started.elapsed() <= limit {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait()?;
    bail!("`{line}` did not end within {} s", limit.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_is_ended() {
        let mut sleep = process::command("sleep");
        sleep.arg("60");
        let error = output_within(sleep, Duration::from_millis(20)).unwrap_err();
        assert!(error.to_string().contains("`sleep 60` did not end"), "{error}");
    }

    #[test]
    fn arguments_that_would_arrive_changed_are_refused() {
        let error = Machine::CortexM4.command(&[], Path::new("boards"), &["a b"]).unwrap_err();
        assert!(error.to_string().contains("\"a b\""), "{error}");
    }

    #[test]
    #[ignore = "needs the emulators: `cargo xtask test tools` runs it"]
    fn counts_are_exact_and_unpaired_markers_are_found() {
        for machine in [Machine::CortexA53, Machine::CortexM4, Machine::CortexM33] {
            let boards = machine.on_target().unwrap();
            for rounds in [1, 1000, 123_456] {
                let (_, regions) = counted(machine, &boards, &["known", &rounds.to_string()]).unwrap();
                let found: Vec<_> = regions.iter().map(|r| (r.label.as_str(), r.instructions)).collect();
                let known = [("outer", 2 * rounds + 4), ("loop", 2 * rounds), ("empty", 0), ("page", 1)];
                assert_eq!(found, known, "{machine:?}");
            }
            let error = counted(machine, &boards, &["unpaired"]).unwrap_err();
            assert!(error.to_string().contains("a stop without a start"), "{error}");
        }
    }
}
