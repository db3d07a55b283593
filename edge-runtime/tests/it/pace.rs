//! A camera of thirty frames a second before the device, by a clock that its frames drive: which of
//! them are looked at, when the first is, and what comes of damaged ones.

use crate::support::{classifier, shipped};
use edge_core::agree::AgreementPolicy;
use edge_core::agree::FrameStamp;
use edge_core::device::Settings;
use edge_core::ports::Clock;
use edge_core::{Reason, State};
use edge_model::decode::Picture;
use edge_model::engine::{Engine, EngineKind};
use edge_runtime::capture::{CaptureError, Dropped, Shot, Source};
use edge_runtime::device::{Device, PollOutcome};
use edge_runtime::log::{Log, Options};
use edge_runtime::run::{Run, context_of};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The device's default.
const SETTINGS: Settings = Settings {
    policy: AgreementPolicy { frames: 3, stale_after_ms: 1500 },
    interval_ms: 500,
    settle_ms: 1000,
    hold_ms: None,
};
/// Time between two frames, in milliseconds.
const FRAME_MS: u64 = 33;

#[derive(Clone, Default)]
struct World(Arc<Counts>);

#[derive(Default)]
struct Counts {
    now_ms: AtomicU64,
    looked_at: AtomicU64,
    passed: AtomicU64,
    /// Until when every frame is damaged.
    damaged_until_ms: AtomicU64,
}

impl Clock for World {
    fn now_ms(&self) -> u64 {
        self.0.now_ms.load(Relaxed)
    }
}

struct Camera {
    world: World,
    picture: Picture,
    number: u32,
    dropped: Dropped,
}

impl Camera {
    /// Time passes until the next frame comes, or until `wait` is over.
    fn frame(&mut self, wait: Duration) -> Result<u64, CaptureError> {
        let now_ms = self.world.now_ms();
        let (comes_ms, until_ms) = ((now_ms / FRAME_MS + 1) * FRAME_MS, now_ms + wait.as_millis() as u64);
        self.world.0.now_ms.store(comes_ms.min(until_ms), Relaxed);
        if comes_ms > until_ms {
            return Err(CaptureError::Nothing);
        }
        self.number += 1;
        Ok(comes_ms)
    }
}

impl Source for Camera {
    fn next(&mut self, wait: Duration) -> Result<Shot<'_>, CaptureError> {
        let taken_ms = self.frame(wait)?;
        self.world.0.looked_at.fetch_add(1, Relaxed);
        if taken_ms < self.world.0.damaged_until_ms.load(Relaxed) {
            self.dropped.count += 1;
            self.dropped.last = "cut".into();
            return Err(CaptureError::Dropped("cut".into()));
        }
        let stamp = FrameStamp { sequence: self.number, micros: 0 };
        Ok(Shot { frame: self.picture.frame(), stamp, taken_ms, name: "", exam: None })
    }

    fn pass(&mut self, wait: Duration) -> Result<(), CaptureError> {
        self.frame(wait)?;
        self.world.0.passed.fetch_add(1, Relaxed);
        Ok(())
    }

    fn dropped(&self) -> Option<&Dropped> {
        Some(&self.dropped)
    }

    fn is_live(&self) -> bool {
        true
    }

    fn name(&self) -> &str {
        "camera"
    }
}

fn device() -> (Device<Box<dyn Engine>, World>, World) {
    let world = World::default();
    let picture = phantoms::draw(phantoms::Label::Pneumonia, 1, 128);
    let camera = Camera { world: world.clone(), picture, number: 0, dropped: Dropped::default() };
    let classifier = classifier(EngineKind::Core, &shipped());
    (Device::new(Box::new(camera), classifier, SETTINGS, world.clone()), world)
}

#[test]
fn only_frames_that_are_due_are_looked_at_and_none_of_the_first_second_is_answered() {
    let (mut device, world) = device();
    let (mut answers, mut first) = (0, None);
    while world.now_ms() < 10_000 {
        if let PollOutcome::Frame(_) = device.poll(Duration::from_millis(100)) {
            answers += 1;
            first.get_or_insert(world.now_ms());
        } else if first.is_none() {
            assert_eq!(device.shown().unwrap().reason, Reason::Starting);
        }
    }
    // The first frame comes after 33 ms; a second later is the 31st after it.
    assert_eq!(first, Some(33 + 31 * 33));
    let (looked_at, passed) = (world.0.looked_at.load(Relaxed), world.0.passed.load(Relaxed));
    // 500 ms end between two frames: 528 from one answer to the next.
    assert_eq!(answers, 17);
    assert_eq!(looked_at, answers + 1, "and the very first, which says that frames come");
    assert!(passed > 270, "{passed}");
}

/// A run as its loop makes it: what is shown, and what the engineer is told.
#[test]
fn damaged_frames_change_nothing_for_a_while_are_told_when_they_double_and_are_then_a_fault() {
    let (device, world) = device();
    let (folder, model) = (tempfile::tempdir().unwrap(), shipped());
    let context = context_of(&model, EngineKind::Core);
    let log = Log::new(folder.path().join("log.jsonl"), Options::default());
    let mut run = Run::new(device, log, context, None);
    let mut until = |ms: u64| {
        let (mut shown, mut told) = (Vec::new(), Vec::new());
        while world.now_ms() < ms {
            let report = run.step(Duration::from_millis(100));
            shown.extend(report.shown.map(|shown| (shown.state, shown.reason.code())));
            told.extend(report.trouble);
        }
        shown.dedup();
        (shown, told)
    };
    until(4000);
    // For a second, which is less than a frame may be old.
    world.0.damaged_until_ms.store(5000, Relaxed);
    let (shown, told) = until(6000);
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(matches!(shown[0].0, State::Positive | State::Refer), "{shown:?}");
    let says = |count| format!("camera: {count} damaged frames passed over so far; the last: cut");
    assert_eq!(told[..4], [1, 2, 4, 8].map(says));
    assert!(told.len() <= 5, "{told:?}");
    // For too long: a fault, which says why, and ends with the first good frame.
    world.0.damaged_until_ms.store(9000, Relaxed);
    let (shown, _) = until(8900);
    assert_eq!(shown.last(), Some(&(State::Fault, Reason::DamagedFrame.code())), "{shown:?}");
    let (shown, _) = until(13_000);
    assert!(matches!(shown.last(), Some((State::Positive | State::Refer, _))), "{shown:?}");
}
