//! Decision over frames: what may be shown after which frames, and what may never be.

use edge_core::agree::{Agreement, AgreementPolicy, FrameStamp, Indication};
use edge_core::{Decision, Reason, State};
use proptest::prelude::*;

const POLICY: AgreementPolicy = AgreementPolicy { frames: 3, stale_after_ms: 1000 };

fn decision(state: State) -> Decision {
    let reason = match state {
        State::Positive => Reason::AboveThreshold,
        State::Negative => Reason::BelowThreshold,
        State::Refer => Reason::BetweenThresholds,
        State::Invalid => Reason::Dark(1, 2),
        State::Fault => Reason::NotFinite,
    };
    Decision { state, reason, logit: None, score: None }
}

/// A camera of ten frames a second that numbers them from 1.
fn stamp(number: u64) -> FrameStamp {
    FrameStamp { sequence: number as u32, micros: number * 100_000 }
}

/// What is shown after each of these answers, one every 100 ms.
fn show(states: &[State]) -> Vec<State> {
    let mut agreement = Agreement::new(POLICY);
    let numbered = (1..).zip(states);
    numbered
        .map(|(number, &state)| {
            agreement.frame(number * 100, stamp(number), &decision(state));
            agreement.shown(number * 100).state
        })
        .collect()
}

#[test]
fn before_the_first_frame_it_is_a_fault() {
    let shown = Agreement::new(POLICY).shown(0);
    assert_eq!(shown, Indication { state: State::Fault, reason: Reason::Starting });
}

#[test]
fn a_clear_answer_needs_agreement_and_the_others_none() {
    use State::*;
    assert_eq!(show(&[Positive, Positive, Positive, Positive]), [Refer, Refer, Positive, Positive]);
    assert_eq!(show(&[Negative, Negative, Positive, Negative]), [Refer, Refer, Refer, Refer]);
    assert_eq!(show(&[Invalid, Refer, Fault]), [Invalid, Refer, Fault]);
    // A picture that is taken away is not shown any longer, and what comes next has to agree anew.
    assert_eq!(
        show(&[Negative, Negative, Negative, Invalid, Negative, Negative, Negative]),
        [Refer, Refer, Negative, Invalid, Refer, Refer, Negative]
    );
}

#[test]
fn unsettled_says_how_many_agree() {
    let mut agreement = Agreement::new(POLICY);
    agreement.frame(0, stamp(1), &decision(State::Positive));
    assert_eq!(agreement.shown(0).reason, Reason::Unsettled(1, 3));
}

#[test]
fn frames_that_agree_are_counted_without_end() {
    let mut agreement = Agreement::new(POLICY);
    assert_eq!(agreement.agreeing(), 0);
    for number in 1..=300 {
        agreement.frame(0, stamp(number), &decision(State::Positive));
        assert_eq!(u64::from(agreement.agreeing()), number.min(255));
    }
    agreement.frame(0, stamp(301), &decision(State::Negative));
    assert_eq!(agreement.agreeing(), 1);
    agreement.fault(Reason::CameraLost);
    assert_eq!(agreement.agreeing(), 0);
}

#[test]
fn a_frame_that_is_too_old_has_no_say() {
    let mut agreement = Agreement::new(AgreementPolicy { frames: 1, ..POLICY });
    agreement.frame(500, stamp(1), &decision(State::Negative));
    assert_eq!(agreement.shown(1500).state, State::Negative);
    assert_eq!(agreement.shown(1501), Indication { state: State::Fault, reason: Reason::Stale(1001, 1000) });
    assert_eq!(agreement.shown(2500).reason, Reason::Stale(2000, 1000));
    // One that was old when it came has none either.
    agreement.frame(1000, stamp(2), &decision(State::Negative));
    assert_eq!(agreement.shown(2600).reason, Reason::Stale(1600, 1000));
    agreement.frame(2700, stamp(3), &decision(State::Negative));
    assert_eq!(agreement.shown(2700).state, State::Negative);
}

#[test]
fn frames_at_most_the_greatest_age_apart_agree() {
    for (apart, agreeing) in [(1000, 2), (1001, 1)] {
        let mut agreement = Agreement::new(POLICY);
        agreement.frame(500, stamp(1), &decision(State::Negative));
        agreement.frame(500 + apart, stamp(2), &decision(State::Negative));
        assert_eq!(agreement.agreeing(), agreeing, "{apart} ms apart");
    }
}

