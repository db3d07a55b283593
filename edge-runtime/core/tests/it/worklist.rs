//! The tables of `worklist`, row by row.

use edge_core::agree::Indication;
use edge_core::worklist::{CaseId, Full, GAP_MS, Progress, Rules, View, Worklist};
use edge_core::{Decision, Reason, State};

pub const HOLD: u64 = 5000;
pub const STUDY: u64 = 300;
pub const BUTTON: Rules = Rules { hold_ms: HOLD as u32, study_ms: STUDY as u32, button: true };
pub const LAMPS_ONLY: Rules = Rules { button: false, ..BUTTON };

pub const A: CaseId = CaseId(1);
pub const B: CaseId = CaseId(2);
const C: CaseId = CaseId(3);

pub fn decision(state: State) -> Decision {
    let reason = match state {
        State::Positive => Reason::AboveThreshold,
        State::Negative => Reason::BelowThreshold,
        State::Refer => Reason::BetweenThresholds,
        State::Invalid => Reason::Dark(1, 2),
        State::Fault => Reason::DamagedFrame,
    };
    Decision { state, reason, logit: None, score: None }
}

/// A list and its clock.
struct Bench(Worklist<4>, u64);

impl Bench {
    fn new(rules: Rules) -> Self {
        Self(Worklist::new(rules), 0)
    }

    fn add(&mut self, id: CaseId, state: State) -> &mut Self {
        self.0.add(id, true, decision(state)).unwrap();
        self
    }

    fn side(&mut self, id: CaseId, state: State) -> &mut Self {
        self.0.add(id, false, decision(state)).unwrap();
        self
    }

    /// What is seen so many milliseconds later.
    fn after(&mut self, ms: u64) -> View {
        self.1 += ms;
        self.0.advance(self.1, false);
        self.0.view()
    }

    /// Time passes: enough for so many turns and the gaps between them.
    fn turns(&mut self, turns: u32) {
        for _ in 0..turns {
            self.after(HOLD);
        }
    }

    /// State of the lamps and whose turn it is, so many milliseconds later.
    fn sees(&mut self, ms: u64) -> (Option<State>, Option<CaseId>) {
        let view = self.after(ms);
        (view.shown.map(|shown| shown.state), view.turn)
    }
}

const DARK: (Option<State>, Option<CaseId>) = (None, None);

fn turn(state: State, id: CaseId) -> (Option<State>, Option<CaseId>) {
    (Some(state), Some(id))
}

/// What was seen before: the first child's POSITIVE for a moment, then the next child's NEGATIVE
/// for half a minute.
#[test]
fn two_that_come_together_are_shown_one_after_the_other_each_for_its_time() {
    for rules in [BUTTON, LAMPS_ONLY] {
        let mut bench = Bench::new(rules);
        bench.add(A, State::Positive).add(B, State::Negative);
        assert_eq!(bench.sees(0), turn(State::Positive, A));
        assert_eq!(bench.sees(HOLD - 1), turn(State::Positive, A));
        assert_eq!([bench.sees(1), bench.sees(GAP_MS - 1)], [DARK; 2], "a gap between two children");
        // Green only where nobody else needs a person: with a button, until it was pressed for A.
        let second = if rules.button { State::Refer } else { State::Negative };
        assert_eq!(bench.sees(1), turn(second, B));
        assert_eq!(bench.sees(HOLD - 1), turn(second, B));
        assert_eq!([bench.sees(1), bench.sees(GAP_MS - 1)], [DARK; 2]);
        let end = bench.after(1);
        let reminds = Indication { state: State::Refer, reason: Reason::Unacknowledged(1) };
        assert_eq!(end.shown, rules.button.then_some(reminds));
        assert_eq!((end.turn, end.worst), (None, rules.button.then_some(A)));
        assert_eq!(bench.after(86_400_000).shown, end.shown, "for as long as it takes");
    }
}

