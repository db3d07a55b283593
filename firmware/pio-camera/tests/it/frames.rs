//! What comes of a camera's frames.

use edge_core::ports::SourceError::{self, Damaged, Lost, NoSignal, Overrun};

use crate::bench::{Bench, CYCLES_A_MS, Planted, World};
use crate::waveform::{Frame, Waveform, picture};

fn bench(script: &[Frame], jitter: u64, planted: Planted) -> Bench {
    Bench::new(World::new(Waveform::new(script, jitter), planted))
}

/// What each request gives: the number of the frame whose picture it is, or the error.
type Answers = Vec<Result<u32, SourceError>>;

fn answers(bench: &mut Bench, requests: usize) -> Answers {
    let number = |bytes: Vec<u8>| (0..20).find(|frame| picture(*frame) == bytes).unwrap_or(u32::MAX);
    (0..requests).map(|_| bench.frame().map(number)).collect()
}

/// Frames of which some are wrong, and what each request is to give: a whole picture, later than
/// the one before, or this error.
struct Scene {
    name: &'static str,
    script: &'static [Frame],
    jitter: u64,
    expected: &'static [Option<SourceError>],
}

impl Scene {
    fn holds(&self, got: &Answers) -> bool {
        let kinds: Vec<_> = got.iter().map(|answer| answer.err()).collect();
        let whole: Vec<_> = got.iter().flatten().copied().collect();
        kinds == self.expected && whole.is_sorted_by(|a, b| a < b) && !whole.contains(&u32::MAX)
    }
}

const WHOLE: Option<SourceError> = None;

const SCENES: [Scene; 9] = [
    Scene { name: "whole frames", script: &[], jitter: 0, expected: &[WHOLE; 3] },
    Scene { name: "edges that shake", script: &[], jitter: 20, expected: &[WHOLE; 2] },
    Scene {
        name: "a row too few",
        script: &[Frame::WithoutRow(100)],
        jitter: 3,
        expected: &[Some(Damaged), WHOLE],
    },
    Scene {
        name: "a row too short",
        script: &[Frame::ShortRow(17, 323)],
        jitter: 3,
        // What is left of the frame is not taken for another.
        expected: &[Some(Damaged), WHOLE],
    },
    Scene {
        name: "rows too long: their beginning is taken",
        script: &[Frame::LongRows(2)],
        jitter: 0,
        expected: &[WHOLE; 2],
    },
    Scene {
        name: "rows between two frames",
        script: &[Frame::RowsBehind; 4],
        jitter: 3,
        expected: &[WHOLE; 3],
    },
    Scene {
        name: "a camera that starts anew",
        script: &[Frame::Whole, Frame::CutAfter(40)],
        jitter: 3,
        expected: &[WHOLE, Some(Damaged), WHOLE],
    },
    Scene {
        name: "a camera that stops in a row",
        script: &[Frame::StopsIn(7, 6)],
        jitter: 3,
        expected: &[Some(Damaged), WHOLE],
    },
    Scene {
        name: "silence",
        script: &[Frame::Silent; 30],
        jitter: 0,
        expected: &[Some(NoSignal), Some(NoSignal)],
    },
];

/// The scene that does not come as expected, if there is one.
fn first_wrong(planted: Planted) -> Option<(&'static str, Answers)> {
    SCENES.iter().find_map(|scene| {
        let got = answers(&mut bench(scene.script, scene.jitter, planted), scene.expected.len());
        (!scene.holds(&got)).then_some((scene.name, got))
    })
}

#[test]
fn every_scene_gives_whole_pictures_or_its_error() {
    assert_eq!(first_wrong(Planted::Nothing), None);
}

/// The driver before this one waited for its row's length for ever.
#[test]
fn a_receive_queue_with_all_places_never_gives_a_frame() {
    let got = answers(&mut bench(&[], 0, Planted::JoinedQueue), 2);
    assert_eq!(got, [Err(NoSignal), Err(NoSignal)]);
}

/// Code from serial flash that comes too late for a row: 16 bytes and the pause between rows are
/// what there is.
const LATE: u64 = 150 * CYCLES_A_MS / 1000;

fn late_once(planted: Planted) -> Answers {
    let mut bench = bench(&[], 0, planted);
    let usual = std::mem::replace(&mut bench.world.borrow_mut().gap, LATE);
    let mut got = answers(&mut bench, 1);
    bench.world.borrow_mut().gap = usual;
    got.extend(answers(&mut bench, 2));
    got
}

#[test]
fn a_row_that_comes_too_late_voids_its_frame_and_no_other() {
    let got = late_once(Planted::Nothing);
    assert_eq!(got[0], Err(Overrun));
    assert!(matches!(got[1..], [Ok(a), Ok(b)] if a < b && b < 20), "{got:?}");
}

/// The driver before this one left the flag as it was.
#[test]
fn a_stall_that_is_not_cleared_voids_every_frame_after_it() {
    assert_eq!(late_once(Planted::StallStays), [Err(Overrun); 3]);
}

#[test]
fn a_short_row_that_is_not_cleared_is_found() {
    assert!(first_wrong(Planted::FlagStays).is_some_and(|(scene, _)| scene == "a row too short"));
}

#[test]
fn bytes_that_a_frame_left_in_the_machine_are_found() {
    let wrong = first_wrong(Planted::NoRestart);
    assert!(wrong.as_ref().is_some_and(|(scene, _)| scene.contains("stops in a row")), "{wrong:?}");
}

/// No word of the program is there for nothing.
#[test]
fn a_program_that_lacks_any_word_is_found() {
    for address in 0..pio_camera::PROGRAM.len() as u8 {
        let wrong = first_wrong(Planted::Word(address));
        assert!(wrong.is_some(), "nothing missed the word {address}");
    }
}

#[test]
fn a_camera_that_was_unplugged_is_lost_and_back_after_it_was_set_up_anew() {
    let mut bench = bench(&[[Frame::Whole].as_slice(), &[Frame::Silent; 10]].concat(), 0, Planted::Nothing);
    assert_eq!(answers(&mut bench, 1), [Ok(0)]);
    assert_eq!(bench.world.borrow().wakes, 1);
    bench.world.borrow_mut().answers = false;
    assert_eq!(answers(&mut bench, 1), [Err(Lost)]);
    bench.world.borrow_mut().answers = true;
    let back = (0..5).find_map(|_| bench.frame().ok());
    assert!(back.is_some());
    assert_eq!(bench.world.borrow().wakes, 2);
}
