//! One case of a worklist: its pictures' answers, and how bad they are.

use crate::decide::{Decision, State};
use crate::reason::Reason;

/// The host's number of a case; it never gives one to two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CaseId(pub u32);

/// How far a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Progress {
    /// Its turn is still to come, or to go on where a fault of the device hides it.
    Waiting,
    /// It has its turn.
    Shown,
    /// It was shown and needs a person, who has not acknowledged it.
    NeedsPerson,
    /// Somebody acknowledged it.
    Acknowledged,
    /// It was shown, and nobody needs to do more.
    Done,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) id: CaseId,
    /// The worst frontal view, and the worst of the others.
    pub(super) frontal: Option<Decision>,
    pub(super) other: Option<Decision>,
    pub(super) pictures: u16,
    pub(super) waits: bool,
    pub(super) needs_person: bool,
    /// When the first picture came since it waits, and the last one.
    pub(super) first_ms: u64,
    pub(super) last_ms: u64,
    /// In which order cases began to wait.
    pub(super) order: u32,
}

/// How bad an answer is for the patient who is not looked at; 0 needs nobody.
pub const fn severity(state: State) -> u8 {
    match state {
        State::Positive => 4,
        State::Refer => 3,
        State::Fault => 2,
        State::Invalid => 1,
        State::Negative => 0,
    }
}

pub(super) fn worse(old: Option<Decision>, new: Decision) -> Option<Decision> {
    Some(old.filter(|old| severity(old.state) >= severity(new.state)).unwrap_or(new))
}

pub(super) fn answer(frontal: Option<Decision>, other: Option<Decision>) -> Option<Decision> {
    frontal.or(other.map(|other| other.referred(Reason::NoFrontalView)))
}

impl Case {
    pub(super) const fn new(id: CaseId, now_ms: u64) -> Self {
        Self {
            id,
            frontal: None,
            other: None,
            pictures: 0,
            waits: false,
            needs_person: false,
            first_ms: now_ms,
            last_ms: now_ms,
            order: 0,
        }
    }

    pub(super) fn answer(&self) -> Option<Decision> {
        answer(self.frontal, self.other)
    }

    pub(super) fn severity(&self) -> u8 {
        self.answer().map_or(0, |answer| severity(answer.state))
    }

    /// The worst has the greatest rank; of equal ones, the first.
    pub(super) fn rank(&self) -> (u8, u32) {
        (self.severity(), u32::MAX - self.order)
    }
}