#[test]
fn the_worst_comes_first_and_green_goes_out_while_it_waits() {
    let mut bench = Bench::new(LAMPS_ONLY);
    bench.add(A, State::Negative);
    assert_eq!(bench.sees(STUDY), turn(State::Negative, A));
    bench.add(B, State::Invalid).add(C, State::Refer).add(CaseId(4), State::Positive);
    let view = bench.after(0);
    assert_eq!(view.shown.unwrap().reason, Reason::Unacknowledged(3));
    assert_eq!((view.turn, view.worst, view.waiting), (Some(A), Some(CaseId(4)), 3));
    bench.sees(HOLD);
    for (state, id) in [(State::Positive, CaseId(4)), (State::Refer, C), (State::Invalid, B)] {
        assert_eq!(bench.sees(GAP_MS), turn(state, id));
        assert_eq!(bench.sees(HOLD), DARK);
    }
    assert_eq!(bench.sees(GAP_MS), DARK, "without a button nothing is left");
}

#[test]
fn a_press_is_for_the_case_that_is_named_and_for_no_other() {
    let mut bench = Bench::new(BUTTON);
    bench.add(A, State::Positive).add(B, State::Refer).add(C, State::Negative);
    assert_eq!(bench.sees(STUDY), turn(State::Positive, A));
    assert_eq!(bench.0.press(), Some(A));
    assert_eq!(bench.sees(0), DARK, "its turn is over");
    assert_eq!(bench.0.press(), None, "pressed twice: the first was enough");
    assert_eq!(bench.sees(GAP_MS), turn(State::Refer, B));
    assert_eq!(bench.sees(HOLD), DARK);
    assert_eq!(bench.0.press(), Some(B), "as the lamps go dark");
    // Nobody needs a person any more, so the last one may be green.
    assert_eq!(bench.sees(GAP_MS), turn(State::Negative, C));
    assert_eq!(bench.0.press(), Some(C));
    assert_eq!(bench.sees(GAP_MS), DARK);
    assert_eq!(bench.0.press(), None);
}

#[test]
fn a_press_in_the_gap_is_for_the_case_before_it_though_a_worse_one_is_open() {
    let mut bench = Bench::new(BUTTON);
    bench.add(A, State::Positive).add(B, State::Invalid);
    assert_eq!([bench.sees(STUDY), bench.sees(HOLD)], [turn(State::Positive, A), DARK]);
    assert_eq!([bench.sees(GAP_MS), bench.sees(HOLD)], [turn(State::Invalid, B), DARK]);
    assert_eq!(bench.0.press(), Some(B));
    let view = bench.after(GAP_MS);
    assert_eq!((view.need_person, view.worst), (1, Some(A)));
}

#[test]
fn a_press_in_the_gap_is_not_for_a_picture_that_came_in_it() {
    let mut bench = Bench::new(BUTTON);
    bench.add(A, State::Invalid);
    assert_eq!([bench.sees(STUDY), bench.sees(HOLD)], [turn(State::Invalid, A), DARK]);
    bench.add(A, State::Positive);
    assert_eq!(bench.0.press(), None, "nobody has seen yet that it is POSITIVE now");
    assert_eq!(bench.sees(GAP_MS), turn(State::Positive, A));
    assert_eq!(bench.0.press(), Some(A));
}

#[test]
fn what_nobody_acknowledged_is_acknowledged_one_by_one_the_worst_first() {
    let mut bench = Bench::new(BUTTON);
    bench.add(A, State::Invalid).add(B, State::Positive);
    bench.turns(5);
    for (left, worst) in [(2, B), (1, A)] {
        let view = bench.after(0);
        assert_eq!((view.shown.unwrap().reason, view.worst), (Reason::Unacknowledged(left), Some(worst)));
        assert_eq!(bench.0.press(), Some(worst));
    }
    assert_eq!(bench.sees(0), DARK);
}

