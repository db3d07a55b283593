//! The device's loop, one turn at a time: a frame from the source through the stages to what is shown.
//!
//! ```text
//! source -> classify (preprocess, gate, infer, decide) -> agreement -> shown
//! ```
//!
//! [`Device::turn`] says what happened and what is to be shown now; whoever calls it lights, logs and feeds watchdogs. It
//! always returns within about the time it is given, whatever the camera does, and allocates nothing with the core engine.

use crate::capture::{CaptureError, Source, now_ms};
use crate::classify::{Classified, Classifier, ClassifyError};
use crate::engine::Engine;
use crate::log::{Hash, frame_hash};
use edge_core::agree::{Agreement, Policy, Shown, Stamp};
use edge_core::{Decision, Reason, State};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// A live source's frames are answered at most this often, in milliseconds; those between are only taken off its hands. Other
    /// sources' frames are all answered.
    pub interval_ms: u32,
    /// How long an answer is shown after the trigger, in milliseconds: the button, or a file that appeared. None: a live source
    /// is answered all the time, without a trigger.
    pub hold_ms: Option<u32>,
}

/// A source, a classifier, and the memory between frames.
pub struct Device<E> {
    source: Box<dyn Source + Send>,
    classifier: Classifier<E>,
    agreement: Agreement,
    rhythm: Rhythm,
    /// When the next frame of a live source is due.
    due_ms: u64,
    /// Until when answers are shown; none without trigger.
    awake_until_ms: Option<u64>,
    /// What is wrong with the source, and when it was last right.
    fault: Option<Reason>,
    right_ms: u64,
    name: String,
}

/// What one turn brought. What is shown is none while the device waits for its trigger and nothing is wrong.
#[derive(Debug)]
pub enum Turn<'a> {
    Frame(Answer<'a>),
    /// Nothing to answer came in the time given. No fault by itself; what is shown may be one by now.
    Quiet(Option<Shown>),
    Fault(CaptureError, Option<Shown>),
    End(Option<Shown>),
}

/// The answer on one frame, alone and together with those before it.
#[derive(Debug)]
pub struct Answer<'a> {
    /// What the source calls the picture; empty for a camera.
    pub name: &'a str,
    pub stamp: Stamp,
    /// When it was taken, in milliseconds of [`now_ms`]'s clock.
    pub taken_ms: u64,
    /// [`frame_hash`] of the frame.
    pub input: Hash,
    /// What the frame gave by itself; the error makes it a FAULT.
    pub classified: Result<Classified, ClassifyError>,
    pub decision: Decision,
    /// Frames in a row that agree with this one, this one counted.
    pub agreeing: u8,
    pub shown: Shown,
}

impl Turn<'_> {
    pub fn shown(&self) -> Option<Shown> {
        match self {
            Turn::Frame(answer) => Some(answer.shown),
            Turn::Quiet(shown) | Turn::Fault(_, shown) | Turn::End(shown) => *shown,
        }
    }
}

impl<E: Engine> Device<E> {
    /// Nothing seen yet. A live source without trigger shows FAULT until its first frame.
    pub fn new(
        source: Box<dyn Source + Send>,
        classifier: Classifier<E>,
        policy: Policy,
        rhythm: Rhythm,
    ) -> Self {
        Self {
            source,
            classifier,
            agreement: Agreement::new(policy),
            rhythm,
            due_ms: 0,
            awake_until_ms: rhythm.hold_ms.map(|_| 0),
            fault: None,
            right_ms: now_ms(),
            name: String::with_capacity(256),
        }
    }

