//! The lights: what each pattern may and may not show, at every millisecond; polarity; failing
//! lines; the button.

use edge_core::State;
use edge_core::signal::{
    ActiveHigh, ActiveLow, Dark, Debounce, LIGHT_TEST_MS, Lamp, LampPins, LampSet, Levels, Pattern,
    heartbeat, levels,
};
use embedded_hal::digital::{ErrorKind, ErrorType, OutputPin};
use proptest::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;

fn patterns() -> Vec<Pattern> {
    let states = State::ALL.into_iter().map(Pattern::State);
    states.chain([Pattern::LightTest, Pattern::Safe]).collect()
}

/// What somebody sees at one moment: none of the lamps, or which.
fn seen(pattern: Pattern, ms: u64) -> String {
    let Levels { red, amber, green, .. } = levels(pattern, ms);
    [("R", red), ("A", amber), ("G", green)].iter().filter(|(_, lit)| *lit).map(|(name, _)| *name).collect()
}

/// Which answer the lights could be taken for, were they looked at for one moment only.
fn rules(pattern: Pattern, ms: u64, shown: &str) -> Result<(), String> {
    let allowed = match shown {
        "G" => pattern == Pattern::State(State::Negative),
        "R" => matches!(pattern, Pattern::State(State::Positive | State::Fault)),
        "" => pattern == Pattern::State(State::Invalid),
        "AG" | "RG" => pattern == Pattern::LightTest,
        "RAG" => false,
        _ => true,
    };
    if allowed { Ok(()) } else { Err(format!("{pattern:?} shows `{shown}` at {ms} ms")) }
}

#[test]
fn no_pattern_ever_looks_like_another_answer() {
    for pattern in patterns() {
        for ms in 0..10_000 {
            rules(pattern, ms, &seen(pattern, ms)).unwrap();
        }
    }
}

/// The rules above bite: what they are there to forbid is refused.
#[test]
fn the_rules_refuse_what_they_are_for() {
    for state in [State::Positive, State::Refer, State::Invalid, State::Fault] {
        assert!(rules(Pattern::State(state), 0, "G").is_err());
        assert!(rules(Pattern::State(state), 0, "RG").is_err());
    }
    assert!(rules(Pattern::Safe, 0, "").is_err());
    assert!(rules(Pattern::LightTest, 0, "R").is_err());
    assert!(rules(Pattern::State(State::Refer), 0, "R").is_err());
}

proptest! {
    #[test]
    fn nor_at_any_other_time(ms: u64, which in 0..7_usize) {
        let pattern = patterns()[which];
        prop_assert_eq!(rules(pattern, ms, &seen(pattern, ms)), Ok(()));
    }

    #[test]
    fn the_button_reports_a_press_once_and_only_after_it_held(
        samples in proptest::collection::vec((any::<bool>(), 0..40_u64), 1..200),
        stable in 0..100_u64,
    ) {
        let mut button = Debounce::new(stable);
        let (mut now, mut closed_since, mut held) = (0, None, false);
        for (closed, wait) in samples {
            now += wait;
            closed_since = if closed { closed_since.or(Some(now)) } else { None };
            let press = button.update(closed, now);
            let long_enough = closed_since.is_some_and(|since| now - since >= stable);
            prop_assert!(!press || (long_enough && !held), "a press at {now}");
            held = button.pressed();
        }
    }
}

/// The patterns over time, as runs of what is seen, with their lengths in milliseconds.
fn runs(pattern: Pattern, ms: u64) -> Vec<(String, u64)> {
    let mut runs: Vec<(String, u64)> = Vec::new();
    for now in 0..ms {
        let shown = seen(pattern, now);
        match runs.last_mut() {
            Some((last, length)) if *last == shown => *length += 1,
            _ => runs.push((shown, 1)),
        }
    }
    runs
}

#[test]
fn patterns_over_two_seconds() {
    let run = |text: &str, ms: u64| (text.to_owned(), ms);
    let steady = |text: &str| vec![run(text, 2000)];
    let state = |state| runs(Pattern::State(state), 2000);
    assert_eq!(state(State::Positive), steady("R"));
    assert_eq!(state(State::Negative), steady("G"));
    assert_eq!(state(State::Refer), steady("A"));
    assert_eq!(state(State::Invalid), [run("A", 500), run("", 500), run("A", 500), run("", 500)]);
    let alternating: Vec<_> = std::iter::repeat_n([run("A", 250), run("R", 250)], 4).flatten().collect();
    assert_eq!(state(State::Fault), alternating);
    assert_eq!(runs(Pattern::Safe, 2000), steady("RA"));
    assert_eq!(runs(Pattern::LightTest, LIGHT_TEST_MS), [run("RA", 200), run("AG", 200), run("RG", 200)]);
}

/// Told apart without colour: by how many lamps there are at once, which lamp, and how it changes.
#[test]
fn no_two_patterns_are_alike() {
    let all: Vec<_> = patterns().into_iter().map(|pattern| runs(pattern, 2000)).collect();
    for (i, a) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|b| a != b), "{a:?}");
    }
}

