//! A source and a classifier around the device's state machine: frames in, and what is to be shown.
//!
//! ```text
//! source -> classify (preprocess, gate, infer, decide) -> edge_core::device -> shown
//! ```
//!
//! [`Device::poll`] says what happened, [`Device::shown`] what is to be shown; whoever calls them
//! lights, logs and feeds watchdogs. `poll` always returns within about the time it is given,
//! whatever the camera does, and allocates nothing with the core engine.

use crate::capture::{CaptureError, Source};
use crate::log::{Hash, frame_hash};
use edge_core::agree::{FrameStamp, Indication};
use edge_core::device::{self, DeviceEvent, Settings};
use edge_core::ports::Clock;
use edge_core::{Decision, Reason, State};
use edge_model::classify::{Classifier, ClassifyError, Inference};
use edge_model::engine::Engine;
use std::time::Duration;

/// A source, a classifier, and the memory between frames.
pub struct Device<E, C> {
    source: Box<dyn Source + Send>,
    classifier: Classifier<E>,
    state: device::DeviceState,
    clock: C,
    name: String,
}

/// What one turn brought. What is to be shown from now on says [`Device::shown`].
#[derive(Debug)]
pub enum PollOutcome<'a> {
    Frame(FrameAnswer<'a>),
    /// Nothing to answer came in the time given. No fault by itself; what is shown may be one by
    /// now.
    Quiet,
    Fault(CaptureError),
    End,
}

/// The answer on one frame, alone and together with those before it.
#[derive(Debug)]
pub struct FrameAnswer<'a> {
    /// What the source calls the picture; empty for a camera.
    pub name: &'a str,
    pub stamp: FrameStamp,
    /// When it was taken, in milliseconds of the device's clock.
    pub taken_ms: u64,
    /// [`frame_hash`] of the frame.
    pub input: Hash,
    /// What the frame gave by itself; the error makes it a FAULT.
    pub classified: Result<Inference, ClassifyError>,
    pub decision: Decision,
    /// Frames in a row that agree with this one, this one counted.
    pub agreeing: u8,
    /// What is shown because of it; what these frames agree on where nothing is shown.
    pub shown: Indication,
}

impl<E: Engine, C: Clock> Device<E, C> {
    /// Nothing seen yet. A live source without trigger shows FAULT until its first frame.
    pub fn new(
        source: Box<dyn Source + Send>,
        classifier: Classifier<E>,
        settings: Settings,
        clock: C,
    ) -> Self {
        let state = device::DeviceState::new(settings, clock.now_ms());
        Self { source, classifier, state, clock, name: String::with_capacity(256) }
    }

    /// Takes the next frame, waiting at most `wait`, and answers it.
    pub fn poll(&mut self, wait: Duration) -> PollOutcome<'_> {
        let deadline_ms = self.clock.now_ms() + wait.as_millis() as u64;
        let live = self.source.is_live();
        loop {
            let left = Duration::from_millis(deadline_ms.saturating_sub(self.clock.now_ms()));
            match self.source.next(left) {
                Ok(shot) => {
                    let now = self.clock.now_ms();
                    if live && !self.state.wants_frame(now) {
                        // Only taken off the camera's hands.
                        self.state.handle(DeviceEvent::SourceWell, now);
                        if now < deadline_ms {
                            continue;
                        }
                        return PollOutcome::Quiet;
                    }
                    self.name.clear();
                    self.name.push_str(shot.name);
                    let refused = shot.exam.and_then(|exam| exam.refused);
                    let classified = self.classifier.classify_unless(&shot.frame, refused);
                    let (stamp, taken_ms) = (shot.stamp, shot.taken_ms);
                    return self.answer(stamp, taken_ms, classified, now);
                }
                Err(CaptureError::Nothing) => {
                    if !live {
                        self.handle(DeviceEvent::SourceWell);
                    }
                    return PollOutcome::Quiet;
                }
                Err(CaptureError::End) => return PollOutcome::End,
                Err(error) => {
                    self.fail(&error);
                    return PollOutcome::Fault(error);
                }
            }
        }
    }

    fn answer(
        &mut self,
        stamp: FrameStamp,
        taken_ms: u64,
        classified: Result<Inference, ClassifyError>,
        began_ms: u64,
    ) -> PollOutcome<'_> {
        if !self.source.is_live() {
            // Each file is a picture of its own, and the trigger to show its answer.
            self.handle(DeviceEvent::Trigger);
        }
        let failed = Decision { state: State::Fault, reason: Reason::EngineFailed, logit: None, score: None };
        let decision = classified.as_ref().map_or(failed, |classified| classified.decision);
        self.state.handle(DeviceEvent::Frame { taken_ms, stamp, decision: &decision }, began_ms);
        let now = self.clock.now_ms();
        let shown = self.state.indication(now).unwrap_or_else(|| self.state.agreed(now));
        PollOutcome::Frame(FrameAnswer {
            name: &self.name,
            stamp,
            taken_ms,
            input: frame_hash(self.classifier.input()),
            classified,
            decision,
            agreeing: self.state.agreeing(),
            shown,
        })
    }

    /// The source failed, or one of its files did: that is the answer on this file.
    fn fail(&mut self, error: &CaptureError) {
        let Some(reason) = error.reason() else { return };
        if !self.source.is_live() && matches!(error, CaptureError::Damaged(_)) {
            self.handle(DeviceEvent::Trigger);
            self.handle(DeviceEvent::FrameFailed(reason));
        } else {
            self.handle(DeviceEvent::SourceFailed(reason));
        }
    }

    /// The device's clock.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Something happened beside the source.
    pub fn handle(&mut self, event: DeviceEvent<'_>) {
        self.state.handle(event, self.clock.now_ms());
    }

    /// What to show now; none while the device waits for its trigger and nothing is wrong.
    pub fn shown(&mut self) -> Option<Indication> {
        self.state.indication(self.clock.now_ms())
    }

    pub fn settings(&self) -> &Settings {
        self.state.settings()
    }

    /// The network's input for the frame answered last, `side * side` bytes.
    pub fn input(&self) -> &[u8] {
        self.classifier.input()
    }

    pub fn source(&self) -> &str {
        self.source.name()
    }
}
