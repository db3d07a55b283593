//! The screen in words: what it writes and when, and in every language, held to files.

use allocation_counter::measure;
use edge_core::agree::Indication;
use edge_core::decide::Thresholds;
use edge_core::worklist::{CaseId, View};
use edge_core::{Decision, Reason, State};
use edge_runtime::cases::{CasesView, Named};
use edge_runtime::signal::{ScreenLine, Terminal};
use texts::Language;

const POSITIVE: Indication = Indication { state: State::Positive, reason: Reason::AboveThreshold };
const NEGATIVE: Indication = Indication { state: State::Negative, reason: Reason::BelowThreshold };

fn line(shown: Option<Indication>, score: Option<f32>) -> ScreenLine<'static> {
    let thresholds = Thresholds { negative_below: 0.3, positive_above: 0.7 };
    ScreenLine { shown, score, thresholds, model_sha256: "0123456789abcdef", cases: None }
}

fn answer(shown: Indication, score: Option<f32>) -> ScreenLine<'static> {
    line(Some(shown), score)
}

#[test]
fn a_file_gets_a_line_a_change() {
    let mut out = Vec::new();
    let mut screen = Terminal::new(&mut out, false, false, "room 2", Language::English);
    for now in 0..5000 {
        screen.show(&answer(POSITIVE, Some(0.93)), now).unwrap();
    }
    for age in 1501..3000 {
        let stale = Indication { state: State::Fault, reason: Reason::Stale(age, 1500) };
        screen.show(&answer(stale, None), 5000 + u64::from(age)).unwrap();
    }
    drop(screen);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "room 2: It supports a decision; it is not a diagnosis. NEGATIVE does not rule illness out; \
         REFER and INVALID mean that a person must look.\n\
         POSITIVE  The score is above the upper threshold. Score 0.930 (NEGATIVE below 0.300, POSITIVE above 0.700). \
         Have a clinician look at the patient and at the picture. Model 0123456789ab.\n\
         FAULT     No new picture for 1.501 s (at most 1.500 s): the camera hangs. \
         Unplug the camera and plug it in again. Model 0123456789ab.\n"
    );
}

#[test]
fn a_terminal_gets_one_line_with_a_heartbeat() {
    let mut out = Vec::new();
    let mut screen = Terminal::new(&mut out, true, true, "room\x1b 2", Language::English);
    for now in 0..1000 {
        screen.show(&answer(NEGATIVE, Some(0.1)), now).unwrap();
    }
    drop(screen);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().count(), 2, "{text:?}");
    assert!(text.starts_with("room 2: It supports a decision"), "{text:?}");
    assert!(text.contains("must look.\n\r\x1b[2K"), "{text:?}");
    let beats: Vec<_> = text.split("\x1b[?7l").skip(1).map(|drawn| drawn.starts_with('*')).collect();
    assert_eq!(beats, [true, true, false, false]);
    assert!(text.contains("\x1b[1m\x1b[32mNEGATIVE\x1b[0m  The score is below"), "{text:?}");
}

#[test]
fn a_turn_without_a_line_allocates_nothing() {
    let mut screen = Terminal::new(std::io::sink(), true, true, "device", Language::Swahili);
    screen.show(&answer(POSITIVE, Some(0.9)), 1000).unwrap();
    let mut turns = |from: u64, to: u64| {
        measure(|| (from..to).for_each(|now| screen.show(&answer(POSITIVE, Some(0.9)), now).unwrap()))
    };
    assert_eq!(turns(1001, 1250).count_total, 0);
    let drawn = turns(1250, 1251);
    assert!(drawn.count_total > 0 && drawn.count_current == 0, "{drawn:?}");
}

/// Of each kind of line one, in a language.
fn history(language: Language) -> String {
    let named = |name: &str, state, pictures| Named {
        name: name.into(),
        file: name.into(),
        study: name.into(),
        pictures,
        answer: Decision { state, reason: Reason::AboveThreshold, logit: None, score: None },
    };
    let others =
        |shown: Option<Indication>, turn: Option<Named>, worst: Option<Named>, need_person, button| {
            let view = View {
                shown,
                turn: turn.as_ref().map(|_| CaseId(1)),
                need_person,
                worst: worst.as_ref().map(|_| CaseId(2)),
                waiting: need_person,
            };
            CasesView { view, turn, worst, acknowledges: button, button, needed_person: need_person }
        };
    let state = |state, reason| Some(Indication { state, reason });
    let refer = state(State::Refer, Reason::Unacknowledged(1));
    let mut lines = vec![
        line(None, None),
        answer(POSITIVE, Some(0.93)),
        answer(NEGATIVE, Some(0.1)),
        line(state(State::Refer, Reason::Unsettled(1, 3)), Some(0.5)),
        line(state(State::Invalid, Reason::Dark(1311, 5243)), None),
        line(state(State::Fault, Reason::Starting), None),
        line(state(State::Invalid, Reason::OtherAge(120, 71)), None),
    ];
    let cases = [
        (Some(POSITIVE), others(Some(POSITIVE), Some(named("ruth.png", State::Positive, 2)), None, 0, true)),
        (
            refer,
            others(
                refer,
                Some(named("jane.png", State::Negative, 1)),
                Some(named("ruth.png", State::Positive, 2)),
                1,
                true,
            ),
        ),
        (None, others(None, None, Some(named("ruth.png", State::Positive, 1)), 4, false)),
    ];
    lines.extend(cases.iter().map(|(shown, cases)| ScreenLine { cases: Some(cases), ..line(*shown, None) }));
    let mut out = Vec::new();
    let mut screen = Terminal::new(&mut out, false, false, "room", language).with_names();
    for (now, line) in (0..).zip(&lines) {
        screen.show(line, now).unwrap();
    }
    drop(screen);
    String::from_utf8(out).unwrap()
}

#[test]
fn every_language_writes_what_its_file_says() {
    let mut wrong = Vec::new();
    for language in Language::ALL {
        let file = format!("{}/tests/it/terminal/{language}.txt", env!("CARGO_MANIFEST_DIR"));
        let expected = std::fs::read_to_string(file).unwrap_or_default();
        let told = history(language);
        assert_eq!(told.lines().count(), 11, "{told}");
        if told != expected {
            wrong.push(format!("{language}.txt is to be, if that is good {language}:\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
