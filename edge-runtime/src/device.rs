//! A source and a classifier around the device's state machine: frames in, and what is to be shown.
//!
//! ```text
//! source -> classify (preprocess, gate, infer, decide) -> edge_core::device -> shown
//! ```
//!
//! [`Device::poll`] says what happened, [`Device::shown`] what is to be shown; whoever calls them
//! lights, logs and feeds watchdogs. `poll` always returns within about the time it is given,
//! whatever the camera does, and allocates nothing with the core engine.
//!
//! Files of a watched folder are pictures of different people: with [`Device::with_worklist`] their
//! answers are shown one after the other, each with whose it is, by edge-core's worklist; the state
//! machine then tells the faults that hide them. Whoever calls says with [`Device::settle`] whether
//! an answer is in the log; before that nothing of it is shown.

use crate::capture::{CaptureError, Dropped, PassedOver, Source};
use crate::cases::{Cases, CasesView, Joined, Listed, Named};
use crate::log::{Hash, frame_hash};
use crate::reduced::Reduced;
use edge_core::agree::{FrameStamp, Indication};
use edge_core::device::{self, DeviceEvent, Settings};
use edge_core::ports::Clock;
use edge_core::worklist::{CaseId, Rules};
use edge_core::{Decision, Reason, State};
use edge_model::classify::{Classifier, ClassifyError, Inference};
use edge_model::decode::Exam;
use edge_model::engine::Engine;
use std::sync::Arc;
use std::time::Duration;

/// A source, a classifier, and the memory between frames.
pub struct Device<E, C> {
    source: Box<dyn Source + Send>,
    classifier: Classifier<E>,
    state: device::DeviceState,
    clock: C,
    name: String,
    exam: Option<Exam>,
    /// Where each file is a case; none for a camera and a replay.
    cases: Option<Cases>,
    /// The picture that was answered last, where somebody wants to see it.
    reduced: Option<Reduced>,
}

/// What one turn brought. What is to be shown from now on says [`Device::shown`].
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nothing is allocated for a frame")]
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
    /// What the picture's file says of it.
    pub exam: Option<&'a Exam>,
    pub stamp: FrameStamp,
    /// When it was taken, in milliseconds of the device's clock.
    pub taken_ms: u64,
    /// [`frame_hash`] of the frame; none where a file was no picture.
    pub input: Option<Hash>,
    /// What the frame gave by itself; the error makes it a FAULT.
    pub classified: Result<Inference, FrameError>,
    pub decision: Decision,
    /// The case that the picture is of, where files are cases.
    pub case: Option<Joined>,
    /// Frames in a row that agree with this one, this one counted.
    pub agreeing: u8,
    /// What is shown because of it; what these frames agree on where nothing is shown. Of a case,
    /// its answer, whose turn may come later.
    pub shown: Indication,
}

