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
use edge_core::agree::{Agreement, Policy, Shown, Stamp};
use edge_core::{Decision, Frame, Reason, State};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// A source, a classifier, and the memory between frames.
pub struct Device<E> {
    source: Box<dyn Source>,
    classifier: Classifier<E>,
    agreement: Agreement,
}

/// What one turn brought.
#[derive(Debug)]
pub enum Turn<'a> {
    /// A frame was answered.
    Frame(Answer<'a>),
    /// No frame came in the time given. No fault yet; what is shown may be one by now.
    Quiet(Shown),
    /// The source failed.
    Fault(CaptureError, Shown),
    /// A replay has no more frames. What was shown last stays.
    End(Shown),
}

/// The answer on one frame, alone and together with those before it.
#[derive(Debug)]
pub struct Answer<'a> {
    /// What the source calls the picture; empty for a camera.
    pub name: &'a str,
    /// The source's numbering and timing.
    pub stamp: Stamp,
    /// When it was taken, in milliseconds of [`now_ms`]'s clock.
    pub taken_ms: u64,
    /// SHA-256 of the picture, see [`frame_sha256`].
    pub sha256: [u8; 32],
    /// What the frame gave by itself; the error makes it a FAULT.
    pub classified: Result<Classified, ClassifyError>,
    /// What the frame gave by itself, as a decision.
    pub decision: Decision,
    /// What is to be shown.
    pub shown: Shown,
}

impl Turn<'_> {
    /// What is to be shown after it.
    pub fn shown(&self) -> Shown {
        match self {
            Turn::Frame(answer) => answer.shown,
            Turn::Quiet(shown) | Turn::Fault(_, shown) | Turn::End(shown) => *shown,
        }
    }
}

impl<E: Engine> Device<E> {
    /// Nothing seen yet: what is shown is a FAULT until the first frame.
    pub fn new(source: Box<dyn Source>, classifier: Classifier<E>, policy: Policy) -> Self {
        Self { source, classifier, agreement: Agreement::new(policy) }
    }

    /// Takes the next frame, waiting at most `wait`, and answers it.
    pub fn turn(&mut self, wait: Duration) -> Turn<'_> {
        match self.source.next(wait) {
            Ok(shot) => {
                let sha256 = frame_sha256(&shot.frame);
                let classified = self.classifier.classify(&shot.frame);
                let decision = match &classified {
                    Ok(classified) => classified.decision,
                    Err(_) => Decision {
                        state: State::Fault,
                        reason: Reason::EngineFailed,
                        logit: None,
                        score: None,
                    },
                };
                self.agreement.frame(shot.taken_ms, shot.stamp, &decision);
                let shown = self.agreement.shown(now_ms());
                let (name, stamp, taken_ms) = (shot.name, shot.stamp, shot.taken_ms);
                Turn::Frame(Answer { name, stamp, taken_ms, sha256, classified, decision, shown })
            }
            Err(error) => {
                if let Some(reason) = error.reason() {
                    self.agreement.fault(reason);
                }
                let shown = self.agreement.shown(now_ms());
                match error {
                    CaptureError::Nothing => Turn::Quiet(shown),
                    CaptureError::End => Turn::End(shown),
                    error => Turn::Fault(error, shown),
                }
            }
        }
    }

    /// Forgets what was seen: for the next press of a trigger button, which asks about a new picture.
    pub fn forget(&mut self) {
        self.agreement = Agreement::new(*self.agreement.policy());
    }

    /// What the source is called.
    pub fn source(&self) -> &str {
        self.source.name()
    }
}

/// SHA-256 of a frame: width and height as two little-endian `u32`, the name of the pixel format, a zero byte, then the rows' bytes.
pub fn frame_sha256(frame: &Frame) -> [u8; 32] {
    let geometry = frame.geometry();
    let mut hash = Sha256::new();
    hash.update(u32::from(geometry.width()).to_le_bytes());
    hash.update(u32::from(geometry.height()).to_le_bytes());
    hash.update(geometry.format().name());
    hash.update([0]);
    for row in frame.rows() {
        hash.update(row);
    }
    hash.finalize().into()
}
