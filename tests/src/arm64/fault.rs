//! A fault as a file of steps, and what runs it.
//!
//! Whatever the steps are, two things hold at every time: the lights never show the answer that the
//! picture does not have, and the log loses no line. Times are the board's own.

mod step;

pub use step::{Deed, Disk, Expected, Part, Step};

use anyhow::{Context, bail, ensure};
use edge_core::State;
use phantoms::Label;
use serde::Deserialize;
use std::path::Path;

use super::device::{CHIP, Device, Setup, Told, is};
use super::host::Host;
use super::lights::Reading;
use super::neighbour::{self, Neighbour};
use super::picture::Picture;
use super::places::CONFIG;
use arm64_protocol::{FLOOD, Request, SCREEN_FOLDER};
use test_support::loaded::shipped;
use test_support::signed;

/// Within this time a fault must show, in microseconds.
const WITHIN: u64 = 2_000_000;
/// So long a fault is then watched for an answer that is lit nevertheless, in milliseconds.
const WATCHED_MS: u64 = 1500;
/// Within this time after the fault's end the answer must show again, in microseconds.
const RECOVERED: u64 = 10_000_000;
const SIDE: u16 = 224;
/// Where the shim finds what it is to falsify.
const STILL: &str = "/run/still";
/// Where the program that stands for a camera finds its frame, and what it is to do wrong.
const FRAME: &str = "/run/frame";
const FILM: &str = "/run/film";
const PROGRAM: &str = "source = \"exec:\"\ncommand = [\"/init\", \"film\"]\nrestart_after_ms = 3000";
const DAMAGED_MODEL: &str = "/run/damaged.onnx";
const FILLING: &str = "/log/filling";
/// Where installed models are kept and whose are taken; a trial that does not end by itself.
const STORE: &str = "store = \"/log/models\"\nkeys = \"/run/keys\"\ntrial_s = 86400";
const KEY: &str = "/run/keys/clinic.pub";
const BUNDLE: &str = "/run/new.bundle";

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub about: String,
    #[serde(default)]
    pub picture: Shows,
    /// A device with a button, a buzzer, and an amber lamp that is lit while its line is low.
    #[serde(default)]
    pub button: bool,
    /// The camera is a program that writes frames.
    #[serde(default)]
    pub program: bool,
    /// A screen and what delivers are on the board, with a broker and somebody who looks.
    #[serde(default)]
    pub neighbours: bool,
    /// What is done and what must be seen, in this order.
    #[serde(deserialize_with = "step::steps")]
    pub steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shows {
    /// Pneumonia: the wrong answer is NEGATIVE.
    #[default]
    Pneumonia,
    /// Clear lungs: the wrong answer is POSITIVE.
    Normal,
}

struct Run {
    device: Device,
    picture: Picture,
    program: bool,
    right: State,
    /// The board's clock when the last step began that was no expectation, and when it ended.
    cause: (u64, u64),
    running: bool,
    damaged_model: bool,
    /// SHA-256 of the model that was installed.
    installed: Option<String>,
    /// The board's clock when the answer was expected last, and was there.
    answered: u64,
    /// The board's clock when what was expected last began to show.
    shown: u64,
    /// What was seen and how long it took, for people.
    seen: Vec<String>,
}

impl Fault {
    pub fn run(&self, name: &str, files: &Path) -> anyhow::Result<()> {
        let label = if self.picture == Shows::Normal { Label::Normal } else { Label::Pneumonia };
        let drawn = phantoms::draw(label, 1, SIDE);
        let right = Host::new()?.answer(&drawn)?.0.state;
        let picture = Picture::of(&drawn, if self.program { "GREY" } else { "YUYV" })?;
        let source = if self.program { PROGRAM } else { Setup::CAMERA.source };
        let (button, neighbours) = (self.button, self.neighbours);
        let setup = Setup { source, button, neighbours, model: STORE, ..Setup::CAMERA };
        let device = Device::boot(files, None, &picture, &setup)?;
        let mut run = Run {
            device,
            picture,
            program: self.program,
            right,
            cause: (0, 0),
            running: false,
            damaged_model: false,
            installed: None,
            answered: 0,
            shown: 0,
            seen: Vec::new(),
        };
        run.step(&Step::Show)?;
        for step in &self.steps {
            run.step(step).with_context(|| format!("{step:?}"))?;
        }
        if run.running {
            run.step(&Step::Stop)?;
        }
        run.no_wrong_answer()?;
        run.device.log()?;
        run.device.verify(false)?;
        println!("{name}: {}", run.seen.join(", "));
        run.device.guest.power_off()
    }
}

