//! What comes of a camera's first frames, and of damaged ones: by a clock of the test's own.

use edge_core::agree::{AgreementPolicy, FrameStamp};
use edge_core::device::{DeviceEvent, DeviceState, Settings};
use edge_core::{Decision, Reason, State};

const CAMERA: Settings = Settings {
    policy: AgreementPolicy { frames: 1, stale_after_ms: 1500 },
    interval_ms: 0,
    settle_ms: 1000,
    hold_ms: None,
};

const NEGATIVE: Decision =
    Decision { state: State::Negative, reason: Reason::BelowThreshold, logit: Some(-3.0), score: Some(0.05) };

/// A device before a camera, and the number of its last frame.
struct Bench(DeviceState, u32);

impl Bench {
    fn new(settings: Settings) -> Self {
        Self(DeviceState::new(settings, 0), 0)
    }

    /// A frame comes, is judged where it is wanted, and this is shown.
    fn frame(&mut self, now_ms: u64) -> Option<Reason> {
        let Self(device, number) = self;
        *number += 1;
        device.handle(DeviceEvent::FrameBegins, now_ms);
        if device.wants_frame(now_ms) {
            let stamp = FrameStamp { sequence: *number, micros: 0 };
            device.handle(DeviceEvent::Frame { taken_ms: now_ms, stamp, decision: &NEGATIVE }, now_ms);
        } else {
            device.handle(DeviceEvent::SourceWell, now_ms);
        }
        self.shows(now_ms)
    }

    fn shows(&mut self, now_ms: u64) -> Option<Reason> {
        self.0.indication(now_ms).map(|shown| shown.reason)
    }

    /// Frames from `from_ms` on, a tenth of a second apart: when the first answer is shown. Before
    /// it nothing but `Starting` is.
    fn answers_at(&mut self, from_ms: u64) -> u64 {
        for now_ms in (from_ms..from_ms + 10_000).step_by(100) {
            match self.frame(now_ms) {
                Some(Reason::BelowThreshold) => return now_ms,
                other => assert_eq!(other, Some(Reason::Starting), "at {now_ms}"),
            }
        }
        panic!("no answer came");
    }
}

#[test]
fn the_first_second_of_frames_is_not_answered() {
    let mut bench = Bench::new(CAMERA);
    assert_eq!(bench.shows(700), Some(Reason::Starting));
    assert_eq!(bench.answers_at(700), 1700, "from the first frame on, not from the start");
    // While frames come, however slowly, nothing settles again.
    assert_eq!(bench.frame(3000), Some(Reason::BelowThreshold));
    assert_eq!(Bench::new(Settings { settle_ms: 0, ..CAMERA }).answers_at(700), 700, "a source without");
}

#[test]
fn after_every_kind_of_pause_a_second_passes_again() {
    let mut bench = Bench::new(CAMERA);
    assert_eq!(bench.answers_at(0), 1000);
    // Silent for longer than a frame may be old: a fault, and then a new beginning.
    assert!(matches!(bench.shows(2501), Some(Reason::Stale(1501, 1500))));
    assert_eq!(bench.answers_at(2501), 3501);
    // Silent for just as long as it may be: none.
    assert_eq!(bench.frame(5001), Some(Reason::BelowThreshold));
    bench.0.handle(DeviceEvent::SourceFailed(Reason::CameraLost), 5100);
    assert_eq!(bench.shows(5100), Some(Reason::CameraLost));
    assert_eq!(bench.answers_at(5200), 6200);
    // It fails while it settles: the second begins anew.
    bench.0.handle(DeviceEvent::SourceFailed(Reason::NoSignal), 6300);
    assert_eq!(bench.frame(6400), Some(Reason::Starting));
    bench.0.handle(DeviceEvent::SourceFailed(Reason::NoSignal), 7300);
    assert_eq!(bench.answers_at(7399), 8399);
}

#[test]
fn a_camera_that_falls_silent_while_it_settles_is_stale() {
    let mut bench = Bench::new(CAMERA);
    assert_eq!(bench.frame(0), Some(Reason::Starting));
    assert_eq!([bench.shows(1500), bench.shows(1501)].map(|r| r.map(|r| r.code())), [Some(30), Some(32)]);
}

/// A device with a button has watched its camera before the press: nothing settles then.
#[test]
fn a_press_waits_for_no_camera_that_runs_and_shows_nothing_of_one_that_settles() {
    let mut bench = Bench::new(Settings { hold_ms: Some(5000), ..CAMERA });
    for now_ms in (0..3000).step_by(100) {
        assert_eq!(bench.frame(now_ms), None);
    }
    bench.0.handle(DeviceEvent::Trigger, 3000);
    assert_eq!(bench.frame(3000), Some(Reason::BelowThreshold));
    let mut bench = Bench::new(Settings { hold_ms: Some(5000), ..CAMERA });
    bench.0.handle(DeviceEvent::Trigger, 0);
    assert_eq!(
        [bench.frame(100), bench.frame(1000), bench.frame(1100)],
        [None, None, Some(Reason::BelowThreshold)]
    );
}

#[test]
fn damaged_frames_are_a_fault_once_no_good_one_came_for_too_long_and_it_says_why() {
    let dropped = DeviceEvent::FrameDropped(Reason::DamagedFrame);
    let mut bench = Bench::new(CAMERA);
    let good = bench.answers_at(0);
    for later in (100..=1500).step_by(100) {
        bench.0.handle(dropped, good + later);
        assert_eq!(bench.shows(good + later), Some(Reason::BelowThreshold), "{later} ms later");
    }
    assert_eq!(bench.shows(good + 1501), Some(Reason::DamagedFrame));
    // One good frame among them ends it; then silence is silence again.
    let again = bench.answers_at(good + 1600);
    assert_eq!(bench.shows(again + 1501).map(|reason| reason.code()), Some(32));
    // None ever came whole, asked for by a button or not.
    for settings in [CAMERA, Settings { hold_ms: Some(60_000), ..CAMERA }] {
        let mut bench = Bench::new(settings);
        bench.0.handle(DeviceEvent::Trigger, 0);
        bench.0.handle(dropped, 100);
        assert_ne!(bench.shows(1500), Some(Reason::DamagedFrame));
        assert_eq!(bench.shows(1501), Some(Reason::DamagedFrame));
    }
}
