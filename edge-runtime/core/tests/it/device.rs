//! The table of faults in `device`: its order, each row's begin and end, and that an answer is
//! indicated only where no row holds.

use edge_core::agree::{Agreement, AgreementPolicy, FrameStamp, Indication};
use edge_core::device::{
    DeviceEvent, DeviceState, LAMP_FAILED_MS, LOG_FAILED_MS, RESTART_SHOWN_MS, Settings,
};
use edge_core::signal::{Lamp, LampSet};
use edge_core::{Decision, Reason, State};
use proptest::prelude::*;

const POLICY: AgreementPolicy = AgreementPolicy { frames: 2, stale_after_ms: 1500 };
const ALWAYS: Settings = Settings { policy: POLICY, interval_ms: 0, settle_ms: 0, hold_ms: None };
const BUTTON: Settings = Settings { hold_ms: Some(5000), ..ALWAYS };

const NEGATIVE: Decision =
    Decision { state: State::Negative, reason: Reason::BelowThreshold, logit: Some(-3.0), score: Some(0.05) };

/// An event with all that it carries of its own: what a property test draws.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Happens {
    CannotBegin,
    Restarted,
    StackLow,
    LogFailed,
    LogWritten,
    LampFailed(Lamp),
    LampsWork,
    Trigger,
    SourceWell,
    SourceFailed,
    Frame,
    Repeated,
    FrameFailed,
}

const ALL: [Happens; 14] = [
    Happens::CannotBegin,
    Happens::Restarted,
    Happens::StackLow,
    Happens::LogFailed,
    Happens::LogWritten,
    Happens::LampFailed(Lamp::Green),
    Happens::LampFailed(Lamp::Heartbeat),
    Happens::LampsWork,
    Happens::Trigger,
    Happens::SourceWell,
    Happens::SourceFailed,
    Happens::Frame,
    Happens::Repeated,
    Happens::FrameFailed,
];

const SELF_TEST: Reason = Reason::SelfTestFailed;
const RESTARTED: Reason = Reason::Restarted(1, 3);
const STACK: Reason = Reason::StackLow(100, 512);

/// A device and the number of its last frame.
struct Bench {
    device: DeviceState,
    sequence: u32,
}

impl Bench {
    fn new(settings: Settings) -> Self {
        Self { device: DeviceState::new(settings, 0), sequence: 0 }
    }

    fn at(&mut self, now_ms: u64, happens: Happens) -> &mut Self {
        self.sequence += u32::from(happens == Happens::Frame);
        let stamp = FrameStamp { sequence: self.sequence, micros: 0 };
        let event = match happens {
            Happens::CannotBegin => DeviceEvent::CannotBegin(SELF_TEST),
            Happens::Restarted => DeviceEvent::Restarted(RESTARTED),
            Happens::StackLow => DeviceEvent::StackLow(STACK),
            Happens::LogFailed => DeviceEvent::LogFailed,
            Happens::LogWritten => DeviceEvent::LogWritten,
            Happens::LampFailed(which) => DeviceEvent::LampsFailed(LampSet::NONE.with(which)),
            Happens::LampsWork => DeviceEvent::LampsFailed(LampSet::NONE),
            Happens::Trigger => DeviceEvent::Trigger,
            Happens::SourceWell => DeviceEvent::SourceWell,
            Happens::SourceFailed => DeviceEvent::SourceFailed(Reason::CameraLost),
            Happens::Frame | Happens::Repeated => {
                DeviceEvent::Frame { taken_ms: now_ms, stamp, decision: &NEGATIVE }
            }
            Happens::FrameFailed => DeviceEvent::FrameFailed(Reason::DamagedFrame),
        };
        self.device.handle(event, now_ms);
        self
    }

    fn shows(&mut self, now_ms: u64) -> Option<Reason> {
        self.device.indication(now_ms).map(|shown| shown.reason)
    }
}

#[test]
fn of_several_faults_the_first_of_the_table_is_indicated() {
    let mut bench = Bench::new(ALWAYS);
    bench.at(0, Happens::FrameFailed);
    let rows = [
        (Happens::SourceFailed, Reason::CameraLost),
        (Happens::LampFailed(Lamp::Red), Reason::LightsFailed),
        (Happens::LogFailed, Reason::LogFailed),
        (Happens::StackLow, STACK),
        (Happens::Restarted, RESTARTED),
        (Happens::CannotBegin, SELF_TEST),
    ];
    assert_eq!(bench.shows(0), Some(Reason::DamagedFrame));
    for (happens, reason) in rows {
        assert_eq!(bench.at(0, happens).shows(0), Some(reason), "{happens:?} hides what was before");
    }
}