impl Run {
    fn step(&mut self, step: &Step) -> anyhow::Result<()> {
        let from = self.device.guest.now()?;
        self.act(step)?;
        if !matches!(step, Step::Expect(_)) {
            self.cause = (from, self.device.guest.now()?);
        }
        Ok(())
    }

    fn act(&mut self, step: &Step) -> anyhow::Result<()> {
        let request = match step {
            Step::Start(still) => {
                self.running = true;
                let model: &[&str] = if self.damaged_model { &["--model", DAMAGED_MODEL] } else { &[] };
                return self.device.start(if *still { &["/init", "still"] } else { &[] }, model);
            }
            Step::Model(whole) => {
                self.damaged_model = !whole;
                return self.device.guest.write(DAMAGED_MODEL, b"no model");
            }
            Step::Stop | Step::Kill => return self.end(step == &Step::Kill),
            Step::Show if self.program => {
                let sides = format!("{} {}\n", self.picture.width, self.picture.height).into_bytes();
                return self.device.guest.write(FRAME, &[sides, self.picture.bytes.clone()].concat());
            }
            Step::Show => return self.device.guest.show(&self.picture),
            Step::Plug(Part::Camera, bound) => {
                if !bound {
                    self.device.guest.ask(Request::Hide, &[])?;
                }
                plug("platform/drivers/vivid", "vivid.0", *bound)
            }
            Step::Plug(Part::Gpio, bound) => plug("amba/drivers/pl061_gpio", CHIP, *bound),
            Step::Control(id, value) => Request::Control { id: *id, value: *value },
            Step::Lights(state) => return self.device.lights(state),
            Step::LoseLine => return self.device.lose_line(),
            Step::SpoilLog => return self.device.spoil_log(),
            Step::Often(id) => Request::Often { id: *id },
            Step::Hide => Request::Hide,
            Step::Still(Some(word)) => return self.device.guest.write(STILL, word.as_bytes()),
            Step::Still(None) => Request::Remove { path: STILL.into() },
            Step::Film(Some(word)) => return self.device.guest.write(FILM, word.as_bytes()),
            Step::Film(None) => Request::Remove { path: FILM.into() },
            Step::Disk(Disk::Full) => Request::Fill { path: FILLING.into() },
            Step::Disk(Disk::Free) => Request::Remove { path: FILLING.into() },
            Step::Disk(Disk::ReadOnly) => Request::ReadOnly,
            Step::Disk(Disk::Writable) => Request::Remount,
            Step::Clock(seconds) => Request::SetClock { seconds: *seconds },
            Step::Hold(line) => Request::Hold { chip: CHIP.into(), line: u32::from(*line) },
            Step::Release => Request::Release,
            Step::Press => return self.device.guest.press(),
            Step::Install => return self.install(),
            Step::Neighbour(deed, who) => return self.neighbours(*deed, *who),
            Step::Flood(true) => return self.device.guest.write(FLOOD, b""),
            Step::Flood(false) => Request::Remove { path: FLOOD.into() },
            Step::Folder(Disk::Full) => Request::Fill { path: format!("{SCREEN_FOLDER}/filling") },
            Step::Folder(Disk::Free) => Request::Remove { path: format!("{SCREEN_FOLDER}/filling") },
            Step::Folder(Disk::ReadOnly) => Request::ScreenFolder { writable: false },
            Step::Folder(Disk::Writable) => Request::ScreenFolder { writable: true },
            Step::Wait(ms) => Request::Sleep { ms: *ms },
            Step::Expect(Expected::Answer) => return self.expect_answer(),
            Step::Expect(Expected::Throughout) => return self.expect_throughout(),
            Step::Expect(Expected::Fault) => return self.expect_fault(),
            Step::Expect(Expected::Passing) => return self.expect_passing(),
            Step::Expect(Expected::Logged) => return self.expect_logged(),
            Step::Expect(Expected::Dark) => return self.expect_dark(),
            Step::Expect(Expected::ThreeBeeps) => return self.expect_beeps(3),
            Step::Expect(Expected::Delivered) => {
                let expected = self.device.logits()?;
                self.seen.push(format!("{} delivered", expected.len()));
                return neighbour::expect_delivered(&mut self.device.guest, &expected);
            }
            Step::Expect(Expected::Pages) => return neighbour::expect_pages(&mut self.device.guest),
            Step::Expect(Expected::NewModel) => return self.expect_model(true),
            Step::Expect(Expected::OldModel) => return self.expect_model(false),
        };
        self.device.guest.ask(request, &[]).map(drop)
    }

