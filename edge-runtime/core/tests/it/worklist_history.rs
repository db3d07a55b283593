//! The worklist over any history: what must never be seen, and what must not be lost.

use crate::worklist::{A, B, BUTTON, HOLD, LAMPS_ONLY, STUDY, decision};
use edge_core::agree::Indication;
use edge_core::worklist::{CaseId, GAP_MS, Progress, View, Worklist, severity};
use edge_core::{Reason, State};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug)]
enum Happens {
    Picture(u32, bool, State),
    Press,
    /// A case is acknowledged on a screen.
    Tap(u32),
    /// A fault begins or ends.
    Fault(bool),
    Nothing,
}

fn histories() -> impl Strategy<Value = Vec<(u64, Happens)>> {
    let state = prop::sample::select(State::ALL.to_vec());
    let happens = prop_oneof![
        4 => (0..5_u32, prop::bool::weighted(0.8), state).prop_map(|(id, front, s)| Happens::Picture(id, front, s)),
        2 => Just(Happens::Press),
        2 => (0..6_u32).prop_map(Happens::Tap),
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
    /// Cases whose answer with all their pictures has been seen.
    shown: BTreeSet<u32>,
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

/// What may be acknowledged on a screen: what was seen, is not NEGATIVE, and is open. `may`: anything
/// may.
fn check_tap(notes: &Notes, may: bool, id: u32, taken: bool) -> Result<(), String> {
    let open = notes.open.contains(&id) && !notes.negative(id);
    let rightly = may && open && notes.shown.contains(&id);
    if taken == rightly { Ok(()) } else { Err(format!("a tap on {id}: taken {taken}, rightly {rightly}")) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn over_any_history_no_green_is_another_childs_and_nothing_is_lost(history in histories(), button: bool) {
        let rules = if button { BUTTON } else { LAMPS_ONLY };
        let mut list = Worklist::<5>::new(rules);
        // `told`: what the list was told of a fault when time passed last.
        let (mut notes, mut now, mut hidden, mut told) = (Notes::default(), 0, false, false);
        let (mut before, mut dark_ms, mut last_named) = (list.view(), 0_u64, None);
        let end = (0..60).map(|_| (HOLD / 2, Happens::Nothing));
        let steps = history.into_iter().chain([(0, Happens::Fault(false))]).chain(end);
        for (wait, happens) in steps {
            // In steps of at most 100 ms, as the device's loop turns.
            for step in (0..wait).step_by(100).map(|at| (wait - at).min(100)) {
                now += step;
                list.advance(now, hidden);
                told = hidden;
                if hidden {
                    continue;
                }
                let view = list.view();
                notes.shown.extend(view.turn.map(|id| id.0));
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
                    if !has_turn {
                        notes.shown.remove(&id);
                    }
                    if has_turn && worst(&was) != worst(&(views[0].clone(), views[1].clone())) {
                        notes.seen_ms.insert(id, 0);
                    }
                }
                Happens::Tap(id) => {
                    let had_turn = list.view().turn == Some(CaseId(id));
                    let taken = list.acknowledge(CaseId(id));
                    let checked = check_tap(&notes, button && !told, id, taken);
                    prop_assert!(checked.is_ok(), "{:?}: {:?}", checked, before);
                    prop_assert!(!list.acknowledge(CaseId(id)), "twice");
                    if taken {
                        notes.open.remove(&id);
                        notes.seen_ms.remove(&id);
                        prop_assert_eq!(list.progress(CaseId(id)), Some(Progress::Acknowledged));
                        prop_assert!(!had_turn || list.view().turn.is_none(), "its turn ends");
                    }
                }
                Happens::Press if button && !hidden && !told => {
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
                    told = true;
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

/// And so is a tap that is taken for a case that nobody has seen, or that a fault hides.
#[test]
fn a_planted_tap_on_what_was_not_seen_is_found() {
    let mut notes = Notes::default();
    notes.views.insert(1, [vec![State::Positive], vec![]]);
    notes.open.insert(1);
    let unseen = Err("a tap on 1: taken true, rightly false".to_owned());
    assert_eq!(check_tap(&notes, true, 1, true), unseen);
    notes.shown.insert(1);
    assert_eq!(
        [check_tap(&notes, true, 1, true), check_tap(&notes, false, 1, true)],
        [Ok(()), unseen.clone()]
    );
    notes.views.insert(1, [vec![State::Negative], vec![]]);
    assert_eq!(check_tap(&notes, true, 1, true), unseen);
}
