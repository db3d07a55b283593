//! The loop against everything that can go wrong around it: one file a fault in
//! `tests/faults/device`, found by listing that folder.
//!
//! Each is run to the end of its script; what the device showed, in order, must be what the file
//! says, and whatever happened the lights must never have shown POSITIVE or NEGATIVE without a
//! frame of that answer, not older than the limit, behind them.

use crate::simulated::camera::Hang;
use crate::simulated::world::{BEATS, BY_HAND, STACK_LEFT, World};
use crate::simulated::{retained_ram, switch_on};
use edge_core::State;
use edge_core::signal::Levels;
use firmware::crash_record::{MAX_BOOT_FAILURES, ResetCause};
use firmware::device::Settings;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    about: String,
    /// `continuous` or `button`.
    #[serde(default)]
    button: bool,
    steps: Vec<String>,
    /// What is shown, in order: state and code of its reason, or `idle`.
    shows: Vec<String>,
    /// A text that the log must hold.
    note: Option<String>,
}

/// Longest time that a script may take, in the device's own milliseconds.
const LONGEST_MS: u64 = 15_000;

fn run(fault: &Fault) -> Result<(), String> {
    STACK_LEFT.set(4096);
    let settings = if fault.button { Settings::BUTTON } else { Settings::CONTINUOUS };
    let (world, mut device) = switch_on(&fault.steps, settings, retained_ram());
    let mut turns = 0;
    while !world.ended.get() {
        device.poll();
        turns += 1;
        // With a button no frame is asked for in the end, and the script's last step goes on for
        // ever.
        if world.now_ms() > LONGEST_MS && fault.button {
            break;
        }
        if world.now_ms() > LONGEST_MS {
            return Err("the script does not end".into());
        }
    }
    if world.fed.get() != turns {
        return Err(format!("the watchdog was fed {} times in {turns} turns", world.fed.get()));
    }
    let shows = world.shown();
    if shows != fault.shows {
        return Err(format!("expected {:?}, got {shows:?}", fault.shows));
    }
    if let Some(note) = &fault.note
        && !world.noted(note)
    {
        return Err(format!("expected a note with `{note}`, got {:?}", world.notes.borrow()));
    }
    lights_told_the_truth(&world, &settings)
}

/// Green alone and red alone are answers: behind each time that they are lit stands a frame of that
/// answer that is not too old. Red alone may also be a quarter of a second of FAULT.
fn lights_told_the_truth(world: &World, settings: &Settings) -> Result<(), String> {
    let lights = world.lights.borrow();
    let ends = lights.iter().skip(1).map(|(at, ..)| *at).chain([world.now_ms()]);
    for ((from, levels, _), to) in lights.iter().zip(ends) {
        let Levels { red, amber, green, .. } = *levels;
        let state = match (red, amber, green) {
            (_, _, true) if red && !amber => continue, // the light test
            (false, true, true) | (true, true, _) => continue,
            (false, false, true) => State::Negative,
            (true, false, false) if to - from > 300 => State::Positive,
            _ => continue,
        };
        // The device looks at its lights between rows and layers: it may be late by less than this.
        let slack = 50;
        let oldest = settings.device.policy.stale_after_ms as u64 + slack;
        let answers = world.answers.borrow();
        let last = answers.iter().rev().find(|(at, _)| *at <= *from);
        match last {
            Some((_, answer)) if *answer == state => {}
            other => return Err(format!("{state} was lit at {from} ms after {other:?}")),
        }
        let newest =
            answers.iter().filter(|(at, answer)| *at <= to && *answer == state).map(|(at, _)| *at).max();
        if newest.is_none_or(|at| at + oldest < to) {
            return Err(format!("{state} was lit until {to} ms, its last frame was taken at {newest:?}"));
        }
    }
    Ok(())
}

