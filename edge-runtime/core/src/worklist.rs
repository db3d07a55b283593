//! Which of several cases' answers is shown, when, and what becomes of those that nobody has seen:
//! a state machine without input or output, beside [`device`](crate::device).
//!
//! A *case* is one patient's study: one picture, or several that a host has found to belong
//! together. Its answer is the worst of its frontal views; POSITIVE is worse than REFER, then come
//! FAULT, INVALID and NEGATIVE. A study of which no frontal view has come is answered by REFER at
//! the most.
//!
//! A case *waits* until it has been shown. It *needs a person* where its answer is not NEGATIVE:
//! with a button until that was pressed for it, without one until it has been shown for its time.
//! What is shown is the first row of this table that holds:
//!
//! | | what is so | lamps | named |
//! | --- | --- | --- | --- |
//! | 1 | a fault of the device hides everything; its time counts for no answer | the host's: FAULT | |
//! | 2 | a case has its turn, and its answer is not NEGATIVE | the answer | the case |
//! | 3 | a case has its turn, its answer is NEGATIVE, and another case needs a person | REFER, [`Reason::Unacknowledged`] | the case, and the worst of the others |
//! | 4 | a case has its turn, and its answer is NEGATIVE | NEGATIVE | the case |
//! | 5 | a turn ended less than [`GAP_MS`] ago | dark | |
//! | 6 | there is a button, and cases that were shown need a person | REFER, [`Reason::Unacknowledged`] | the worst of them |
//! | 7 | none of these | dark | |
//!
//! So green is lit for the case that is named alone, and only while no other case needs a person;
//! and between any two cases the lamps go dark, so that the light for the next patient cannot be
//! taken for the one before.
//!
//! A turn takes [`Rules::hold_ms`], and ends when the button is pressed. Of the cases that are due
//! the worst has the next turn, of equal ones the one that came first. A case is due at once where
//! its answer is POSITIVE, which no further picture can change; else once no picture of it has come
//! for [`Rules::study_ms`], or ten times that after its first one.
//!
//! Where answers are acknowledged, a person does it by a press, which is for the case that is named,
//! or on a screen that lists the cases, for whichever was tapped. The first row that holds says what
//! is acknowledged:
//!
//! | | what is so | [`Worklist::press`] | [`Worklist::acknowledge`] of a case |
//! | --- | --- | --- | --- |
//! | 1 | a fault of the device hides everything | nothing | nothing |
//! | 2 | the case has its turn | it, and its turn ends | it, and its turn ends, where it is not NEGATIVE |
//! | 3 | it had its turn before the gap, and needs a person | it | it |
//! | 4 | row 6 above, and it is the worst | it | it |
//! | 5 | it was shown and needs a person, and no picture of it has come since | nothing | it |
//! | 6 | none of these: it has not been shown, needs nobody, or is not there | nothing | nothing |
//!
//! A picture that comes later makes its case wait anew, or changes its answer while it has its turn.
//!
//! ```
//! use edge_core::worklist::{CaseId, Rules, Worklist};
//! use edge_core::{Decision, Reason, State};
//!
//! let rules = Rules { hold_ms: 30_000, study_ms: 3000, button: true };
//! let mut list = Worklist::<8>::new(rules);
//! let decision = |state, reason| Decision { state, reason, logit: None, score: None };
//! list.add(CaseId(1), true, decision(State::Positive, Reason::AboveThreshold)).unwrap();
//! list.add(CaseId(2), true, decision(State::Negative, Reason::BelowThreshold)).unwrap();
//! let mut shows = |now_ms| {
//!     list.advance(now_ms, false);
//!     list.view().shown.map(|shown| shown.state)
//! };
//! assert_eq!(shows(10), Some(State::Positive));
//! assert_eq!(shows(30_010), None, "the gap");
//! // The second child's answer is NEGATIVE, but nobody has acknowledged the first one's.
//! assert_eq!(shows(31_010), Some(State::Refer));
//! ```

mod case;

pub use case::{CaseId, Progress, severity};

use crate::agree::Indication;
use crate::decide::{Decision, State};
use crate::reason::Reason;
use case::{Case, answer, worse};
use heapless::Vec;

/// How long the lamps are dark between two turns, in milliseconds.
pub const GAP_MS: u64 = 1000;

/// After so many times [`Rules::study_ms`] a case is due though pictures of it still come.
const LONGEST_STUDY: u64 = 10;

/// How answers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long an answer has its turn, in milliseconds.
    pub hold_ms: u32,
    /// How long no picture of a case must have come before it is due, in milliseconds.
    pub study_ms: u32,
    /// Whether there is a button, or a screen, that a person acknowledges answers with.
    pub button: bool,
}

/// There is no room for another case: all in the list wait. Try again once one has had its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// What is to be shown, and said beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// For the lamps; none where they are dark.
    pub shown: Option<Indication>,
    /// The case that has its turn.
    pub turn: Option<CaseId>,
    /// Cases that need a person, without the one that has its turn.
    pub need_person: u32,
    /// The worst of those.
    pub worst: Option<CaseId>,
    /// Cases whose turn is still to come.
    pub waiting: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Nobody,
    Of(CaseId, u64),
    /// The gap after a case's turn.
    After(CaseId, u64),
}