#[test]
fn a_row_ends_when_the_table_says() {
    let mut bench = Bench::new(ALWAYS);
    bench.at(0, Happens::Frame).at(0, Happens::Frame);
    let answer = Some(Reason::BelowThreshold);
    assert_eq!(bench.shows(0), answer);
    for (happens, reason, lasts_ms) in [
        (Happens::Restarted, RESTARTED, RESTART_SHOWN_MS),
        (Happens::LampFailed(Lamp::Amber), Reason::LightsFailed, LAMP_FAILED_MS),
    ] {
        let mut bench = Bench { device: bench.device.clone(), ..bench };
        bench.at(0, happens).at(lasts_ms - 9, Happens::LampsWork);
        bench.at(lasts_ms - 5, Happens::Frame).at(lasts_ms - 4, Happens::Frame);
        assert_eq!([bench.shows(lasts_ms - 1), bench.shows(lasts_ms)], [Some(reason), answer]);
    }
    let failed = Some(Reason::LogFailed);
    assert_eq!(bench.at(0, Happens::LogFailed).at(0, Happens::LogWritten).shows(LOG_FAILED_MS - 1), failed);
    assert_eq!(bench.shows(LOG_FAILED_MS), answer);
    // What fails is the source, so what was agreed on is void.
    bench.at(LOG_FAILED_MS, Happens::SourceFailed).at(LOG_FAILED_MS, Happens::Frame);
    assert_eq!(bench.shows(LOG_FAILED_MS), Some(Reason::Unsettled(1, 2)));
}

/// On Linux such a camera was "starting" for ever.
#[test]
fn a_camera_that_never_sends_a_frame_becomes_stale() {
    let mut bench = Bench::new(ALWAYS);
    assert_eq!(bench.shows(1500), Some(Reason::Starting));
    assert_eq!(bench.shows(1501), Some(Reason::Stale(1501, 1500)));
}

/// On a chip such a device stayed dark after every press.
#[test]
fn after_a_press_a_silent_camera_is_a_fault_and_a_quiet_device_before_it_is_none() {
    let mut bench = Bench::new(BUTTON);
    assert_eq!(bench.at(9000, Happens::SourceWell).shows(9000), None);
    assert_eq!(bench.at(9000, Happens::Trigger).shows(10_500), None);
    assert_eq!(bench.shows(10_501), Some(Reason::Stale(1501, 1500)));
    // It is, too, where nobody asks and the camera is one that sends all the time.
    assert_eq!(bench.shows(99_000), Some(Reason::Stale(90_000, 1500)));
}

#[test]
fn an_answer_is_for_the_picture_after_the_press_and_goes_out_after_its_time() {
    let mut bench = Bench::new(BUTTON);
    bench.at(0, Happens::Frame).at(0, Happens::Frame);
    assert_eq!(bench.shows(0), None, "nobody has asked");
    // The log is told all the same.
    assert_eq!(bench.device.agreed(0).reason, Reason::BelowThreshold);
    assert_eq!(bench.device.agreeing(), 2);
    bench.at(100, Happens::Trigger);
    assert_eq!(bench.shows(100), None);
    assert_eq!((bench.device.agreed(100).reason, bench.device.agreeing()), (Reason::Starting, 0));
    assert_eq!(bench.at(200, Happens::Frame).shows(200), Some(Reason::Unsettled(1, 2)));
    assert_eq!(bench.at(4000, Happens::Frame).shows(4000), Some(Reason::Unsettled(1, 2)), "too far apart");
    bench.at(4100, Happens::Frame);
    assert_eq!([bench.shows(5099), bench.shows(5100)], [Some(Reason::BelowThreshold), None]);
    assert!(!bench.device.wants_frame(5100) && bench.device.wants_frame(5099));
}

#[test]
fn frames_are_wanted_at_the_devices_own_pace_and_at_once_after_a_press() {
    let mut device = Bench::new(Settings { interval_ms: 500, ..BUTTON });
    assert!(!device.device.wants_frame(0));
    assert!(device.at(0, Happens::Trigger).device.wants_frame(0));
    assert!(!device.at(10, Happens::Frame).device.wants_frame(509));
    assert!(device.device.wants_frame(510));
    assert!(device.at(511, Happens::Frame).at(512, Happens::Trigger).device.wants_frame(512));
}

