//! A room with a device that watches a folder, at a time that the test sets; with a screen or without.

use super::{classifier, comes, picture, shipped};
use edge_core::State;
use edge_core::agree::{AgreementPolicy, Indication};
use edge_core::device::Settings;
use edge_core::ports::Clock;
use edge_core::signal::LampSet;
use edge_core::worklist::Rules;
use edge_model::decode::Picture;
use edge_model::engine::{Engine, EngineKind};
use edge_runtime::capture::{CaptureError, CaptureOptions, Folder, Source};
use edge_runtime::config::Screen;
use edge_runtime::device::Device;
use edge_runtime::log::{Context, Log, Options};
use edge_runtime::publish::Publisher;
use edge_runtime::run::{FrontPanel, Run, StepReport, context_of};
use phantoms::Label;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tempfile::TempDir;

pub const HOLD: u64 = 30_000;

/// A clock that a test sets.
#[derive(Clone)]
pub struct Hands(pub Arc<AtomicU64>);

impl Clock for Hands {
    fn now_ms(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A button, and lamps that nobody looks at.
#[derive(Clone, Default)]
pub struct Button(pub Arc<AtomicBool>);

impl FrontPanel for Button {
    fn show(&self, _: Option<Indication>) {}

    fn pressed(&self) -> bool {
        self.0.swap(false, Relaxed)
    }

    fn failed(&self) -> LampSet {
        LampSet::NONE
    }

    fn problem(&self) -> Option<String> {
        None
    }
}

/// A device that watches a folder, at a time of its own.
pub struct Room {
    pub films: TempDir,
    pub logs: TempDir,
    pub clock: Hands,
    pub button: Button,
    pub run: Run<Box<dyn Engine>, Hands>,
    pub publisher: Option<Publisher>,
}

pub fn context() -> Context {
    context_of(&shipped(), EngineKind::Core)
}

impl Room {
    /// With lamps alone, or with a button too.
    pub fn new(button: bool) -> Self {
        Self::with(button, None, Options::default())
    }

    /// With a screen, on which answers are acknowledged where it may say so.
    pub fn with_screen(screen: &Screen) -> Self {
        Self::with(false, Some(screen), Options::default())
    }

    fn with(button: bool, screen: Option<&Screen>, log: Options) -> Self {
        let films = TempDir::new().unwrap();
        let options = CaptureOptions { quiet_ms: 0, give_up_ms: 100, ..Default::default() };
        let mut folder = Folder::new(films.path(), &options);
        // What comes from now on is new.
        assert!(matches!(folder.next(Duration::ZERO), Err(CaptureError::Nothing)));
        let room = Self::logging(films, Box::new(folder), button, screen, log);
        fs::create_dir(room.disk()).unwrap();
        room
    }

    /// With a button, and a log that begins a new file with every line.
    pub fn with_many_files() -> Self {
        Self::with(true, None, Options { max_bytes: 1, ..Options::default() })
    }

    /// The disk of its log is not there yet.
    pub fn without_disk(
        films: TempDir,
        source: Box<dyn Source + Send>,
        button: bool,
        screen: Option<&Screen>,
    ) -> Self {
        Self::logging(films, source, button, screen, Options::default())
    }

    fn logging(
        films: TempDir,
        source: Box<dyn Source + Send>,
        button: bool,
        screen: Option<&Screen>,
        log: Options,
    ) -> Self {
        let logs = TempDir::new().unwrap();
        let clock = Hands(Arc::new(AtomicU64::new(100_000)));
        let policy = AgreementPolicy { frames: 3, stale_after_ms: 3_600_000 };
        let settings = Settings { policy, interval_ms: 0, settle_ms: 0, hold_ms: None };
        let acknowledges = button || screen.is_some_and(|screen| screen.acknowledge.is_some());
        let rules = Rules { hold_ms: HOLD as u32, study_ms: 3000, button: acknowledges };
        let model = shipped();
        let mut device = Device::new(source, classifier(EngineKind::Core, &model), settings, clock.clone())
            .with_worklist(rules, button);
        if screen.is_some() {
            device = device.with_pictures();
        }
        let log = Log::new(logs.path().join("disk/log.jsonl"), Options { log_names: true, ..log });
        let button = Button::default();
        let run = Run::new(device, log, context(), Some(Box::new(button.clone())));
        let started = screen.map(|screen| Publisher::start(screen, "room", &context(), &model).unwrap());
        Self { films, logs, clock, button, run, publisher: started.flatten() }
    }

    pub fn disk(&self) -> PathBuf {
        self.logs.path().join("disk")
    }

    pub fn log(&self) -> PathBuf {
        self.disk().join("log.jsonl")
    }

    /// Files of these names and states come, and are judged before any is shown.
    pub fn come(&mut self, films: &[(&str, State)]) {
        self.arrive(&films.iter().map(|(name, state)| (*name, film(*state))).collect::<Vec<_>>());
    }

    /// The same of files that hold this.
    pub fn arrive(&mut self, files: &[(&str, Vec<u8>)]) {
        for (name, bytes) in files {
            fs::write(self.films.path().join(name), bytes).unwrap();
        }
        let mut left = files.len();
        assert!(comes(|| {
            left -= usize::from(self.turn(0).answered.is_some());
            left == 0
        }));
    }

    /// A turn of the loop so many milliseconds later.
    pub fn turn(&mut self, ms: u64) -> StepReport {
        self.clock.0.fetch_add(ms, Relaxed);
        for (case, pictures) in self.publisher.iter_mut().flat_map(Publisher::taps) {
            self.run.acknowledge(case, pictures);
        }
        let report = self.run.step(Duration::ZERO);
        if let Some(publisher) = &mut self.publisher {
            publisher.tell(&mut self.run, &report, None);
        }
        report
    }

    /// What the lamps show so many milliseconds later, and for which case.
    pub fn sees(&mut self, ms: u64) -> (Option<State>, Option<String>) {
        let report = self.turn(ms);
        let turn = report.cases.unwrap().turn;
        (report.shown.map(|shown| shown.state), turn.map(|case| case.name.to_string()))
    }

    pub fn press(&mut self) -> StepReport {
        self.button.0.store(true, Relaxed);
        self.turn(0)
    }
}

/// A file that gives this state by itself.
pub fn film(state: State) -> Vec<u8> {
    if state == State::Fault {
        return b"no picture".to_vec();
    }
    if state == State::Invalid {
        return picture::png(200, 200);
    }
    let file = TempDir::new().unwrap();
    let path = file.path().join("film.png");
    picture::save(&drawn(state), &path);
    fs::read(path).unwrap()
}

/// A phantom that gives this state.
pub fn drawn(state: State) -> Picture {
    let mut classifier = classifier(EngineKind::Core, &shipped());
    let labels = [Label::Normal, Label::Pneumonia];
    let drawn = (0..40).flat_map(|seed| labels.map(|label| phantoms::draw(label, seed, 256)));
    let is = |picture: &Picture| classifier.classify(&picture.frame()).unwrap().decision.state == state;
    drawn.into_iter().find(is).expect("one of eighty phantoms")
}