/// The cases that have come, at most `N`.
#[derive(Clone, Debug)]
pub struct Worklist<const N: usize> {
    rules: Rules,
    cases: Vec<Case, N>,
    turn: Turn,
    /// Whether a fault of the device hides every answer.
    hidden: bool,
    /// Time that no fault has hidden, in milliseconds; all times in here are of it.
    clock_ms: u64,
    advanced_ms: u64,
    order: u32,
    /// Cases that need a person and were dropped for want of room.
    dropped: u32,
}

impl<const N: usize> Worklist<N> {
    /// Without any case, at a time of 0.
    pub const fn new(rules: Rules) -> Self {
        Self {
            rules,
            cases: Vec::new(),
            turn: Turn::Nobody,
            hidden: false,
            clock_ms: 0,
            advanced_ms: 0,
            order: 0,
            dropped: 0,
        }
    }

    /// The rules that it was made with.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether a case is in the list: later pictures of one that is not make a case of their own.
    pub fn knows(&self, id: CaseId) -> bool {
        self.case(id).is_some()
    }

    /// Whether another case finds room.
    pub fn has_room(&self) -> bool {
        !self.cases.is_full() || self.dispensable().is_some()
    }

    /// A case's answer so far, and of how many pictures.
    pub fn answer(&self, id: CaseId) -> Option<(Decision, u16)> {
        let case = self.case(id)?;
        Some((case.answer()?, case.pictures))
    }

    /// What a case's answer would be with this picture too, and of how many pictures: for the log,
    /// which comes first.
    pub fn answer_with(&self, id: CaseId, frontal: bool, decision: Decision) -> (Decision, u16) {
        let case = self.case(id);
        let [mut front, mut other] = case.map_or([None; 2], |case| [case.frontal, case.other]);
        let view = if frontal { &mut front } else { &mut other };
        *view = worse(*view, decision);
        let pictures = case.map_or(0, |case| case.pictures).saturating_add(1);
        (answer(front, other).unwrap_or(decision), pictures)
    }

    /// A picture of a case was judged. `frontal`: it is a frontal view, as far as anybody knows.
    ///
    /// # Errors
    /// [`Full`]: the case is new, and there is no room for it; see [`Worklist::has_room`].
    pub fn add(&mut self, id: CaseId, frontal: bool, decision: Decision) -> Result<(), Full> {
        let (now, order) = (self.clock_ms, self.order);
        if !self.knows(id) {
            self.make_room()?;
            self.cases.push(Case::new(id, now)).map_err(|_| Full)?;
        }
        let Some(case) = self.cases.iter_mut().find(|case| case.id == id) else { return Err(Full) };
        let before = case.answer().map(|answer| answer.state);
        let view = if frontal { &mut case.frontal } else { &mut case.other };
        *view = worse(*view, decision);
        case.pictures = case.pictures.saturating_add(1);
        case.last_ms = now;
        case.needs_person = case.severity() > 0;
        if matches!(self.turn, Turn::Of(of, _) if of == id) {
            if before != case.answer().map(|answer| answer.state) {
                self.turn = Turn::Of(id, now);
            }
        } else if !case.waits {
            (case.waits, case.first_ms, case.order) = (true, now, order);
            self.order = order.saturating_add(1);
        }
        Ok(())
    }

    /// It is `now_ms` of a clock that never steps. `hidden`: a fault of the device hides every
    /// answer, and has since this was called last.
    pub fn advance(&mut self, now_ms: u64, hidden: bool) {
        let passed = now_ms.saturating_sub(self.advanced_ms);
        self.advanced_ms = now_ms;
        self.hidden = hidden;
        if hidden {
            return;
        }
        self.clock_ms += passed;
        if let Turn::Of(id, since) = self.turn
            && self.clock_ms - since >= self.rules.hold_ms.into()
        {
            let button = self.rules.button;
            self.end_turn(id, |case| case.needs_person &= button);
        }
        if let Turn::After(_, since) = self.turn
            && self.clock_ms - since >= GAP_MS
        {
            self.turn = Turn::Nobody;
        }
        if self.turn == Turn::Nobody
            && let Some(id) = self.next_due()
        {
            self.turn = Turn::Of(id, self.clock_ms);
            self.change(id, |case| case.waits = false);
        }
    }

    /// The button was pressed: for which case, where it was for one. Nobody acknowledges an answer that a
    /// fault of the device hides.
    pub fn press(&mut self) -> Option<CaseId> {
        if self.hidden {
            return None;
        }
        match self.turn {
            Turn::Of(id, _) => {
                self.end_turn(id, |case| case.needs_person = false);
                Some(id)
            }
            // Whoever presses as the lamps go dark means the answer that was there.
            Turn::After(id, _) => self.note_seen(id),
            Turn::Nobody => {
                let worst = self.worst(|case| !case.waits);
                if worst.is_none() {
                    self.dropped = 0;
                }
                worst.and_then(|id| self.note_seen(id))
            }
        }
    }

