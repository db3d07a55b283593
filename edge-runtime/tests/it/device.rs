//! A source that plays a script, as edge-core's state machine hears of it: what is shown after
//! which frames and faults.

use crate::support::{classifier, shipped};
use allocation_counter::measure;
use edge_core::agree::{AgreementPolicy, FrameStamp, Indication};
use edge_core::device::{DeviceEvent, Settings};
use edge_core::ports::Clock;
use edge_core::{Reason, State};
use edge_model::decode::Picture;
use edge_model::engine::{Engine, EngineKind};
use edge_runtime::capture::{CaptureError, Shot, Source};
use edge_runtime::device::{Device, PollOutcome};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

const POLICY: AgreementPolicy = AgreementPolicy { frames: 3, stale_after_ms: 60_000 };
/// One frame is enough.
const AT_ONCE: AgreementPolicy = AgreementPolicy { frames: 1, ..POLICY };

enum Line {
    Show(Picture),
    /// The same frame once more, by its number.
    Repeat(Picture),
    /// A frame that was taken so many milliseconds ago.
    Old(Picture, u64),
    Fail(fn() -> CaptureError),
}

/// No frame yet.
const QUIET: Line = Line::Fail(|| CaptureError::Nothing);

fn lost() -> CaptureError {
    CaptureError::Lost { source_name: "script".into(), what: "unplugged".into() }
}

/// A clock that a test sets; it begins late enough for frames from before.
#[derive(Clone)]
struct Hands(Arc<AtomicU64>);

impl Hands {
    fn pass(&self, ms: u64) {
        self.0.fetch_add(ms, Relaxed);
    }
}

