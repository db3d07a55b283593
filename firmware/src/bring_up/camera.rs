//! The camera as its task sees it during the checklist, and as the checklist does.

use super::line::{Line, Value};
use super::pattern::Pattern;
use crate::capture::{FrameError, Sensor};
use crate::rows::Sender;
use crate::sensors::SensorError;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

const NAME: &str = "camera";

/// A camera that can say which it is and show a test pattern.
pub trait TestSensor<const ROW: usize>: Sensor<ROW> {
    /// The product number that it must have.
    const IDENTITY: u16;
    /// What [`TestSensor::show_pattern`] shows.
    const PATTERN: Pattern;

    /// The product number that it says; none where nobody answers.
    fn identity(&mut self) -> Option<u16>;

    /// Shows its test pattern until it is woken again; false where it does not take that.
    fn show_pattern(&mut self) -> bool;
}

/// The product number that a check of it found; none where nobody answered.
pub fn identity<E>(expected: u16, checked: Result<(), SensorError<E>>) -> Option<u16> {
    match checked {
        Ok(()) => Some(expected),
        Err(SensorError::Identity { got, .. }) => Some(got),
        Err(SensorError::Bus(_) | SensorError::Reset { .. }) => None,
    }
}

/// What the checklist and the camera's task tell each other.
#[derive(Debug)]
pub struct CameraPort {
    /// What came of asking who it is: the two below, or the product number.
    identity: AtomicU32,
    expected: AtomicU32,
    /// The checklist wants the test pattern.
    pattern: AtomicBool,
    /// Frames are of the test pattern.
    shown: AtomicBool,
    /// The pattern's kind.
    bars: AtomicBool,
}

const NOT_ASKED: u32 = u32::MAX;
const NO_ANSWER: u32 = u32::MAX - 1;

impl Default for CameraPort {
    fn default() -> Self {
        Self::new()
    }
}

impl CameraPort {
    /// Of a camera whose task does not run yet.
    pub const fn new() -> Self {
        Self {
            identity: AtomicU32::new(NOT_ASKED),
            expected: AtomicU32::new(0),
            pattern: AtomicBool::new(false),
            shown: AtomicBool::new(false),
            bars: AtomicBool::new(false),
        }
    }

    /// Whether the camera's task has asked it who it is.
    pub(super) fn is_asked(&self) -> bool {
        self.identity.load(Relaxed) != NOT_ASKED
    }

    pub(super) fn want_pattern(&self, wanted: bool) {
        self.pattern.store(wanted, Relaxed);
    }

    /// The pattern that frames are of, if they are of one.
    pub(super) fn pattern(&self) -> Option<Pattern> {
        let kind = if self.bars.load(Relaxed) { Pattern::Bars } else { Pattern::WalkingOnes };
        self.shown.load(Relaxed).then_some(kind)
    }

    /// The check of the identity; skipped on a board without a camera on a bus.
    pub(super) fn check(&self) -> Line {
        let expected = Value::Hex(self.expected.load(Relaxed));
        match self.identity.load(Relaxed) {
            NOT_ASKED => Line::skipped(NAME, "this board has no camera on a bus"),
            NO_ANSWER => Line::failed(
                NAME,
                expected,
                Value::Word("no-answer"),
                ["sda", "scl"],
                "nobody answers at its address: its supply, its clock, pull-ups, and these two, which may be swapped",
            ),
            got if Value::Hex(got) == expected => Line::passed(NAME, expected),
            got => Line::failed(
                NAME,
                expected,
                Value::Hex(got),
                ["sda", "scl"],
                "another chip answers: see which modules fit, or a line that makes bits of the identity register wrong",
            ),
        }
    }
}

/// A board's camera during the checklist: the same driver, which is asked who it is before it is
/// woken, and whose pattern comes and goes between two frames.
#[derive(Debug)]
pub struct Tested<'p, S> {
    sensor: S,
    port: &'p CameraPort,
}

impl<'p, S> Tested<'p, S> {
    /// Around a driver.
    pub const fn new(sensor: S, port: &'p CameraPort) -> Self {
        Self { sensor, port }
    }
}

impl<S: TestSensor<ROW>, const ROW: usize> Sensor<ROW> for Tested<'_, S> {
    async fn wake(&mut self) -> bool {
        // A camera that sleeps or is in its reset answers only after it was woken.
        let awake = self.sensor.wake().await;
        self.port.expected.store(S::IDENTITY.into(), Relaxed);
        self.port.bars.store(S::PATTERN == Pattern::Bars, Relaxed);
        self.port.identity.store(self.sensor.identity().map_or(NO_ANSWER, u32::from), Relaxed);
        self.port.shown.store(false, Relaxed);
        awake
    }

    fn answers(&mut self) -> bool {
        self.sensor.answers()
    }

    async fn frame(&mut self, sequence: u32) -> Result<(), FrameError> {
        let (wanted, shown) = (self.port.pattern.load(Relaxed), self.port.shown.load(Relaxed));
        if wanted != shown {
            if !wanted && !self.sensor.wake().await {
                return Err(FrameError::Silent);
            }
            let shows = wanted && self.sensor.show_pattern();
            self.port.shown.store(shows, Relaxed);
        }
        self.sensor.frame(sequence).await
    }

    fn sender(&mut self) -> &mut Sender<'static, ROW> {
        self.sensor.sender()
    }
}
