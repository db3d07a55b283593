//! The device's program on the board: its configuration, its beginning and end, its log, and what
//! it shows.

use anyhow::{Context, bail, ensure};
use edge_core::State;
use edge_runtime::log::{self, DecisionLine, Kind};
use serde::Deserialize;
use serde_json::Value;
use std::ops::Range;
use std::path::Path;
use std::{fmt, fs};

use super::guest::Guest;
use super::lights::{self, Change, Reading, Said};
use super::neighbour::{self, Logits};
use super::picture::Picture;
use super::places::{CONFIG, LOG, PROGRAM};
use super::service::Rank;
use arm64_protocol::{Request, output};

/// The program's name for the agent.
const NAME: &str = "device";
const UNIT: &str = "packaging/pneumoscope.service";
pub const CHIP: &str = "9030000.pl061";
/// Time that is waited for a state that must come, beyond what is demanded of it, in microseconds.
const PATIENCE: u64 = 20_000_000;
/// How often the board is looked at, in milliseconds of its time.
const LOOK_MS: u64 = 100;

/// How long a device with a button shows an answer, in milliseconds.
const HOLD_MS: u32 = 4000;

/// How a device is set up on its board.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// What `[capture]` says of the source.
    pub source: &'a str,
    /// A frame is answered so often, in milliseconds.
    pub interval_ms: u32,
    /// With a button, a buzzer, and an amber lamp that is lit while its line is low.
    pub button: bool,
    /// With a screen and what delivers on the same board, and a folder in which they see it.
    pub neighbours: bool,
    /// What `[model]` says.
    pub model: &'a str,
}

impl Setup<'_> {
    /// A camera, and every other default of the device's own.
    pub const CAMERA: Self = Self {
        source: "source = \"v4l2:vivid\"",
        interval_ms: 500,
        button: false,
        neighbours: false,
        model: "",
    };
}

pub struct Device {
    pub guest: Guest,
    with_button: bool,
    /// The log as it was read last.
    log: Vec<u8>,
    /// Its bytes that end with a line.
    complete: usize,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    pub seq: u64,
    /// The board's clock, in milliseconds.
    pub uptime_ms: u64,
    pub decision: Option<DecisionLine>,
    pub event: Option<Value>,
}

impl Line {
    pub fn is(&self, what: &str) -> bool {
        self.event.as_ref().is_some_and(|event| event["what"] == what)
    }
}

/// Readings with the times at which they began, for messages.
pub struct Told<'a>(pub &'a [Said]);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for said in self.0 {
            write!(f, " {:.3} s {};", said.from as f64 / 1e6, said.what)?;
        }
        Ok(())
    }
}

impl Device {
    /// A board with the program configured for pictures of this form.
    pub fn boot(files: &Path, disk: Option<&Path>, form: &Picture, setup: &Setup) -> anyhow::Result<Self> {
        let &Setup { source, interval_ms, button: with_button, neighbours, model } = setup;
        let mut guest = Guest::boot(files, disk, neighbours)?;
        let line = |name: &str, line: u8, more: &str| {
            format!("{name} = {{ chip = \"{CHIP}\", line = {line}{more} }}\n")
        };
        let mut lines = line("red", lights::RED, "") + &line("green", lights::GREEN, "");
        lines += &line("heartbeat", lights::HEARTBEAT, "");
        let mut decision = format!("interval_ms = {interval_ms}\n");
        if with_button {
            lines += &line("amber", lights::AMBER, ", active_low = true");
            lines += &(line("buzzer", lights::BUZZER, "") + &line("button", lights::BUTTON, ""));
            decision += &format!("mode = \"button\"\nhold_ms = {HOLD_MS}\n");
        } else {
            lines += &line("amber", lights::AMBER, "");
        }
        let screen = if neighbours { neighbour::SCREEN_OF_DEVICE } else { "" };
        let config = format!(
            "[capture]\n{source}\nformat = \"{}\"\nwidth = {}\nheight = {}\n\
             [decision]\n{decision}[log]\nfile = \"{LOG}\"\n[model]\n{model}\n{screen}[lights]\n{lines}",
            form.fourcc, form.width, form.height,
        );
        guest.write(CONFIG, config.as_bytes())?;
        if neighbours {
            neighbour::configure(&mut guest)?;
        }
        Ok(Self { guest, with_button, log: Vec::new(), complete: 0 })
    }