    /// Takes the next frame, waiting at most `wait`, and answers it.
    pub fn turn(&mut self, wait: Duration) -> Turn<'_> {
        let deadline_ms = now_ms() + wait.as_millis() as u64;
        loop {
            let left = Duration::from_millis(deadline_ms.saturating_sub(now_ms()));
            let live = self.source.is_live();
            let error = match self.source.next(left) {
                Ok(shot) => {
                    let now = now_ms();
                    (self.fault, self.right_ms) = (None, now);
                    let asleep = self.awake_until_ms.is_some_and(|until| until <= now);
                    if live && (asleep || now < self.due_ms) {
                        if now < deadline_ms {
                            continue;
                        }
                        break;
                    }
                    self.due_ms = now + u64::from(self.rhythm.interval_ms);
                    self.name.clear();
                    self.name.push_str(shot.name);
                    let classified = self.classifier.classify(&shot.frame);
                    let (stamp, taken_ms) = (shot.stamp, shot.taken_ms);
                    if !live {
                        // Each file is a picture of its own, and the trigger to show its answer.
                        self.trigger();
                    }
                    return self.answer(stamp, taken_ms, classified);
                }
                Err(error) => error,
            };
            match error {
                CaptureError::Nothing => {
                    if !live {
                        (self.fault, self.right_ms) = (None, now_ms());
                    }
                    break;
                }
                CaptureError::End => return Turn::End(self.shown()),
                error => {
                    if let Some(reason) = error.reason() {
                        self.fail(reason, !live && matches!(error, CaptureError::Damaged(_)));
                    }
                    return Turn::Fault(error, self.shown());
                }
            }
        }
        Turn::Quiet(self.shown())
    }

    fn answer(
        &mut self,
        stamp: Stamp,
        taken_ms: u64,
        classified: Result<Classified, ClassifyError>,
    ) -> Turn<'_> {
        let failed = Decision { state: State::Fault, reason: Reason::EngineFailed, logit: None, score: None };
        let decision = classified.as_ref().map_or(failed, |classified| classified.decision);
        self.agreement.frame(taken_ms, stamp, &decision);
        Turn::Frame(Answer {
            stamp,
            taken_ms,
            input: frame_hash(self.classifier.input()),
            classified,
            decision,
            agreeing: self.agreement.agreeing(),
            shown: self.agreement.shown(now_ms()),
            name: &self.name,
        })
    }

    /// The source failed, or `of_a_file`: one of its files did, whose answer this is, shown for as long as any. A fault of the source
    /// ends what is being shown, and lasts as long as itself.
    fn fail(&mut self, reason: Reason, of_a_file: bool) {
        if of_a_file {
            self.trigger();
        } else {
            self.fault = Some(reason);
            self.awake_until_ms = self.awake_until_ms.map(|_| 0);
        }
        self.agreement.fault(reason);
    }

    /// The button was pressed, or a file came: answers begin anew and are shown for the time that the rhythm says.
    pub fn trigger(&mut self) {
        if let Some(hold_ms) = self.rhythm.hold_ms {
            self.agreement = Agreement::new(*self.agreement.policy());
            self.awake_until_ms = Some(now_ms() + u64::from(hold_ms));
            self.due_ms = 0;
        }
    }

    /// What to show now; none while the device waits for its trigger and nothing is wrong.
    fn shown(&mut self) -> Option<Shown> {
        let now = now_ms();
        let shown = self.agreement.shown(now);
        // Between the trigger and its first frame there is nothing to show yet.
        let answering = |until| now < until && shown.reason != Reason::Starting;
        if self.awake_until_ms.is_none_or(answering) {
            return Some(shown);
        }
        let quiet_ms = u32::try_from(now - self.right_ms).unwrap_or(u32::MAX);
        let limit = self.agreement.policy().stale_after_ms;
        let hangs = (self.source.is_live() && quiet_ms > limit).then_some(Reason::Stale(quiet_ms, limit));
        self.fault.or(hangs).map(|reason| Shown { state: State::Fault, reason })
    }

    pub fn policy(&self) -> &Policy {
        self.agreement.policy()
    }

    /// The network's input for the frame answered last, `side * side` bytes.
    pub fn input(&self) -> &[u8] {
        self.classifier.input()
    }

    pub fn source(&self) -> &str {
        self.source.name()
    }
}