#[test]
fn a_study_is_one_answer_the_worst_of_its_frontal_views() {
    let mut bench = Bench::new(LAMPS_ONLY);
    bench.add(A, State::Negative).side(A, State::Positive);
    assert_eq!(bench.sees(STUDY - 1), DARK, "more pictures may come");
    assert_eq!(bench.sees(1), turn(State::Negative, A), "a side view decides nothing");
    bench.add(A, State::Positive);
    assert_eq!(bench.sees(HOLD - 1), turn(State::Positive, A), "its time is its own");
    assert_eq!(bench.0.answer(A), Some((decision(State::Positive), 3)));
    bench.add(A, State::Negative);
    assert_eq!(bench.sees(1), DARK);
    // One that comes after the turn is answered with all before it.
    bench.add(A, State::Negative);
    assert_eq!(bench.sees(GAP_MS), turn(State::Positive, A));

    let mut bench = Bench::new(LAMPS_ONLY);
    bench.side(A, State::Negative);
    let no_front = Indication { state: State::Refer, reason: Reason::NoFrontalView };
    assert_eq!(bench.after(STUDY).shown, Some(no_front));
    let mut bench = Bench::new(LAMPS_ONLY);
    bench.side(A, State::Invalid);
    assert_eq!(bench.after(STUDY).shown.unwrap().reason, Reason::Dark(1, 2));
}

#[test]
fn a_study_without_end_is_shown_all_the_same() {
    let mut bench = Bench::new(LAMPS_ONLY);
    let mut came = 0;
    while bench.add(A, State::Negative).sees(STUDY / 2) == DARK {
        came += 1;
        assert!(came < 100, "it never had its turn");
    }
    assert_eq!(came, 19, "ten times the time of a study");
}

#[test]
fn nobody_acknowledges_what_a_fault_hides() {
    let mut bench = Bench::new(BUTTON);
    bench.add(A, State::Positive);
    assert_eq!(bench.sees(STUDY), turn(State::Positive, A));
    bench.0.advance(bench.1, true);
    assert_eq!(bench.0.press(), None, "the press is for the fault that is seen");
    assert_eq!(bench.sees(1), turn(State::Positive, A), "and the answer is still there");
    assert_eq!(bench.0.press(), Some(A));
}

#[test]
fn time_under_a_fault_counts_for_no_answer() {
    let mut bench = Bench::new(LAMPS_ONLY);
    bench.add(A, State::Positive);
    assert_eq!(bench.sees(1), turn(State::Positive, A));
    bench.1 += 3_600_000;
    bench.0.advance(bench.1, true);
    assert_eq!([bench.sees(HOLD - 1), bench.sees(1)], [turn(State::Positive, A), DARK]);
}

#[test]
fn a_full_list_takes_no_case_that_waits_and_counts_what_it_drops() {
    let mut bench = Bench::new(BUTTON);
    for id in 1..=4 {
        assert!(bench.0.has_room());
        bench.add(CaseId(id), State::Invalid);
    }
    assert!(!bench.0.has_room());
    assert_eq!(bench.0.add(CaseId(5), true, decision(State::Positive)), Err(Full));
    assert_eq!(bench.0.add(A, true, decision(State::Refer)), Ok(()), "a case that is there needs no room");
    bench.turns(20);
    bench.add(CaseId(5), State::Positive);
    assert!(!bench.0.knows(B) && bench.0.knows(A), "the least bad goes");
    bench.turns(4);
    assert_eq!(bench.after(0).shown.unwrap().reason, Reason::Unacknowledged(5), "and counts");
    let named: Vec<_> = (0..5).map(|_| bench.0.press()).collect();
    assert_eq!(named[..2], [Some(CaseId(5)), Some(A)]);
    assert_eq!((named[4], bench.sees(0)), (None, DARK));
}

#[test]
fn the_case_that_is_shown_is_not_dropped_nor_while_a_press_is_for_it() {
    let mut bench = Bench::new(BUTTON);
    bench.add(A, State::Negative);
    assert_eq!(bench.sees(STUDY), turn(State::Negative, A));
    bench.add(B, State::Invalid).add(C, State::Invalid).add(CaseId(4), State::Invalid);
    let full = |bench: &mut Bench| bench.0.add(CaseId(5), true, decision(State::Positive)) == Err(Full);
    assert!(!bench.0.has_room() && full(&mut bench));
    assert_eq!(bench.sees(HOLD), DARK);
    assert!(!bench.0.has_room() && full(&mut bench), "the gap behind its turn");
    assert_eq!(bench.sees(GAP_MS), turn(State::Invalid, B));
    assert!(bench.0.has_room() && !full(&mut bench) && !bench.0.knows(A));
}