/// What the table says of a history, read off it row by row.
fn by_the_table(settings: Settings, history: &[(u64, Happens)], now_ms: u64) -> Option<Reason> {
    let last = |of: &dyn Fn(Happens) -> bool| history.iter().rposition(|(_, happens)| of(*happens));
    let is = |wanted: Happens| last(&|happens| happens == wanted);
    let age = |at: Option<usize>| at.map(|at| now_ms - history[at].0);
    let lamp = last(&|happens| happens == Happens::LampFailed(Lamp::Green));
    let well = |h| matches!(h, Happens::SourceWell | Happens::Frame | Happens::Repeated);
    let ends_failure = |h| well(h) || h == Happens::FrameFailed;
    let press = if settings.hold_ms.is_some() { is(Happens::Trigger) } else { None };
    let awake = settings.hold_ms.is_none_or(|hold| age(press).is_some_and(|age| age < hold.into()));
    let since_press = press.map_or(0, |at| at + 1);

    let mut agreement = Agreement::new(settings.policy);
    let mut sequence = history[..since_press].iter().filter(|(_, h)| *h == Happens::Frame).count() as u32;
    for &(at_ms, happens) in &history[since_press..] {
        sequence += u32::from(happens == Happens::Frame);
        let stamp = FrameStamp { sequence, micros: 0 };
        match happens {
            Happens::Frame | Happens::Repeated => agreement.frame(at_ms, stamp, &NEGATIVE),
            Happens::FrameFailed => agreement.fault(Reason::DamagedFrame),
            Happens::SourceFailed => agreement = Agreement::new(settings.policy),
            _ => {}
        }
        // It is asked at every step, as the device is.
        agreement.shown(at_ms);
    }
    let quiet = age(last(&well)).unwrap_or(now_ms) as u32;
    let new = agreement.is_new();
    let rows = [
        is(Happens::CannotBegin).map(|_| SELF_TEST),
        age(is(Happens::Restarted)).filter(|age| *age < RESTART_SHOWN_MS).map(|_| RESTARTED),
        is(Happens::StackLow).map(|_| STACK),
        is(Happens::LogFailed)
            .filter(|at| is(Happens::LogWritten) < Some(*at) || now_ms - history[*at].0 < LOG_FAILED_MS)
            .map(|_| Reason::LogFailed),
        age(lamp).filter(|age| *age < LAMP_FAILED_MS).map(|_| Reason::LightsFailed),
        is(Happens::SourceFailed).filter(|at| last(&ends_failure) < Some(*at)).map(|_| Reason::CameraLost),
        ((!awake || new) && quiet > settings.policy.stale_after_ms)
            .then_some(Reason::Stale(quiet, settings.policy.stale_after_ms)),
    ];
    let fault = rows.into_iter().flatten().next();
    let answer = || {
        let Indication { reason, .. } = agreement.shown(now_ms);
        (awake && !(settings.hold_ms.is_some() && new)).then_some(reason)
    };
    fault.or_else(answer)
}

fn histories() -> impl Strategy<Value = Vec<(u64, Happens)>> {
    let happens = prop_oneof![
        4 => Just(Happens::Frame),
        2 => Just(Happens::Trigger),
        // What lasts until the device is switched off would hide all else in most histories.
        1 => prop::sample::select(ALL[..3].to_vec()),
        6 => prop::sample::select(ALL[3..].to_vec()),
    ];
    prop::collection::vec((0..900_u64, happens), 0..40).prop_map(|steps| {
        let mut now_ms = 0;
        steps
            .into_iter()
            .map(|(wait, happens)| {
                now_ms += wait;
                (now_ms, happens)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_happens_the_table_is_kept(history in histories(), button: bool, later in 0..7000_u64) {
        let settings = if button { BUTTON } else { ALWAYS };
        let mut bench = Bench::new(settings);
        for (count, &(now_ms, happens)) in (1..).zip(&history) {
            bench.at(now_ms, happens);
            prop_assert_eq!(bench.shows(now_ms), by_the_table(settings, &history[..count], now_ms));
        }
        let now_ms = history.last().map_or(0, |(at, _)| *at) + later;
        prop_assert_eq!(bench.shows(now_ms), by_the_table(settings, &history, now_ms));
    }
}