    /// Starts the program, under another program where one is given, with more arguments where
    /// there are any.
    pub fn start(&mut self, under: &[&str], more: &[&str]) -> anyhow::Result<()> {
        let words = [under, &[PROGRAM, "run", "--config", CONFIG], more].concat();
        let command = Rank::First.command(UNIT, &words)?;
        self.guest.ask(Request::Start { name: NAME.into(), command }, &[]).map(drop)
    }

    /// Sends a signal and waits for the end; returns the exit status.
    pub fn end(&mut self, signal: i32) -> anyhow::Result<i32> {
        self.guest.ask(Request::Signal { name: NAME.into(), signal }, &[])?;
        let code = self.ended(10_000)?;
        code.with_context(|| {
            format!("the program goes on 10 s after signal {signal}; it said:\n{}", self.output())
        })
    }

    /// Its exit status, where it has ended within so many milliseconds.
    pub fn ended(&mut self, ms: u64) -> anyhow::Result<Option<i32>> {
        Ok(self.guest.ask(Request::Wait { name: NAME.into(), ms }, &[])?.code)
    }

    /// Runs the program with other arguments; returns its output where it succeeds.
    pub fn run(&mut self, arguments: &[&str]) -> anyhow::Result<String> {
        let command = [PROGRAM].iter().chain(arguments).map(|word| word.to_string()).collect();
        let answer = self.guest.ask(Request::Run { command }, &[])?;
        let output = String::from_utf8_lossy(&answer.bytes).into_owned();
        ensure!(
            answer.code == Some(0),
            "`edge-runtime {}` ended with {:?}:\n{output}",
            arguments.join(" "),
            answer.code
        );
        Ok(output)
    }

    /// Has the lights show something for a second; `safe` is what systemd runs after the program
    /// has ended, and stays.
    pub fn lights(&mut self, what: &str) -> anyhow::Result<()> {
        self.run(&["lights", "--config", CONFIG, "--seconds", "1", what]).map(drop)
    }

    /// What the lights have said since the board was switched on.
    pub fn said(&mut self) -> anyhow::Result<Vec<Said>> {
        let now = self.guest.now()?;
        let with_button = self.with_button;
        let changes = self.guest.lights()?;
        Ok(match with_button {
            true => lights::read(&lights::lit_while_low(changes, lights::AMBER), now),
            false => lights::read(changes, now),
        })
    }

    /// How often the buzzer has begun to sound since then, in the board's microseconds.
    pub fn beeps(&mut self, since: u64) -> anyhow::Result<usize> {
        let beep = |change: &&Change| change.line == lights::BUZZER && change.lit && change.at >= since;
        Ok(self.guest.lights()?.iter().filter(beep).count())
    }

    /// Waits until the lights say what is looked for and returns when they began to. Times are the
    /// board's microseconds. Lamps that were not written since `times.start` say nothing: a
    /// chip keeps its levels while nobody can reach it. An error where they did not begin to
    /// before `times.end`.
    pub fn wait_for(
        &mut self,
        what: &str,
        fits: impl Fn(Reading) -> bool,
        times: Range<u64>,
    ) -> anyhow::Result<u64> {
        loop {
            let said = self.said()?;
            let last = said.last().context("the lights say nothing")?;
            if fits(last.what) && self.guest.written() >= times.start {
                let late = last.from.saturating_sub(times.end) / 1000;
                ensure!(late == 0, "{what} was shown, {late} ms too late:{}", Told(&said));
                return Ok(last.from);
            }
            if self.guest.last.1 > times.end + PATIENCE {
                let by = times.end as f64 / 1e6;
                bail!("{what} was not shown by {by:.3} s or later:{}\n{}", Told(&said), self.output());
            }
            self.guest.ask(Request::Sleep { ms: LOOK_MS }, &[])?;
        }
    }