#[test]
fn on_a_screen_any_case_that_was_shown_may_be_acknowledged_and_no_other() {
    let mut bench = Bench::new(BUTTON);
    bench.add(A, State::Invalid).add(B, State::Positive).add(C, State::Negative);
    assert_eq!(bench.sees(STUDY), turn(State::Positive, B));
    let progress = |bench: &Bench| [A, B, C].map(|id| bench.0.progress(id).unwrap());
    assert_eq!(progress(&bench), [Progress::Waiting, Progress::Shown, Progress::Waiting]);
    assert!(!bench.0.acknowledge(A), "nobody has seen it");
    assert!(!bench.0.acknowledge(CaseId(9)), "there is none");
    assert_eq!([bench.sees(HOLD), bench.sees(GAP_MS)], [DARK, turn(State::Invalid, A)]);
    assert_eq!(progress(&bench), [Progress::Shown, Progress::NeedsPerson, Progress::Waiting]);
    // Not the one that has its turn: that goes on.
    assert!(bench.0.acknowledge(B) && !bench.0.acknowledge(B));
    assert_eq!(bench.sees(1), turn(State::Invalid, A));
    assert_eq!(progress(&bench), [Progress::Shown, Progress::Acknowledged, Progress::Waiting]);
    // The one that has it: the next one comes.
    assert!(bench.0.acknowledge(A));
    assert_eq!([bench.sees(0), bench.sees(GAP_MS)], [DARK, turn(State::Negative, C)]);
    assert!(!bench.0.acknowledge(C), "NEGATIVE needs nobody");
    assert_eq!(bench.sees(1), turn(State::Negative, C), "and goes on");
    bench.turns(2);
    assert_eq!(progress(&bench), [Progress::Acknowledged, Progress::Acknowledged, Progress::Done]);
    // A later picture makes another answer, which nobody has seen.
    bench.add(B, State::Positive);
    assert!(!bench.0.acknowledge(B));
    assert_eq!(bench.0.progress(B), Some(Progress::Waiting));
}

#[test]
fn nobody_acknowledges_on_a_screen_what_a_fault_hides_or_where_nothing_is_acknowledged() {
    let mut bench = Bench::new(BUTTON);
    bench.add(A, State::Positive).add(B, State::Refer);
    assert_eq!([bench.sees(0), bench.sees(HOLD)], [turn(State::Positive, A), DARK]);
    assert_eq!(bench.sees(GAP_MS), turn(State::Refer, B));
    bench.0.advance(bench.1, true);
    assert!(!bench.0.acknowledge(A) && !bench.0.acknowledge(B));
    assert_eq!(bench.0.progress(B), Some(Progress::Waiting), "it goes on once the fault is over");
    assert_eq!(bench.sees(1), turn(State::Refer, B));
    assert!(bench.0.acknowledge(A) && bench.0.acknowledge(B));

    let mut bench = Bench::new(LAMPS_ONLY);
    bench.add(A, State::Positive);
    assert_eq!(bench.sees(0), turn(State::Positive, A));
    assert!(!bench.0.acknowledge(A));
    bench.turns(1);
    assert_eq!(bench.0.progress(A), Some(Progress::Done));
}

#[test]
fn those_that_were_dropped_go_with_the_last_one_that_can_be_named() {
    let mut bench = Bench::new(BUTTON);
    for id in 1..=5 {
        bench.add(CaseId(id), State::Positive);
        bench.turns(2);
    }
    assert_eq!(bench.after(GAP_MS).shown.unwrap().reason, Reason::Unacknowledged(5));
    let known: Vec<_> = (1..=5).map(CaseId).filter(|id| bench.0.knows(*id)).collect();
    assert_eq!(known.len(), 4);
    for id in &known[..3] {
        assert!(bench.0.acknowledge(*id));
    }
    assert_eq!(bench.after(0).shown.unwrap().reason, Reason::Unacknowledged(2));
    assert!(bench.0.acknowledge(known[3]));
    assert_eq!(bench.sees(0), DARK);
}