/// Why a picture was not judged.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The file is no picture.
    #[error("{told}")]
    File {
        /// What the device shows.
        reason: Reason,
        /// Which file, what it is, what to do.
        told: String,
    },
    #[error(transparent)]
    Classify(#[from] ClassifyError),
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
        let name = String::with_capacity(256);
        Self { source, classifier, state, clock, name, exam: None, cases: None, reduced: None }
    }

    /// Keeps each picture that is answered, made small, until the next one: [`Device::reduced`].
    #[must_use]
    pub fn with_pictures(self) -> Self {
        Self { reduced: Some(Reduced::default()), ..self }
    }

    /// Takes each file as a case, whose answer is shown by these rules; `button`: there is one.
    #[must_use]
    pub fn with_worklist(self, rules: Rules, button: bool) -> Self {
        // It waits for a trigger that never comes: the state machine tells faults alone.
        let settings = Settings { hold_ms: Some(rules.hold_ms), ..*self.state.settings() };
        let now = self.clock.now_ms();
        let mut cases = Cases::new(rules, button);
        cases.advance(now, false);
        Self { state: device::DeviceState::new(settings, now), cases: Some(cases), ..self }
    }

    /// Takes the next frame, waiting at most `wait`, and answers it.
    pub fn poll(&mut self, wait: Duration) -> PollOutcome<'_> {
        if self.cases.as_ref().is_some_and(|cases| !cases.has_room()) {
            return self.rest(wait);
        }
        let deadline_ms = self.clock.now_ms() + wait.as_millis() as u64;
        let live = self.source.is_live();
        loop {
            let now = self.clock.now_ms();
            let left_ms = deadline_ms.saturating_sub(now);
            let passes = live && !self.state.wants_frame(now);
            let came = if passes {
                // Only taken off the camera's hands, until one is due: that one is looked at.
                let due_ms = (0..left_ms).find(|ms| self.state.wants_frame(now + ms)).unwrap_or(left_ms);
                self.source.pass(Duration::from_millis(due_ms)).map(|()| None)
            } else {
                self.source.next(Duration::from_millis(left_ms)).map(Some)
            };
            match came {
                Ok(shot) => {
                    let now = self.clock.now_ms();
                    self.state.handle(DeviceEvent::FrameBegins, now);
                    let Some(shot) = shot.filter(|_| !live || self.state.wants_frame(now)) else {
                        self.state.handle(DeviceEvent::SourceWell, now);
                        if now < deadline_ms {
                            continue;
                        }
                        return PollOutcome::Quiet;
                    };
                    self.name.clear();
                    self.name.push_str(shot.name);
                    self.exam = shot.exam.cloned();
                    let refused = shot.exam.and_then(|exam| exam.refused);
                    let classified = self.classifier.classify_unless(&shot.frame, refused);
                    let classified = classified.map_err(FrameError::from);
                    if let Some(reduced) = &mut self.reduced {
                        reduced.clear();
                        if let Ok(Inference { figures, .. }) = &classified {
                            let looked = figures.features.and(self.classifier.engine().features().ok());
                            reduced.take(&shot.frame, figures, looked);
                        }
                    }
                    let (stamp, taken_ms) = (shot.stamp, shot.taken_ms);
                    if self.cases.is_some() {
                        return self.judge_case(stamp, taken_ms, classified);
                    }
                    return self.answer(stamp, taken_ms, classified, now);
                }
                Err(CaptureError::Nothing) if passes && self.clock.now_ms() < deadline_ms => {}
                Err(CaptureError::Nothing) => {
                    if !live {
                        self.handle(DeviceEvent::SourceWell);
                    }
                    return PollOutcome::Quiet;
                }
                Err(CaptureError::Dropped(_)) => {
                    self.handle(DeviceEvent::FrameDropped(Reason::DamagedFrame));
                    return PollOutcome::Quiet;
                }
                Err(CaptureError::End) => return PollOutcome::End,
                Err(CaptureError::Unusable { reason, told }) if self.cases.is_some() => {
                    self.name.clear();
                    self.name.push_str(self.source.origin().name);
                    self.exam = None;
                    self.reduced.iter_mut().for_each(Reduced::clear);
                    let now = self.clock.now_ms();
                    let unread = Err(FrameError::File { reason, told });
                    return self.judge_case(FrameStamp::default(), now, unread);
                }
                Err(error) => return self.fail(error),
            }
        }
    }

    fn answer(
        &mut self,
        stamp: FrameStamp,
        taken_ms: u64,
        classified: Result<Inference, FrameError>,
        began_ms: u64,
    ) -> PollOutcome<'_> {
        let decision = decision(&classified);
        self.state.handle(DeviceEvent::Frame { taken_ms, stamp, decision: &decision }, began_ms);
        let now = self.clock.now_ms();
        let shown = self.state.indication(now).unwrap_or_else(|| self.state.agreed(now));
        PollOutcome::Frame(FrameAnswer {
            name: &self.name,
            exam: self.exam.as_ref(),
            stamp,
            taken_ms,
            input: Some(frame_hash(self.classifier.input())),
            classified,
            decision,
            case: None,
            agreeing: self.state.agreeing(),
            shown,
        })
    }

    /// The same for a picture that is a case's. It is noted that it is answered before anybody may
    /// log or show that.
    fn judge_case(
        &mut self,
        stamp: FrameStamp,
        taken_ms: u64,
        classified: Result<Inference, FrameError>,
    ) -> PollOutcome<'_> {
        self.handle(DeviceEvent::SourceWell);
        let is_picture = !matches!(classified, Err(FrameError::File { .. }));
        let input = is_picture.then(|| frame_hash(self.classifier.input()));
        if let Err(error) = self.source.answering(input) {
            self.source.answered(false);
            return self.fail(CaptureError::Memory(error));
        }
        let now = self.clock.now_ms();
        let decision = decision(&classified);
        let case = self.cases.as_mut().map(|cases| cases.judged(&self.source.origin(), decision, now));
        let Decision { state, reason, .. } = case.as_ref().map_or(decision, |case| case.answer);
        PollOutcome::Frame(FrameAnswer {
            name: &self.name,
            exam: self.exam.as_ref(),
            stamp,
            taken_ms,
            input,
            classified,
            decision,
            case,
            agreeing: 1,
            shown: Indication { state, reason },
        })
    }

    /// Whether the answer that [`Device::poll`] gave last is in the log. A case's answer is not shown
    /// before, and its picture comes again where it is not.
    pub fn settle(&mut self, logged: bool) {
        if let Some(cases) = &mut self.cases {
            cases.settle(&self.source.origin(), logged);
            self.source.answered(logged);
        }
    }

    /// Waits without taking a picture, because nothing can be done with one.
    pub fn rest(&mut self, wait: Duration) -> PollOutcome<'_> {
        std::thread::sleep(wait);
        self.handle(DeviceEvent::SourceWell);
        PollOutcome::Quiet
    }

    fn fail(&mut self, error: CaptureError) -> PollOutcome<'_> {
        if let Some(reason) = error.reason() {
            self.handle(DeviceEvent::SourceFailed(reason));
        }
        PollOutcome::Fault(error)
    }

    /// The button was pressed: the trigger of a camera's answer, or for the case that is named, which
    /// is told with its study.
    pub fn press(&mut self) -> Option<(Named, Arc<str>)> {
        match &mut self.cases {
            Some(cases) => cases.press(),
            None => {
                self.handle(DeviceEvent::Trigger);
                None
            }
        }
    }

    /// A person acknowledged a case on a screen, when it had so many pictures: which it was, with its
    /// study, where that is taken.
    pub fn acknowledge(&mut self, case: CaseId, pictures: u16) -> Option<(Named, Arc<str>)> {
        self.cases.as_mut()?.acknowledge(case, pictures)
    }

    /// Whether files are cases.
    pub fn has_cases(&self) -> bool {
        self.cases.is_some()
    }

    /// What is shown of the cases, with their names; none for a camera.
    pub fn cases(&self) -> Option<CasesView> {
        self.cases.as_ref().map(Cases::named_view)
    }

    /// All cases that are known, in no order; none for a camera.
    pub fn listed(&self) -> impl Iterator<Item = Listed> {
        self.cases.iter().flat_map(Cases::listed)
    }

    /// The picture that was answered last, made small; without one where it was no picture or could not
    /// be judged, and none where nobody wants to see it. Its memory may be taken for another one.
    pub fn reduced(&mut self) -> Option<&mut Reduced> {
        self.reduced.as_mut()
    }

    /// Files that the source passes over, each told once.
    pub fn passed_over(&mut self) -> Option<PassedOver> {
        self.source.passed_over()
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
        let now = self.clock.now_ms();
        let shown = self.state.indication(now);
        let Some(cases) = &mut self.cases else { return shown };
        cases.advance(now, shown.is_some());
        shown.or(cases.view().shown)
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

    /// The damaged frames that the source has passed over.
    pub fn dropped(&self) -> Option<&Dropped> {
        self.source.dropped()
    }
}

fn decision(classified: &Result<Inference, FrameError>) -> Decision {
    let failed = |reason| Decision { state: State::Fault, reason, logit: None, score: None };
    match classified {
        Ok(classified) => classified.decision,
        Err(FrameError::File { reason, .. }) => failed(*reason),
        Err(FrameError::Classify(_)) => failed(Reason::EngineFailed),
    }
}