impl Clock for Hands {
    fn now_ms(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

struct Script {
    clock: Hands,
    lines: std::vec::IntoIter<Line>,
    now: Option<Line>,
    number: u32,
    live: bool,
}

impl Source for Script {
    fn next(&mut self, _: Duration) -> Result<Shot<'_>, CaptureError> {
        self.now = self.lines.next();
        let (picture, age) = match &self.now {
            None => return Err(CaptureError::End),
            Some(Line::Fail(error)) => return Err(error()),
            Some(Line::Show(picture) | Line::Repeat(picture)) => (picture, 0),
            Some(Line::Old(picture, age)) => (picture, *age),
        };
        if !matches!(self.now, Some(Line::Repeat(_))) {
            self.number += 1;
        }
        let stamp = FrameStamp { sequence: self.number, micros: 0 };
        let taken_ms = self.clock.now_ms() - age;
        Ok(Shot { frame: picture.frame(), stamp, taken_ms, name: "", exam: picture.exam() })
    }

    fn is_live(&self) -> bool {
        self.live
    }

    fn name(&self) -> &str {
        "script"
    }
}

/// Answers every frame, all the time.
const ALWAYS: Settings = Settings { policy: POLICY, interval_ms: 0, settle_ms: 0, hold_ms: None };

type TestDevice = Device<Box<dyn Engine>, Hands>;

fn device(lines: Vec<Line>) -> TestDevice {
    device_with(lines, false, ALWAYS).0
}

fn device_with(lines: Vec<Line>, live: bool, settings: Settings) -> (TestDevice, Hands) {
    let clock = Hands(Arc::new(AtomicU64::new(100_000)));
    let source = Script { clock: clock.clone(), lines: lines.into_iter(), now: None, number: 0, live };
    let classifier = classifier(EngineKind::Core, &shipped());
    (Device::new(Box::new(source), classifier, settings, clock.clone()), clock)
}

/// What is shown after one turn.
fn turn(device: &mut TestDevice) -> Option<Indication> {
    device.poll(Duration::ZERO);
    device.shown()
}

/// A phantom that gives this state by itself.
fn phantom_of(state: State) -> Picture {
    let mut classifier = classifier(EngineKind::Core, &shipped());
    let labels = [phantoms::Label::Normal, phantoms::Label::Pneumonia];
    (0..40)
        .flat_map(|seed| labels.map(|label| phantoms::draw(label, seed, 256)))
        .find(|picture| classifier.classify(&picture.frame()).unwrap().decision.state == state)
        .expect("one of eighty phantoms")
}

fn shown(lines: Vec<Line>) -> Vec<State> {
    let count = lines.len();
    let mut device = device(lines);
    let states = (0..count).map(|_| turn(&mut device).unwrap().state).collect();
    assert!(matches!(device.poll(Duration::ZERO), PollOutcome::End));
    states
}

#[test]
fn answers_agree_before_they_are_lit_and_faults_take_them_away() {
    use State::{Fault, Negative, Positive, Refer};
    let (negative, positive) = (phantom_of(Negative), phantom_of(Positive));
    let n = || Line::Show(negative.clone());
    let p = || Line::Show(positive.clone());
    assert_eq!(
        shown(vec![n(), n(), n(), p(), p(), p(), Line::Fail(lost), p(), p(), p()]),
        [Refer, Refer, Negative, Refer, Refer, Positive, Fault, Refer, Refer, Positive]
    );
    // A camera that hangs or repeats itself keeps no light on.
    assert_eq!(
        shown(vec![n(), n(), n(), Line::Repeat(negative.clone()), n(), n(), n()]),
        [Refer, Refer, Negative, Fault, Refer, Refer, Negative]
    );
    assert_eq!(shown(vec![n(), n(), Line::Old(negative.clone(), 61_000)]), [Refer, Refer, Fault]);
    // Waiting is no fault as long as the last frame is young.
    assert_eq!(shown(vec![n(), n(), n(), QUIET]), [Refer, Refer, Negative, Negative]);
}

#[test]
fn every_fault_of_a_source_has_its_reason() {
    let cases: [(fn() -> CaptureError, Reason); 3] = [
        (lost, Reason::CameraLost),
        (|| CaptureError::NoSignal("script".into()), Reason::NoSignal),
        (|| CaptureError::damaged("script: marked".into()), Reason::DamagedFrame),
    ];
    for (error, reason) in cases {
        let (mut device, _) = device_with(vec![Line::Fail(error), QUIET], true, ALWAYS);
        let mut poll = || turn(&mut device).unwrap().reason;
        assert_eq!([poll(), poll()], [reason; 2], "it lasts until a frame comes");
    }
}

#[test]
fn nothing_is_allocated_from_the_first_frame_on() {
    let picture = phantom_of(State::Negative);
    let mut device = device((0..10).map(|_| Line::Show(picture.clone())).collect());
    let mut frame = || assert!(matches!(device.poll(Duration::ZERO), PollOutcome::Frame(..)));
    assert_eq!(measure(|| (0..10).for_each(|_| frame())).count_total, 0);
}

/// A light is for the picture that the button was pressed for, and goes out after its time; a fault
/// is shown at any time.
#[test]
fn with_a_button_nothing_is_shown_but_faults_until_it_is_pressed() {
    let picture = phantom_of(State::Negative);
    let frame = || Line::Show(picture.clone());
    let mut lines = vec![frame(), Line::Fail(lost), frame(), QUIET, frame(), frame(), frame()];
    lines.extend([Line::Fail(lost), frame(), frame()]);
    let (mut device, _) = device_with(lines, true, Settings { hold_ms: Some(60_000), ..ALWAYS });
    let poll = |device: &mut TestDevice| turn(device).map(|shown| shown.state);
    let states = |device: &mut TestDevice| [poll(device), poll(device), poll(device)];
    assert_eq!(states(&mut device), [None, Some(State::Fault), None]);
    device.handle(DeviceEvent::Trigger);
    assert_eq!(poll(&mut device), None, "no frame yet is no fault");
    assert_eq!(states(&mut device), [State::Refer, State::Refer, State::Negative].map(Some));
    // A fault takes the answer away; what was asked for is answered anew when the camera is back.
    assert_eq!(states(&mut device), [State::Fault, State::Refer, State::Refer].map(Some));
}

#[test]
fn an_answer_goes_out_when_its_time_is_over() {
    let picture = phantom_of(State::Negative);
    let lines = (0..2).map(|_| Line::Show(picture.clone())).collect();
    let settings = Settings { policy: AT_ONCE, hold_ms: Some(150), ..ALWAYS };
    let (mut device, clock) = device_with(lines, true, settings);
    device.handle(DeviceEvent::Trigger);
    assert_eq!(turn(&mut device).unwrap().state, State::Negative);
    clock.pass(150);
    assert_eq!(turn(&mut device), None);
}

#[test]
fn a_camera_is_answered_at_the_devices_own_pace() {
    let picture = phantom_of(State::Negative);
    let lines = (0..1000).map(|_| Line::Show(picture.clone())).collect();
    let (mut device, clock) = device_with(lines, true, Settings { interval_ms: 3_600_000, ..ALWAYS });
    assert!(matches!(device.poll(Duration::ZERO), PollOutcome::Frame(..)));
    // The frames between are taken off the camera's hands, and the turn still ends in its time.
    assert!(matches!(device.poll(Duration::ZERO), PollOutcome::Quiet));
    assert!(device.shown().is_some());
    clock.pass(3_600_000);
    assert!(matches!(device.poll(Duration::ZERO), PollOutcome::Frame(..)));
}
