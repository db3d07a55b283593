//! One engine's process: started, asked for rounds, ended. It speaks the JSON lines of
//! tests/src/bin/bench_worker.rs.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use toolbox::process;

pub struct Worker {
    line: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// What it says after its first frame; times since it began, in microseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Started {
    /// Until the first frame's logit was there.
    pub first_us: f64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Ended {
    /// Most memory that the process held at a time, in units of 1024 bytes.
    pub peak_kb: u64,
    /// Allocations in one run, where they can be counted.
    pub allocations: Option<u64>,
    pub allocated_bytes: Option<u64>,
    /// What the language that calls the engine adds to a run, in microseconds, where that is not
    /// nothing.
    pub call_us: Option<f64>,
    /// The engine's version, where it is not in Cargo.lock.
    pub version: Option<String>,
    /// Bits of the logits, one a frame.
    pub logits: Vec<u32>,
}

impl Worker {
    /// Starts the process and waits for its first frame.
    pub fn start(mut command: Command) -> anyhow::Result<(Self, Started)> {
        let line = process::line(&command);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child =
            child.with_context(|| format!("cannot run `{line}`; is taskset (util-linux) installed?"))?;
        let input = child.stdin.take().context("a worker without standard input")?;
        let output = child.stdout.take().context("a worker without standard output")?;
        let mut worker = Self { line, child, input, output: BufReader::new(output) };
        let started = worker.answer()?;
        Ok((worker, started))
    }

    /// Runs all frames once; nanoseconds a frame.
    pub fn round(&mut self) -> anyhow::Result<Vec<u64>> {
        self.ask("round")?;
        self.answer()
    }

    pub fn end(mut self) -> anyhow::Result<Ended> {
        self.ask("end")?;
        let ended = self.answer()?;
        let status = self.child.wait()?;
        ensure!(status.success(), "`{}` ended with {status}", self.line);
        Ok(ended)
    }

    fn ask(&mut self, what: &str) -> anyhow::Result<()> {
        writeln!(self.input, "{what}").with_context(|| format!("`{}` has gone", self.line))
    }

    fn answer<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let mut text = String::new();
        if self.output.read_line(&mut text)? == 0 {
            bail!("`{}` ended without an answer ({})", self.line, self.child.wait()?);
        }
        serde_json::from_str(&text).with_context(|| format!("`{}` answered {text:?}", self.line))
    }
}

impl Drop for Worker {
    /// After an error elsewhere no process stays behind; one that has ended cannot be killed, which
    /// is no matter.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = process::command("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn rounds_and_end_are_asked_in_turn() {
        let script = r#"echo '{"first_us": 7.5}'; read a; echo "[1, 2]"; read b
                        echo "{\"peak_kb\": 3, \"logits\": [4], \"version\": \"$a $b\"}""#;
        let (mut worker, started) = Worker::start(shell(script)).unwrap();
        assert_eq!(started.first_us, 7.5);
        assert_eq!(worker.round().unwrap(), [1, 2]);
        let ended = worker.end().unwrap();
        assert_eq!((ended.peak_kb, ended.logits, ended.version.as_deref()), (3, vec![4], Some("round end")));
    }

    #[test]
    fn a_worker_that_fails_is_named() {
        let error = Worker::start(shell("exit 3")).err().unwrap().to_string();
        assert!(error.contains("`sh -c exit 3` ended without an answer (exit status: 3)"), "{error}");
        let error = Worker::start(shell("echo ready")).err().unwrap().to_string();
        assert!(error.contains("answered \"ready\\n\""), "{error}");
    }
}
