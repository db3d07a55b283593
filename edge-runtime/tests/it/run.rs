//! The device at work: what goes into the log and what is shown, turn by turn, and that a turn
//! allocates nothing.

use crate::support::log::{assert_sound, decisions};
use crate::support::room::context;
use crate::support::{self, film, shipped};
use allocation_counter::measure;
use edge_core::agree::{AgreementPolicy, Indication};
use edge_core::device::Settings;
use edge_core::signal::LampSet;
use edge_core::{Reason, State};
use edge_model::classify::Classifier;
use edge_model::engine::{Engine, EngineKind};
use edge_runtime::capture::{CaptureOptions, Monotonic, Replay};
use edge_runtime::config::Screen;
use edge_runtime::device::Device;
use edge_runtime::log::{Context, Log, Options};
use edge_runtime::publish::Publisher;
use edge_runtime::run::{FrontPanel, Run};
use phantoms::Label;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const POLICY: AgreementPolicy = AgreementPolicy { frames: 3, stale_after_ms: 60_000 };

/// A device that replays four phantoms for ever, with its log at `log`.
fn device(folder: &Path, log: &Path, engine: EngineKind) -> Run<Box<dyn Engine>, Monotonic> {
    device_with(folder, log, engine, None)
}

fn device_with(
    folder: &Path,
    log: &Path,
    engine: EngineKind,
    panel: Option<Box<dyn FrontPanel>>,
) -> Run<Box<dyn Engine>, Monotonic> {
    let model = shipped();
    (0..4).for_each(|seed| film(folder, Label::Pneumonia, seed));
    let options = CaptureOptions { repeat: true, ..CaptureOptions::default() };
    let source = Replay::new(folder, &options).unwrap();
    let engine = support::engine(engine, &model);
    let context = Context { engine: engine.name(), ..context() };
    let settings = Settings { policy: POLICY, interval_ms: 0, settle_ms: 0, hold_ms: None };
    let device = Device::new(Box::new(source), Classifier::new(&model, engine), settings, Monotonic);
    let device = device.with_pictures();
    Run::new(device, Log::new(log, Options::default()), context, panel)
}

#[test]
fn every_answer_is_in_the_log_as_it_was_shown() {
    let (films, logs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = logs.path().join("log.jsonl");
    let mut run = device(films.path(), &log, EngineKind::Core);
    let shown: Vec<_> = (0..9).map(|_| run.step(Duration::ZERO).shown.unwrap()).collect();
    drop(run);
    assert_sound(&log);
    let decisions = decisions(&log);
    assert_eq!(decisions.len(), shown.len());
    for (decision, shown) in decisions.iter().zip(&shown) {
        assert_eq!(decision.shown_state, shown.state.name());
        assert_eq!(decision.shown_reason.code, shown.reason.code());
    }
}

/// The log's folder goes away: FAULT, whatever the pictures are, until it is back, and the log says
/// what it lacks.
#[test]
fn without_a_log_nothing_but_fault_is_shown_and_it_goes_on_by_itself() {
    let (films, logs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = logs.path().join("disk");
    let log = folder.join("log.jsonl");
    let mut run = device(films.path(), &log, EngineKind::Core);
    for _ in 0..4 {
        let report = run.step(Duration::ZERO);
        assert_eq!(report.shown, Some(Indication { state: State::Fault, reason: Reason::LogFailed }));
        assert!(report.trouble.unwrap().contains("log.jsonl"));
    }
    std::fs::create_dir(&folder).unwrap();
    // It is told for a while longer: a disk that is mended for one line is not mended.
    assert!(support::comes(|| run.step(Duration::ZERO).shown.unwrap().reason != Reason::LogFailed));
    drop(run);
    assert_sound(&log);
    let text = std::fs::read_to_string(&log).unwrap();
    support::assert_contains(&text, &["\"what\":\"not_logged\"", "\"what\":\"fault_ended\""]);
}

/// A panel that reads the log whenever something is shown.
struct Witness {
    log: PathBuf,
    /// What was shown, and what the newest decision in the log said then.
    saw: Arc<Mutex<Vec<(Indication, String)>>>,
}

impl FrontPanel for Witness {
    fn show(&self, shown: Option<Indication>) {
        let newest = decisions(&self.log).pop().map(|decision| decision.shown_state);
        self.saw.lock().unwrap().push((shown.unwrap(), newest.unwrap_or_default()));
    }

    fn pressed(&self) -> bool {
        false
    }

    fn failed(&self) -> LampSet {
        LampSet::NONE
    }

    fn problem(&self) -> Option<String> {
        None
    }
}

/// An answer that leaves no trace is not shown, not even for as long as the log takes.
#[test]
fn what_is_lit_stands_in_the_log_already() {
    let (films, logs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = logs.path().join("log.jsonl");
    let saw = Arc::default();
    let witness = Witness { log: log.clone(), saw: Arc::clone(&saw) };
    let mut run = device_with(films.path(), &log, EngineKind::Core, Some(Box::new(witness)));
    (0..6).for_each(|_| drop(run.step(Duration::ZERO)));
    let saw = saw.lock().unwrap();
    assert_eq!(saw.len(), 6);
    assert!(saw.iter().any(|(shown, _)| shown.state != saw[0].0.state), "{saw:?}");
    assert!(saw.iter().all(|(shown, logged)| shown.state.name() == logged), "{saw:?}");
}

#[test]
fn a_turn_allocates_nothing_with_the_core_engine_and_nothing_outside_tract_with_tract() {
    let count = |engine: EngineKind| {
        let (films, logs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut run = device(films.path(), &logs.path().join("log.jsonl"), engine);
        // Start: the log is opened by the first turn, and the states settle.
        for _ in 0..5 {
            run.step(Duration::ZERO);
        }
        measure(|| {
            for _ in 0..20 {
                assert!(run.step(Duration::ZERO).answered.is_some());
            }
        })
        .count_total
    };
    assert_eq!(count(EngineKind::Core), 0);
    // What tract allocates for the network alone, counted on one frame, is all that a frame allocates.
    let mut alone = support::engine(EngineKind::Tract, &shipped());
    let input = vec![7; 128 * 128];
    alone.infer(&input).unwrap();
    let network = measure(|| assert!(alone.infer(&input).is_ok())).count_total;
    assert!(network > 0, "the counter counts");
    assert_eq!(count(EngineKind::Tract), 20 * network);
    println!("allocations a frame, from capture to log: core 0, tract {network}, all of them its own");
}

/// The first pictures take memory, which is used again for those that follow.
#[test]
fn a_screen_costs_a_turn_no_allocation_for_each_frame() {
    let [films, logs, folder] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let mut run = device(films.path(), &logs.path().join("log.jsonl"), EngineKind::Core);
    let screen = Screen { folder: Some(folder.path().to_owned()), picture: true, acknowledge: None };
    let started = Publisher::start(&screen, "room", &context(), &shipped());
    let mut publisher = started.unwrap().expect("a folder is configured");
    let mut turn = || {
        let report = run.step(Duration::ZERO);
        assert!(report.answered.is_some());
        publisher.tell(&mut run, &report, None);
    };
    (0..5).for_each(|_| turn());
    let count = measure(|| (0..200).for_each(|_| turn())).count_total;
    assert!(count < 100, "{count} allocations for 200 frames");
    assert_eq!(publisher.end(), [""; 0]);
}