    /// Ends the program, and looks for the pattern that says so.
    fn end(&mut self, kill: bool) -> anyhow::Result<()> {
        let from = self.device.guest.now()?;
        self.running = false;
        if kill {
            self.device.end(nix::libc::SIGKILL)?;
            self.device.lights("safe")?;
        } else {
            let code = self.device.end(nix::libc::SIGTERM)?;
            ensure!(code == 0, "the program ended with {code}; it said:\n{}", self.device.output());
        }
        self.device
            .wait_for("the safe pattern", |reading| reading == Reading::Safe, from..from + WITHIN)
            .map(drop)
    }

    fn neighbours(&mut self, deed: Deed, who: Option<Neighbour>) -> anyhow::Result<()> {
        let guest = &mut self.device.guest;
        for neighbour in Neighbour::ALL.into_iter().filter(|one| who.is_none_or(|who| who == *one)) {
            match deed {
                Deed::Start => neighbour::start(guest, neighbour)?,
                Deed::Kill => neighbour::kill(guest, neighbour)?,
                Deed::Pause => neighbour::signal(guest, neighbour, nix::libc::SIGSTOP)?,
                Deed::Resume => neighbour::signal(guest, neighbour, nix::libc::SIGCONT)?,
            }
        }
        Ok(())
    }

    /// Signs a newer model and installs it, as a clinic does.
    fn install(&mut self) -> anyhow::Result<()> {
        let made = signed::made("99.0.0");
        self.device.guest.write(KEY, signed::public(&signed::SECRET).as_bytes())?;
        self.device.guest.write(BUNDLE, &made.bundle)?;
        self.device.run(&["model", "install", BUNDLE, "--config", CONFIG])?;
        self.installed = Some(made.sha256);
        Ok(())
    }

    /// Which model the last start was with, as the log tells.
    fn expect_model(&mut self, new: bool) -> anyhow::Result<()> {
        let installed = self.installed.clone().context("no model was installed")?;
        let lines = self.device.log()?;
        let last = |what: &str| lines.iter().rev().find(|line| line.is(what))?.event.as_ref();
        let started = last("started").context("the log tells of no start")?["model_sha256"].clone();
        let expected = if new { installed.as_str() } else { &*shipped().sha256().to_owned() };
        ensure!(
            started == expected,
            "expected a start with the model {expected}, the last one was with {started}"
        );
        let rejected = last("model_rejected").map(|event| event["model_sha256"].clone());
        let expected = (!new).then(|| installed.into());
        ensure!(rejected == expected, "expected {expected:?} to be rejected, got {rejected:?}");
        Ok(())
    }

    fn expect_answer(&mut self) -> anyhow::Result<()> {
        let times = self.cause.1..self.cause.1 + RECOVERED;
        let shown = self.device.wait_for("the answer", is(self.right), times)?;
        self.note(self.right.name(), shown);
        self.answered = self.device.guest.now()?;
        self.no_wrong_answer()
    }