#[test]
fn the_buzzer_beeps_and_falls_silent() {
    let beeps = |pattern, ms: u64| (0..ms).filter(|&now| levels(pattern, now).buzzer).count();
    assert_eq!(beeps(Pattern::State(State::Positive), 60_000), 300);
    assert_eq!(beeps(Pattern::State(State::Refer), 60_000), 100);
    assert_eq!(beeps(Pattern::State(State::Fault), 60_000), 15 * 200);
    assert_eq!(beeps(Pattern::LightTest, 60_000), 50);
    for silent in [Pattern::State(State::Negative), Pattern::State(State::Invalid), Pattern::Safe] {
        assert_eq!(beeps(silent, 60_000), 0, "{silent:?}");
    }
}

#[test]
fn the_heart_is_lit_for_half_of_each_second_while_alive_only() {
    for ms in 0..10_000 {
        assert_eq!(heartbeat(ms, true), matches!(ms % 1000, 0..=499), "{ms}");
        assert!(!heartbeat(ms, false));
    }
}

/// A pin that writes what is done to it into a list that all share; a broken one fails.
#[derive(Clone)]
struct Pin {
    name: char,
    broken: bool,
    log: Rc<RefCell<Vec<(char, bool)>>>,
}

#[derive(Debug)]
struct Broken;

impl embedded_hal::digital::Error for Broken {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl ErrorType for Pin {
    type Error = Broken;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Broken> {
        self.write(false)
    }

    fn set_high(&mut self) -> Result<(), Broken> {
        self.write(true)
    }
}

impl Pin {
    fn write(&mut self, high: bool) -> Result<(), Broken> {
        if self.broken {
            return Err(Broken);
        }
        self.log.borrow_mut().push((self.name, high));
        Ok(())
    }
}

#[test]
fn polarity_is_a_type_and_lamps_go_out_before_others_are_lit() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let pin = |name| Pin { name, broken: false, log: log.clone() };
    let mut lights = LampPins {
        red: ActiveHigh(pin('r')),
        amber: ActiveLow(pin('a')),
        green: ActiveLow(pin('g')),
        heartbeat: ActiveHigh(pin('h')),
        buzzer: Dark,
    };
    assert!(lights.set(&levels(Pattern::State(State::Positive), 0), true).is_empty());
    // Amber and green are dark, which is high for them; then red is lit.
    assert_eq!(log.take(), [('g', true), ('a', true), ('r', true), ('h', true)]);
    assert!(lights.set(&levels(Pattern::State(State::Negative), 0), false).is_empty());
    assert_eq!(log.take(), [('r', false), ('a', true), ('g', false), ('h', false)]);
}

#[test]
fn a_broken_line_is_named_and_the_others_are_set() {
    let log = Rc::new(RefCell::new(Vec::new()));
    for broken in ['r', 'a', 'g', 'h', 'b'] {
        let pin = |name| ActiveHigh(Pin { name, broken: name == broken, log: log.clone() });
        let mut lights = LampPins {
            red: pin('r'),
            amber: pin('a'),
            green: pin('g'),
            heartbeat: pin('h'),
            buzzer: pin('b'),
        };
        let failed = lights.set(&levels(Pattern::Safe, 0), false);
        let names: Vec<_> = failed.iter().map(Lamp::name).collect();
        assert_eq!(names.len(), 1);
        assert!(names[0].starts_with(broken));
        assert_eq!(failed.any_state_lamp(), "rag".contains(broken));
        assert_eq!(log.take().len(), 4);
    }
    assert_eq!(LampSet::NONE.iter().count(), 0);
    assert_eq!(LampSet::ALL.iter().collect::<Vec<_>>(), Lamp::ALL);
    assert_eq!(LampSet::NONE.with(Lamp::Green).with(Lamp::Green), LampSet::NONE.with(Lamp::Green));
}

#[test]
fn a_bouncing_contact_is_one_press() {
    let mut button = Debounce::new(30);
    let presses: Vec<u64> = (0..400)
        .filter(|&ms| {
            let closed = match ms {
                100..110 | 200..210 => ms % 3 == 0, // bounces
                110..200 => true,
                _ => false,
            };
            button.update(closed, ms)
        })
        .collect();
    assert_eq!(presses, [140], "30 ms after the contact closed for good");
}

#[test]
fn a_contact_counts_as_closed_from_its_press_until_it_has_been_open_as_long() {
    let mut button = Debounce::new(30);
    let held =
        [(true, 0), (true, 29), (true, 30), (false, 40), (false, 69), (false, 70)].map(|(closed, ms)| {
            button.update(closed, ms);
            button.pressed()
        });
    assert_eq!(held, [false, false, true, true, true, false]);
}

#[test]
fn a_clock_that_steps_back_starts_the_wait_anew() {
    let mut button = Debounce::new(30);
    assert!(!button.update(true, 1000));
    assert!(!button.update(true, 5));
    assert!(!button.update(true, 34));
    assert!(button.update(true, 35));
}