#[test]
fn a_camera_that_stands_still_is_a_fault_until_it_goes_on() {
    let still = [
        FrameStamp { sequence: 7, micros: 900_000 }, // the number stands
        FrameStamp { sequence: 8, micros: 800_000 }, // the time stands
        FrameStamp { sequence: 7, micros: 800_000 }, // both
    ];
    for again in still {
        let mut agreement = Agreement::new(AgreementPolicy { frames: 1, ..POLICY });
        agreement.frame(0, FrameStamp { sequence: 7, micros: 800_000 }, &decision(State::Negative));
        assert_eq!(agreement.shown(0).state, State::Negative);
        for ms in [100, 5000] {
            agreement.frame(ms, again, &decision(State::Negative));
            // However long it lasts, the reason stays what it is.
            assert_eq!(agreement.shown(ms).reason, Reason::Stuck, "{again:?}");
        }
        agreement.frame(5100, FrameStamp { sequence: 9, micros: 5_100_000 }, &decision(State::Negative));
        assert_eq!(agreement.shown(5100).state, State::Negative);
    }
}

#[test]
fn numbers_that_wrap_or_are_not_given_are_no_fault() {
    let mut agreement = Agreement::new(AgreementPolicy { frames: 1, ..POLICY });
    let wrapping = [(u32::MAX, u64::MAX), (0, 0), (1, 1), (0, 5), (0, 6), (7, 0), (8, 0)];
    for (ms, (sequence, micros)) in (0..).zip(wrapping) {
        agreement.frame(ms, FrameStamp { sequence, micros }, &decision(State::Positive));
        assert_eq!(agreement.shown(ms).state, State::Positive, "{sequence} {micros}");
    }
}

#[test]
fn after_a_fault_agreement_starts_anew() {
    let mut agreement = Agreement::new(POLICY);
    for number in 1..4 {
        agreement.frame(0, stamp(number), &decision(State::Positive));
    }
    assert_eq!(agreement.shown(0).state, State::Positive);
    agreement.fault(Reason::CameraLost);
    // It lasts, and its reason is not overwritten by the age of a frame that is gone.
    assert_eq!(agreement.shown(100_000).reason, Reason::CameraLost);
    // A camera that was plugged in again may number as before.
    agreement.frame(100_000, stamp(3), &decision(State::Positive));
    assert_eq!(agreement.shown(100_000).reason, Reason::Unsettled(1, 3));
}

#[derive(Clone, Debug)]
enum Event {
    Frame { state: State, advances: bool },
    Fault,
    Wait(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (prop::sample::select(State::ALL.to_vec()), prop::bool::weighted(0.9))
            .prop_map(|(state, advances)| Event::Frame { state, advances }),
        1 => Just(Event::Fault),
        2 => (0..1500_u64).prop_map(Event::Wait),
    ]
}

proptest! {
    /// POSITIVE or NEGATIVE is shown only if that many newest frames gave it, without fault,
    /// repetition or age between.
    #[test]
    fn a_clear_light_always_has_its_frames(
        frames in 0_u8..6,
        events in prop::collection::vec(event(), 1..60),
    ) {
        let policy = AgreementPolicy { frames, stale_after_ms: 1000 };
        let mut agreement = Agreement::new(policy);
        let (mut now, mut number) = (0, 1);
        let mut history: Vec<(State, u64)> = Vec::new();
        let mut seen = false;
        for event in events {
            match event {
                Event::Frame { state, advances } => {
                    now += 10;
                    // Nobody asked since the last wait: agreement that is lost by age is lost.
                    if history.last().is_some_and(|&(_, taken)| now - taken > 1000) {
                        history.clear();
                    }
                    number += u64::from(advances || !seen);
                    if advances || !seen { history.push((state, now)) } else { history.clear() }
                    seen = true;
                    agreement.frame(now, stamp(number), &decision(state));
                }
                Event::Fault => {
                    history.clear();
                    seen = false;
                    agreement.fault(Reason::CameraLost);
                }
                Event::Wait(ms) => now += ms,
            }
            let shown = agreement.shown(now).state;
            // The age is looked at now; agreement that was lost by age does not come back.
            if history.last().is_some_and(|&(_, taken)| now - taken > 1000) {
                history.clear();
            }
            let needed = usize::from(frames.max(1));
            let newest = history.iter().rev().take(needed);
            let agreed = |state| history.len() >= needed && newest.clone().all(|&(s, _)| s == state);
            for state in [State::Positive, State::Negative] {
                prop_assert_eq!(shown == state, agreed(state), "{:?} in {:?}", shown, history);
            }
            if history.is_empty() {
                prop_assert_eq!(shown, State::Fault);
            }
        }
    }
}