    fn expect_throughout(&mut self) -> anyhow::Result<()> {
        let now = self.device.guest.now()?;
        self.device.wait_for("the answer", is(self.right), now..now + WITHIN)?;
        let said = self.device.said()?;
        let last = said.last().context("the lights say nothing")?;
        let stayed = last.from <= self.answered && last.what == Reading::State(self.right);
        ensure!(stayed, "the answer did not stay:{}", Told(&said));
        self.seen.push(format!("stays for {} s", (now - self.answered) / 1_000_000));
        Ok(())
    }

    fn expect_fault(&mut self) -> anyhow::Result<()> {
        let shown = self.device.wait_for("FAULT or INVALID", refused, self.cause.1..self.cause.1 + WITHIN)?;
        self.note("fault", shown);
        self.device.guest.ask(Request::Sleep { ms: WATCHED_MS }, &[])?;
        let said = self.device.said()?;
        let other = said.iter().find(|said| said.from > shown && !refused(said.what));
        ensure!(other.is_none(), "FAULT did not stay:{}", Told(&said));
        self.no_wrong_answer()
    }

    fn expect_passing(&mut self) -> anyhow::Result<()> {
        let times = self.cause.0..=self.cause.1 + WITHIN;
        loop {
            let said = self.device.said()?;
            if let Some(fault) = said.iter().find(|said| refused(said.what) && times.contains(&said.from)) {
                self.note("fault", fault.from);
                return Ok(());
            }
            ensure!(self.device.guest.last.1 <= *times.end(), "no FAULT was shown:{}", Told(&said));
            self.device.guest.ask(Request::Sleep { ms: 50 }, &[])?;
        }
    }

    fn expect_dark(&mut self) -> anyhow::Result<()> {
        let times = self.cause.1..self.cause.1 + RECOVERED;
        let dark = self.device.wait_for("darkness", |reading| reading == Reading::Dark, times)?;
        self.note("dark", dark);
        self.no_wrong_answer()
    }

    fn expect_beeps(&mut self, count: usize) -> anyhow::Result<()> {
        // They are over after 600 ms, and no more may follow.
        self.device.guest.ask(Request::Sleep { ms: 1500 }, &[])?;
        let beeps = self.device.beeps(self.shown)?;
        ensure!(beeps == count, "expected {count} beeps, got {beeps}");
        Ok(())
    }

    fn note(&mut self, what: &str, shown: u64) {
        self.shown = shown;
        let ms = shown.saturating_sub(self.cause.0) / 1000;
        self.seen.push(format!("{what} after {ms} ms"));
    }

    fn expect_logged(&mut self) -> anyhow::Result<()> {
        let since = self.cause.0 / 1000;
        let limit = self.cause.1 + WITHIN;
        loop {
            let lines = self.device.log()?;
            let began = lines.iter().find(|line| line.uptime_ms >= since && line.is("fault_began"));
            if let Some(line) = began {
                self.note("logged", line.uptime_ms * 1000);
                return Ok(());
            }
            if self.device.guest.now()? > limit {
                let last = &lines[lines.len().saturating_sub(5)..];
                bail!("the log tells of no fault since {since} ms; its last lines: {last:?}");
            }
            self.device.guest.ask(Request::Sleep { ms: 50 }, &[])?;
        }
    }

    /// At no time since the board was switched on have the lights shown the answer that the picture
    /// does not have.
    fn no_wrong_answer(&mut self) -> anyhow::Result<()> {
        let wrong = if self.right == State::Positive { State::Negative } else { State::Positive };
        let said = self.device.said()?;
        let seen = said.iter().any(|said| said.what == Reading::State(wrong));
        ensure!(!seen, "{} was shown, the picture is {}:{}", wrong.name(), self.right.name(), Told(&said));
        Ok(())
    }
}

fn refused(reading: Reading) -> bool {
    matches!(reading, Reading::State(State::Fault | State::Invalid))
}

fn plug(driver: &str, device: &str, bound: bool) -> Request {
    Request::Driver { driver: driver.into(), device: device.into(), bound }
}