    /// The log's lines. What was there before must still be there.
    pub fn log(&mut self) -> anyhow::Result<Vec<Line>> {
        let bytes = self.guest.ask(Request::Read { path: LOG.into(), offset: 0 }, &[])?.bytes;
        ensure!(
            bytes.starts_with(&self.log[..self.complete]),
            "lines that were in the log have changed or are gone"
        );
        // What is after the last end of a line is being written.
        self.complete = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        self.log = bytes;
        let lines = self.log[..self.complete].split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let understood =
            |line| serde_json::from_slice(line).with_context(|| String::from_utf8_lossy(line).into_owned());
        let lines: Vec<Line> =
            lines.map(understood).collect::<anyhow::Result<_>>().context("a line of the log")?;
        let gap = lines.windows(2).find(|pair| pair[1].seq != pair[0].seq + 1);
        ensure!(gap.is_none(), "lines are missing between {gap:?}");
        Ok(lines)
    }

    /// The decisions in the log, by which their delivery is known.
    pub fn logits(&mut self) -> anyhow::Result<Logits> {
        let of = |line: &Line| Some((line.seq, line.decision.as_ref()?.logit.map(f32::to_bits)));
        Ok(self.log()?.iter().filter_map(of).collect())
    }

    /// Lines that must be at the beginning of the log.
    pub fn expect_log(&mut self, lines: Vec<u8>) {
        (self.complete, self.log) = (lines.len(), lines);
    }

    /// The log as it was read last, without its last line: what a power cut must leave, because
    /// each line is on the disk before the next one is written.
    pub fn certain(&self) -> Vec<u8> {
        let lines = &self.log[..self.complete.saturating_sub(1)];
        let end = lines.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        self.log[..end].to_vec()
    }

    pub fn lose_line(&mut self) -> anyhow::Result<()> {
        self.log()?;
        let shorter = self.certain();
        self.guest.write(LOG, &shorter)
    }

    /// Changes one digit in the log's first line.
    pub fn spoil_log(&mut self) -> anyhow::Result<()> {
        let mut bytes = self.guest.ask(Request::Read { path: LOG.into(), offset: 0 }, &[])?.bytes;
        let digit =
            bytes.iter_mut().filter(|byte| byte.is_ascii_digit()).nth(5).context("the log has no digit")?;
        *digit = if *digit == b'0' { b'1' } else { b'0' };
        self.complete = 0;
        self.guest.write(LOG, &bytes)
    }

    /// Verifies the log, as it was read last, as `edge-runtime log verify` does. A last line that
    /// was cut off is allowed where the program was killed: it mends that when it starts.
    pub fn verify(&self, killed: bool) -> anyhow::Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), &self.log)?;
        let verified = log::verify(file.path(), &[], None)?;
        let breaks: Vec<_> = verified
            .breaks
            .iter()
            .filter(|found| !(killed && found.kind == Kind::Torn && found.line == verified.lines))
            .collect();
        ensure!(breaks.is_empty() && verified.lines > 0, "the log does not verify: {breaks:?}");
        Ok(())
    }

    pub fn output(&mut self) -> String {
        let output = self.guest.ask(Request::Read { path: output(NAME), offset: 0 }, &[]);
        output.map_or_else(
            |error| error.to_string(),
            |answer| String::from_utf8_lossy(&answer.bytes).into_owned(),
        )
    }
}

pub fn is(state: State) -> impl Fn(Reading) -> bool {
    move |reading| reading == Reading::State(state)
}
