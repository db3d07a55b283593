//! Decision over frames: from the answers on single frames, and from a camera's faults, to the one
//! state that is shown.
//!
//! POSITIVE and NEGATIVE need the agreement of the last frames: until then the state is REFER,
//! never the answer on another picture. REFER, INVALID and FAULT need none: each is shown on the
//! first frame that gives it. What no longer comes is a FAULT by itself, because
//! [`Agreement::shown`] is asked for the state *now*.
//!
//! Times are milliseconds of one clock that never steps (`CLOCK_MONOTONIC`, or a microcontroller's
//! tick counter).

use crate::decide::{Decision, State};
use crate::reason::Reason;

/// How much agreement a state needs and how old a frame may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AgreementPolicy {
    /// Frames in a row that must give POSITIVE or NEGATIVE before it is shown; 0 counts as 1.
    pub frames: u8,
    /// Greatest age of the newest frame, in milliseconds.
    pub stale_after_ms: u32,
}

/// How a camera numbers and times its frames. What a camera does not give stays 0 in each frame and
/// is not looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FrameStamp {
    /// Number of the frame; it wraps.
    pub sequence: u32,
    /// When the frame was taken, in microseconds of any clock; it may wrap.
    pub micros: u64,
}

/// What is shown, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Indication {
    /// The state of the lights: POSITIVE or NEGATIVE only where enough frames agree.
    pub state: State,
    /// What the state comes from; of a FAULT, the first of [`device`](crate::device)'s table.
    pub reason: Reason,
}

/// The memory between frames. A new one shows FAULT, because nothing has been seen yet.
///
/// ```
/// use edge_core::agree::{Agreement, AgreementPolicy, FrameStamp};
/// use edge_core::{Decision, Reason, State};
///
/// let mut agreement = Agreement::new(AgreementPolicy { frames: 2, stale_after_ms: 500 });
/// let positive = Decision {
///     state: State::Positive,
///     reason: Reason::AboveThreshold,
///     logit: Some(4.0),
///     score: Some(0.98),
/// };
/// let mut frame = |sequence: u32, now_ms| {
///     agreement.frame(now_ms, FrameStamp { sequence, micros: 0 }, &positive);
///     agreement.shown(now_ms)
/// };
/// assert_eq!(frame(1, 100).reason, Reason::Unsettled(1, 2));
/// assert_eq!(frame(2, 200).state, State::Positive);
/// assert_eq!(frame(2, 300).reason, Reason::Stuck, "the same frame again");
/// assert_eq!(agreement.shown(300).state, State::Fault);
/// ```
#[derive(Clone, Debug)]
pub struct Agreement {
    policy: AgreementPolicy,
    last: Option<(FrameStamp, u64)>,
    shown: Indication,
    agreeing: u8,
    single: Option<State>,
}

const fn fault(reason: Reason) -> Indication {
    Indication { state: State::Fault, reason }
}

impl Agreement {
    /// Nothing seen yet: FAULT, [`Reason::Starting`].
    pub const fn new(policy: AgreementPolicy) -> Self {
        Self { policy, last: None, shown: fault(Reason::Starting), agreeing: 0, single: None }
    }

    /// The policy that it was made with.
    pub const fn policy(&self) -> &AgreementPolicy {
        &self.policy
    }

    /// How many of the newest frames in a row gave the same state by themselves.
    pub const fn agreeing(&self) -> u8 {
        self.agreeing
    }

    /// Whether neither a frame nor a fault has come yet.
    pub const fn is_new(&self) -> bool {
        matches!(self.shown.reason, Reason::Starting)
    }

    /// A frame that was taken at `taken_ms` gave `decision`. Call [`Agreement::shown`] for what to
    /// show.
    pub fn frame(&mut self, taken_ms: u64, stamp: FrameStamp, decision: &Decision) {
        let stuck = self.last.is_some_and(|(last, _)| {
            let same = |now: u64, then: u64| now == then && now != 0;
            same(stamp.sequence.into(), last.sequence.into()) || same(stamp.micros, last.micros)
        });
        if stuck {
            // The time of the last new frame stays: a frame that repeats is none.
            self.clear(Reason::Stuck);
            return;
        }
        let limit_ms = u64::from(self.policy.stale_after_ms);
        if self.last.is_some_and(|(_, then)| taken_ms.saturating_sub(then) > limit_ms) {
            // Nobody asked meanwhile; those before are too old to agree with this one all the same.
            self.single = None;
        }
        self.last = Some((stamp, taken_ms));
        let single = decision.state;
        self.agreeing = if self.single == Some(single) { self.agreeing.saturating_add(1) } else { 1 };
        self.single = Some(single);
        let needed = self.policy.frames;
        let clear = matches!(single, State::Positive | State::Negative);
        self.shown = if clear && self.agreeing < needed {
            Indication { state: State::Refer, reason: Reason::Unsettled(self.agreeing, needed) }
        } else {
            Indication { state: single, reason: decision.reason }
        };
    }

    /// The camera or the device failed. Agreement starts anew; the state stays FAULT until a frame
    /// comes.
    pub fn fault(&mut self, reason: Reason) {
        self.last = None;
        self.clear(reason);
    }

    fn clear(&mut self, reason: Reason) {
        self.shown = fault(reason);
        self.agreeing = 0;
        self.single = None;
    }

    /// What to show at `now_ms`. A frame that is too old has no say any more, whatever it gave.
    pub fn shown(&mut self, now_ms: u64) -> Indication {
        if let Some((_, taken)) = self.last {
            let age = u32::try_from(now_ms.saturating_sub(taken)).unwrap_or(u32::MAX);
            let limit = self.policy.stale_after_ms;
            if age > limit && self.shown.reason != Reason::Stuck {
                self.clear(Reason::Stale(age, limit));
            }
        }
        self.shown
    }
}