#[test]
fn every_fault_of_the_folder_ends_as_its_file_says() {
    let faults = crate::faults::<Fault>("device");
    assert!(faults.len() >= 15, "{:?}", faults.keys());
    let mut wrong = Vec::new();
    for (name, fault) in &faults {
        if let Err(error) = run(fault) {
            wrong.push(format!("{name} ({}): {error}", fault.about));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The comparison bites: in what is shown, in the log, and in the lights.
#[test]
fn planted_faults_are_found() {
    let steps = vec!["normal 5".to_string()];
    let shows = ["REFER 4", "NEGATIVE 2"].map(String::from).to_vec();
    let good = || Fault {
        about: String::new(),
        button: false,
        steps: steps.clone(),
        shows: shows.clone(),
        note: None,
    };
    run(&good()).unwrap();
    let other = run(&Fault { shows: vec!["FAULT 31".into()], ..good() }).unwrap_err();
    assert!(other.contains("got [\"REFER 4\""), "{other}");
    let note = run(&Fault { note: Some("no such note".into()), ..good() }).unwrap_err();
    assert!(note.contains("expected a note"), "{note}");
    let (dark, green) = (Levels::default(), Levels { green: true, ..Levels::default() });
    let world = World::default();
    world.pass(20_000_000);
    world.lights.replace(vec![(0, dark, true), (100, green, true)]);
    assert!(lights_told_the_truth(&world, &Settings::CONTINUOUS).unwrap_err().contains("was lit at 100 ms"));
    world.answers.replace(vec![(50, State::Negative)]);
    assert!(
        lights_told_the_truth(&world, &Settings::CONTINUOUS).unwrap_err().contains("was lit until 20000 ms")
    );
}

/// Every lamp is lit once before anything else, with no answer among it, and the heartbeat beats.
#[test]
fn the_light_test_comes_first() {
    let (world, _) = switch_on::<&str>(&[], Settings::CONTINUOUS, retained_ram());
    let lights = world.lights.borrow();
    let lit: Vec<_> = lights.iter().map(|(_, l, _)| [l.red, l.amber, l.green]).collect();
    assert_eq!(lit.first(), Some(&[true, true, false]));
    assert!(lit.contains(&[false, true, true]) && lit.contains(&[true, false, true]), "{lit:?}");
    assert!(lights.iter().any(|(_, l, _)| l.buzzer) && lights.iter().any(|(.., beat)| *beat));
}

/// What ended the last run is told once; after too many ends in a row the device says so and judges
/// nothing; frames in a row make it well again.
#[test]
fn deaths_are_told_and_too_many_of_them_stop_the_device() {
    let lasting = retained_ram();
    let run = |steps: &[&str]| {
        let (world, mut device) = switch_on(steps, Settings::CONTINUOUS, lasting);
        while !world.ended.get() && world.now_ms() < 5000 {
            device.poll();
        }
        world
    };
    let first = run(&["normal 2"]);
    assert!(!first.noted("Crashed"));
    for death in 1..=MAX_BOOT_FAILURES {
        lasting.record_cause(ResetCause::Panic(7));
        let world = run(&["normal 2", "quiet 2980", "normal 8"]);
        let notes = world.notes.borrow();
        let died = notes.iter().find(|note| note.contains("Crashed")).expect("it is told");
        let frame = if death == 1 { 2 } else { 10 };
        assert!(
            died.contains(&format!("Panic(7), stage: Wait, frame: {frame}, boot_failures: {death}")),
            "{died}"
        );
        // That is shown first, and then the answers.
        assert_eq!(world.shows.borrow()[0].1, "FAULT 45");
        assert!(world.shows.borrow().len() > 1 && !world.answers.borrow().is_empty());
    }
    let last = run(&["normal 2"]);
    assert_eq!(last.shows.borrow()[0].1, "FAULT 45");
    assert!(last.answers.borrow().is_empty());
    // Somebody presses reset: it begins anew, and says of no death.
    BY_HAND.set(true);
    let pressed = run(&["normal 4"]);
    BY_HAND.set(false);
    assert!(!pressed.noted("Crashed"));
    let shows = pressed.shown();
    assert!(!shows.iter().any(|text| text.contains("FAULT")), "{shows:?}");
    assert_eq!(pressed.answers.borrow().len(), 4);
    // Power off and on: the memory holds nothing any more. Then sixteen frames of health after a
    // death.
    let other = retained_ram();
    other.begin_run(false);
    // The sixteenth is damaged: the next one makes it well as much.
    let steps = ["normal 15", "short-row normal 1", "normal 4"];
    let (world, mut device) = switch_on(&steps, Settings::CONTINUOUS, other);
    while !world.ended.get() {
        device.poll();
    }
    assert_eq!(
        other.begin_run(false).map(|crash| crash.boot_failures),
        Some(1),
        "the one before is forgotten"
    );
}

/// A loop that hangs does not feed the watchdog, which therefore resets the chip; the next run says
/// where it hung.
#[test]
fn a_hang_is_ended_by_the_watchdog_and_told_after_it() {
    let lasting = retained_ram();
    let (world, mut device) = switch_on(&["normal 4", "hang normal 1"], Settings::CONTINUOUS, lasting);
    let mut turns = 0;
    let hung = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        loop {
            device.poll();
            turns += 1;
        }
    }));
    assert!(hung.is_err_and(|what| what.is::<Hang>()));
    assert_eq!(world.fed.get(), turns, "a turn that did not end must not feed it");
    // It said that it lives at least once a turn, and between the rows and layers of five frames.
    assert!(BEATS.get() > turns + 4 * 96, "{}", BEATS.get());
    let (next, _) = switch_on::<&str>(&[], Settings::CONTINUOUS, lasting);
    let died = "cause: Watchdog, stage: Rows, frame: 5, boot_failures: 1";
    assert!(next.noted(died), "{:?}", next.notes.borrow());
}