    /// A person acknowledged this case, which is not always the one that is named: whether that was
    /// taken. Nobody can name those that were dropped for want of room; they go with the last one.
    pub fn acknowledge(&mut self, id: CaseId) -> bool {
        if self.hidden || !self.rules.button || !self.was_seen(id) {
            return false;
        }
        match self.turn {
            Turn::Of(of, _) if of == id => self.end_turn(id, |case| case.needs_person = false),
            _ => self.change(id, |case| case.needs_person = false),
        }
        if self.worst(|_| true).is_none() {
            self.dropped = 0;
        }
        true
    }

    /// How far a case is; none where it is not in the list.
    pub fn progress(&self, id: CaseId) -> Option<Progress> {
        let case = self.case(id)?;
        Some(match self.turn {
            Turn::Of(of, _) if of == id && self.hidden => Progress::Waiting,
            Turn::Of(of, _) if of == id => Progress::Shown,
            _ if case.waits => Progress::Waiting,
            _ if case.needs_person => Progress::NeedsPerson,
            _ if self.rules.button && case.severity() > 0 => Progress::Acknowledged,
            _ => Progress::Done,
        })
    }

    /// What is to be shown at the time that was last given.
    pub fn view(&self) -> View {
        let count = |of: &dyn Fn(&Case) -> bool| self.cases.iter().filter(|case| of(case)).count() as u32;
        let waiting = count(&|case| case.waits);
        let unacknowledged = |need_person: u32| Indication {
            state: State::Refer,
            reason: Reason::Unacknowledged(u16::try_from(need_person).unwrap_or(u16::MAX)),
        };
        if let Turn::Of(id, _) = self.turn
            && let Some((own, _)) = self.answer(id)
        {
            let others = |case: &Case| case.needs_person && case.id != id;
            let need_person = count(&others) + self.dropped;
            let shown = match own {
                Decision { state: State::Negative, .. } if need_person > 0 => unacknowledged(need_person),
                Decision { state, reason, .. } => Indication { state, reason },
            };
            let worst = self.worst(others);
            return View { shown: Some(shown), turn: Some(id), need_person, worst, waiting };
        }
        let were_shown = |case: &Case| case.needs_person && !case.waits;
        let need_person = count(&were_shown) + self.dropped;
        let reminds = self.turn == Turn::Nobody && self.rules.button && need_person > 0;
        let shown = reminds.then(|| unacknowledged(need_person));
        View { shown, turn: None, need_person, worst: self.worst(were_shown), waiting }
    }

    fn case(&self, id: CaseId) -> Option<&Case> {
        self.cases.iter().find(|case| case.id == id)
    }

    fn change(&mut self, id: CaseId, change: impl FnOnce(&mut Case)) {
        if let Some(case) = self.cases.iter_mut().find(|case| case.id == id) {
            change(case);
        }
    }

    fn end_turn(&mut self, id: CaseId, change: impl FnOnce(&mut Case)) {
        self.turn = Turn::After(id, self.clock_ms);
        self.change(id, change);
    }

    /// Of a case that waits anew nobody has seen the answer yet.
    fn was_seen(&self, id: CaseId) -> bool {
        self.case(id).is_some_and(|case| case.needs_person && !case.waits)
    }

    fn note_seen(&mut self, id: CaseId) -> Option<CaseId> {
        let seen = self.was_seen(id);
        self.change(id, |case| case.needs_person &= !seen);
        seen.then_some(id)
    }

    /// The worst case that needs a person, of those.
    fn worst(&self, of: impl Fn(&Case) -> bool) -> Option<CaseId> {
        let needy = self.cases.iter().filter(|case| case.needs_person && of(case));
        needy.max_by_key(|case| case.rank()).map(|case| case.id)
    }

    fn next_due(&self) -> Option<CaseId> {
        let study_ms = u64::from(self.rules.study_ms);
        let due = |case: &&Case| {
            let quiet = self.clock_ms - case.last_ms >= study_ms;
            let long = self.clock_ms - case.first_ms >= LONGEST_STUDY * study_ms;
            let is_final = case.severity() == severity(State::Positive);
            case.waits && (quiet || long || is_final)
        };
        self.cases.iter().filter(due).max_by_key(|case| case.rank()).map(|case| case.id)
    }

    /// The place of the case that is missed least: one that needs nobody, else the least bad of
    /// those that were shown; of equal ones, the oldest.
    fn dispensable(&self) -> Option<usize> {
        let current = match self.turn {
            Turn::Nobody => None,
            Turn::Of(id, _) | Turn::After(id, _) => Some(id),
        };
        let over = self.cases.iter().enumerate().filter(|(_, case)| !case.waits && Some(case.id) != current);
        over.min_by_key(|(_, case)| (case.needs_person, case.severity(), case.order)).map(|(place, _)| place)
    }

    fn make_room(&mut self) -> Result<(), Full> {
        if self.cases.is_full() {
            let gone = self.cases.remove(self.dispensable().ok_or(Full)?);
            self.dropped = self.dropped.saturating_add(gone.needs_person.into());
        }
        Ok(())
    }
}
