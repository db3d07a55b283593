//! The table of `worklist`: its rows one by one, and over any history what must never be seen.

use edge_core::agree::Indication;
use edge_core::worklist::{CaseId, Full, GAP_MS, Rules, View, Worklist, severity};
use edge_core::{Decision, Reason, State};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const HOLD: u64 = 5000;
const STUDY: u64 = 300;
const BUTTON: Rules = Rules { hold_ms: HOLD as u32, study_ms: STUDY as u32, button: true };
const LAMPS_ONLY: Rules = Rules { button: false, ..BUTTON };

const A: CaseId = CaseId(1);
const B: CaseId = CaseId(2);
const C: CaseId = CaseId(3);

fn decision(state: State) -> Decision {
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

// ---- any history

#[derive(Clone, Copy, Debug)]
enum Happens {
    Picture(u32, bool, State),
    Press,
    /// A fault begins or ends.
    Fault(bool),
    Nothing,
}

fn histories() -> impl Strategy<Value = Vec<(u64, Happens)>> {
    let state = prop::sample::select(State::ALL.to_vec());
    let happens = prop_oneof![
        4 => (0..5_u32, prop::bool::weighted(0.8), state).prop_map(|(id, front, s)| Happens::Picture(id, front, s)),
        2 => Just(Happens::Press),
        1 => any::<bool>().prop_map(Happens::Fault),
        3 => Just(Happens::Nothing),
    ];
    let wait = prop_oneof![0..50_u64, 0..1500_u64, 0..9000_u64];
    prop::collection::vec((wait, happens), 0..40)
}

/// What a careful person would note of a history, beside the list.
#[derive(Default)]
struct Notes {
    /// Each case's frontal views, and the others.
    views: BTreeMap<u32, [Vec<State>; 2]>,
    /// Cases whose newest picture nobody has acknowledged, where there is a button; which have not had their
    /// time since, where there is none.
    open: BTreeSet<u32>,
    /// How long each case was seen since its last picture that changed something.
    seen_ms: BTreeMap<u32, u64>,
}

impl Notes {
    /// Whether every frontal view is NEGATIVE, and there is one.
    fn negative(&self, id: u32) -> bool {
        let front = &self.views[&id][0];
        !front.is_empty() && front.iter().all(|state| *state == State::Negative)
    }

    fn others_need_a_person(&self, id: u32) -> bool {
        self.open.iter().any(|other| *other != id && !self.negative(*other))
    }
}

/// What must never be seen, after any event.
fn check(notes: &Notes, view: &View) -> Result<(), String> {
    let state = view.shown.map(|shown| shown.state);
    let named = view.turn.map(|id| id.0);
    match (state, named) {
        (Some(State::Negative), Some(id)) if !notes.negative(id) => Err(format!("green for {id}")),
        (Some(State::Negative), Some(id)) if notes.others_need_a_person(id) => {
            Err(format!("green for {id} while another needs a person"))
        }
        (Some(State::Positive), Some(id)) if !notes.views[&id][0].contains(&State::Positive) => {
            Err(format!("red for {id}, which has no POSITIVE frontal view"))
        }
        (Some(State::Negative | State::Positive), None) => Err("an answer without a name".into()),
        (Some(state), Some(id)) if state != State::Refer && view.shown.is_some() => {
            let worst = notes.views[&id][0].iter().chain(&notes.views[&id][1]).map(|s| severity(*s)).max();
            (severity(state) <= worst.unwrap_or(0)).then_some(()).ok_or("worse than any picture".into())
        }
        _ => Ok(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn over_any_history_no_green_is_another_childs_and_nothing_is_lost(history in histories(), button: bool) {
        let rules = if button { BUTTON } else { LAMPS_ONLY };
        let mut list = Worklist::<5>::new(rules);
        let (mut notes, mut now, mut hidden) = (Notes::default(), 0, false);
        let (mut before, mut dark_ms, mut last_named) = (list.view(), 0_u64, None);
        let end = (0..60).map(|_| (HOLD / 2, Happens::Nothing));
        let steps = history.into_iter().chain([(0, Happens::Fault(false))]).chain(end);
        for (wait, happens) in steps {
            // In steps of at most 100 ms, as the device's loop turns.
            for step in (0..wait).step_by(100).map(|at| (wait - at).min(100)) {
                now += step;
                list.advance(now, hidden);
                if hidden {
                    continue;
                }
                let view = list.view();
                if let Some(id) = before.turn.map(|id| id.0) {
                    *notes.seen_ms.entry(id).or_default() += step;
                    if view.turn != before.turn {
                        let seen = notes.seen_ms.remove(&id).unwrap_or(0);
                        prop_assert!(seen >= HOLD, "{} was seen for {} ms", id, seen);
                        if !button {
                            notes.open.remove(&id);
                        }
                    }
                }
                let needy = notes.open.iter().filter(|id| !notes.negative(**id)).count();
                dark_ms = if view.shown.is_none() && needy > 0 { dark_ms + step } else { 0 };
                if button && needy > 0 {
                    let gap = GAP_MS + 10 * STUDY + 200;
                    prop_assert!(dark_ms <= gap, "dark for {} ms, {} need a person", dark_ms, needy);
                }
                if let Some(id) = view.turn {
                    let another = last_named.is_some_and(|last| last != id);
                    prop_assert!(!another || before.turn.is_none(), "from one to the next without a gap");
                    last_named = Some(id);
                }
                let checked = check(&notes, &view);
                prop_assert!(checked.is_ok(), "{:?}: {:?}", checked, view);
                before = view;
            }
            match happens {
                Happens::Picture(id, frontal, state) => {
                    let case = CaseId(id);
                    let announced = list.answer_with(case, frontal, decision(state));
                    prop_assert_eq!(list.add(case, frontal, decision(state)), Ok(()));
                    prop_assert_eq!(list.answer(case), Some(announced), "the log said so");
                    let views = notes.views.entry(id).or_default();
                    let was = (views[0].clone(), views[1].clone());
                    views[usize::from(!frontal)].push(state);
                    notes.open.insert(id);
                    let worst = |(front, other): &(Vec<State>, Vec<State>)| {
                        let of = if front.is_empty() { other } else { front };
                        let worst = of.iter().copied().max_by_key(|state| severity(*state))?;
                        let answered = !matches!(worst, State::Fault | State::Invalid);
                        Some(if front.is_empty() && answered { State::Refer } else { worst })
                    };
                    let has_turn = before.turn == Some(case);
                    if has_turn && worst(&was) != worst(&(views[0].clone(), views[1].clone())) {
                        notes.seen_ms.insert(id, 0);
                    }
                }
                Happens::Press if button && !hidden => {
                    let named = list.view();
                    let pressed = list.press();
                    let meant = named.turn.or(pressed);
                    prop_assert_eq!(pressed, meant, "another than the one that was named");
                    if let Some(id) = pressed {
                        notes.open.remove(&id.0);
                        notes.seen_ms.remove(&id.0);
                        if named.turn.is_none() && named.shown.is_none() {
                            prop_assert_eq!(Some(id), last_named, "in the gap, the one before it");
                        }
                        if named.turn.is_none() && named.shown.is_some() {
                            prop_assert_eq!(Some(id), named.worst);
                        }
                    }
                }
                Happens::Fault(begins) => hidden = begins,
                Happens::Press if hidden => {
                    list.advance(now, true);
                    prop_assert_eq!(list.press(), None, "hidden");
                }
                Happens::Press | Happens::Nothing => {}
            }
            if !hidden {
                before = list.view();
                let checked = check(&notes, &before);
                prop_assert!(checked.is_ok(), "{:?}: {:?}", checked, before);
            }
        }
        // Half an hour later every case has had its turn; with a button, the worst that nobody acknowledged is
        // still named.
        let view = list.view();
        prop_assert_eq!((view.turn, view.waiting), (None, 0));
        let needy: BTreeSet<u32> = notes.open.iter().copied().filter(|id| !notes.negative(*id)).collect();
        prop_assert_eq!(view.need_person as usize, if button { needy.len() } else { 0 });
        prop_assert_eq!(view.worst.is_some(), button && !needy.is_empty());
        prop_assert!(view.worst.is_none_or(|id| needy.contains(&id.0)));
    }
}

/// The notes bite: a green light for another child, as it was, is found by them.
#[test]
fn a_planted_green_for_another_child_is_found() {
    let mut notes = Notes::default();
    notes.views.insert(1, [vec![State::Positive], vec![]]);
    notes.views.insert(2, [vec![State::Negative], vec![]]);
    notes.open.insert(1);
    let green = Indication { state: State::Negative, reason: Reason::BelowThreshold };
    let view = View { shown: Some(green), turn: Some(B), need_person: 0, worst: None, waiting: 0 };
    assert_eq!(check(&notes, &view), Err("green for 2 while another needs a person".into()));
    notes.open.clear();
    assert_eq!(check(&notes, &view), Ok(()));
    let of_the_other = View { turn: Some(A), ..view };
    assert_eq!(check(&notes, &of_the_other), Err("green for 1".into()));
    assert_eq!(check(&notes, &View { turn: None, ..view }), Err("an answer without a name".into()));
}
