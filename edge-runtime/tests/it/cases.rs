//! Files of a watched folder as cases, with the shipped network: what is shown of several that come
//! together, with whose it is, and what a log that fails does to them.

use crate::support;
use crate::support::log::{decisions, events};
use crate::support::room::{self, HOLD, Room, context, film};
use edge_core::agree::Indication;
use edge_core::worklist::GAP_MS;
use edge_core::{Reason, State};
use edge_runtime::capture::{CaptureOptions, Folder, PassedOver};
use edge_runtime::run::StepReport;
use edge_runtime::signal::{ScreenLine, Terminal};
use std::fs;
use tempfile::TempDir;
use test_support::dicom::{element, radiograph, radiograph_of};
use test_support::picture;
use texts::Language;

fn turn(state: State, name: &str) -> (Option<State>, Option<String>) {
    (Some(state), Some(name.to_owned()))
}

/// What was seen before: POSITIVE for a moment, then the next child's NEGATIVE for half a minute.
#[test]
fn of_two_files_that_come_together_each_has_its_time_and_its_name() {
    let mut room = Room::new(false);
    room.come(&[("jane.png", State::Negative), ("ruth.png", State::Positive)]);
    assert_eq!(room.sees(0), turn(State::Positive, "ruth.png"));
    assert_eq!(room.sees(HOLD - 1), turn(State::Positive, "ruth.png"));
    assert_eq!(room.sees(1), (None, None));
    assert_eq!(room.sees(GAP_MS), turn(State::Negative, "jane.png"));
    assert_eq!(room.sees(HOLD - 1), turn(State::Negative, "jane.png"));
    assert_eq!(room.sees(1), (None, None));
    let cases = room.turn(GAP_MS).cases.unwrap();
    assert_eq!((cases.needed_person, cases.view.need_person), (1, 0));
    let logged = decisions(&room.log());
    assert_eq!(logged.len(), 2);
    assert!(logged.iter().all(|d| d.state == d.shown_state && d.needed == 1 && d.pictures == Some(1)));
}

#[test]
fn with_a_button_amber_stays_until_it_was_pressed_for_each() {
    let mut room = Room::new(true);
    room.come(&[("ruth.png", State::Positive), ("jane.png", State::Negative)]);
    assert_eq!(room.sees(0), turn(State::Positive, "ruth.png"));
    assert_eq!(room.sees(HOLD), (None, None));
    assert_eq!(room.sees(GAP_MS), turn(State::Refer, "jane.png"), "no green while ruth is not acknowledged");
    room.turn(HOLD);
    for _ in 0..100 {
        assert_eq!(room.sees(GAP_MS), (Some(State::Refer), None));
    }
    assert_eq!(room.press().shown, None);
    let acknowledged: Vec<_> =
        events(&room.log()).into_iter().filter(|e| e["what"] == "acknowledged").collect();
    let [acknowledged] = acknowledged.try_into().expect("one press");
    let told = ["study", "state", "by"].map(|key| acknowledged[key].as_str().unwrap());
    assert_eq!(told, ["ruth", "POSITIVE", "button"]);
}

#[test]
fn pictures_of_one_study_are_one_answer() {
    let mut room = Room::new(false);
    room.come(&[
        ("A17_pa.png", State::Negative),
        ("A17_2.png", State::Invalid),
        ("A17_lat.png", State::Positive),
    ]);
    assert_eq!(room.sees(2999), (None, None), "more may come");
    assert_eq!(room.sees(1), turn(State::Invalid, "A17"), "the worst of the frontal views");
    let last = decisions(&room.log()).pop().unwrap();
    assert_eq!(last.pictures, Some(3));
    assert_eq!(room.sees(HOLD), (None, None));
    assert_eq!(room.sees(GAP_MS), (None, None), "one answer");
}

#[test]
fn a_file_that_is_no_picture_is_a_case_with_a_name_too() {
    let mut room = Room::new(false);
    room.come(&[("broken.png", State::Fault)]);
    let report = room.turn(3000);
    assert_eq!(report.shown.unwrap().reason, Reason::UnreadKind);
    assert_eq!(&*report.cases.unwrap().turn.unwrap().name, "broken.png");
    let [logged] = decisions(&room.log()).try_into().unwrap();
    assert_eq!(
        (logged.name.as_deref(), logged.frame_sha256, &*logged.state),
        (Some("broken.png"), None, "FAULT")
    );
    assert_eq!(room.sees(HOLD), (None, None), "for its time");
}

#[test]
fn a_file_without_a_picture_says_what_would_help() {
    for (name, bytes, reason) in [
        ("preview.png", picture::png(40, 20), Reason::WrongSize(20, 32)),
        ("strip.png", picture::png(8001, 40), Reason::WrongSize(8001, 8000)),
        ("cut.png", picture::png(96, 96)[..200].to_vec(), Reason::DamagedFrame),
        ("letter.pdf.png", b"%PDF-1.7".to_vec(), Reason::UnreadKind),
    ] {
        let mut room = Room::new(false);
        room.arrive(&[(name, bytes)]);
        let shown = room.turn(3000).shown.unwrap();
        assert_eq!((shown.state, shown.reason), (State::Fault, reason), "{name}");
        let [logged] = decisions(&room.log()).try_into().unwrap();
        assert_eq!((logged.reason.code, &*logged.state), (reason.code(), "FAULT"), "{name}");
    }
}

/// It is read, so it is no FAULT, and its answer says what would help.
#[test]
fn a_picture_that_says_too_little_of_itself_is_invalid_by_that_name() {
    let samples: Vec<u16> = (0..96 * 96).map(|at| at % 4096).collect();
    for (name, bytes, reason) in [
        ("low.dcm", radiograph_of(16, 96, 96, &samples, &[]), Reason::UnusedBits(12, 16)),
        ("low.png", picture::low_png(96), Reason::UnusedBits(12, 16)),
        ("hidden.png", picture::transparent_png(96), Reason::Transparent),
    ] {
        let mut room = Room::new(false);
        room.arrive(&[(name, bytes)]);
        let shown = room.turn(3000).shown.unwrap();
        assert_eq!((shown.state, shown.reason), (State::Invalid, reason), "{name}");
        let [logged] = decisions(&room.log()).try_into().unwrap();
        assert_eq!((logged.reason.code, &*logged.state), (reason.code(), "INVALID"), "{name}");
        assert!(logged.frame_sha256.is_some() && logged.score.is_none(), "{name}");
    }
}

/// An answer that leaves no trace is not shown; the file is not lost either.
#[test]
fn a_file_whose_answer_the_log_does_not_take_is_answered_when_it_does() {
    let films = TempDir::new().unwrap();
    fs::write(films.path().join("ruth.png"), film(State::Positive)).unwrap();
    let options = CaptureOptions { quiet_ms: 0, existing: true, ..Default::default() };
    let folder = Folder::new(films.path(), &options);
    let mut room = Room::without_disk(films, Box::new(folder), false, None);
    let log_failed = Indication { state: State::Fault, reason: Reason::LogFailed };
    assert!(support::comes(|| room.turn(100).shown == Some(log_failed)));
    for _ in 0..5 {
        let report = room.turn(100);
        assert_eq!((report.shown, report.cases.unwrap().turn), (Some(log_failed), None));
    }
    fs::create_dir(room.disk()).unwrap();
    assert!(support::comes(|| room.sees(100) == turn(State::Positive, "ruth.png")));
    let names: Vec<_> = decisions(&room.log()).into_iter().filter_map(|d| d.name).collect();
    assert_eq!(names, ["ruth.png"], "once");
}

/// What a person acknowledged is not lost where the log fails just then: all is FAULT until it stands there.
#[test]
fn an_acknowledgement_that_the_log_does_not_take_stands_in_it_when_it_does() {
    let mut room = Room::with_many_files();
    room.come(&[("ruth.png", State::Positive)]);
    assert_eq!(room.sees(0), turn(State::Positive, "ruth.png"));
    // Where the log lay there is a file now.
    let away = room.logs.path().join("away");
    fs::rename(room.disk(), &away).unwrap();
    fs::write(room.disk(), "").unwrap();
    let log_failed = Indication { state: State::Fault, reason: Reason::LogFailed };
    assert_eq!(room.press().shown, Some(log_failed));
    assert_eq!(room.turn(100).shown, Some(log_failed));
    fs::remove_file(room.disk()).unwrap();
    fs::rename(&away, room.disk()).unwrap();
    assert!(support::comes(|| room.turn(100).shown != Some(log_failed)));
    let events = events(&room.log());
    let at = |what: &str| events.iter().position(|e| e["what"] == what);
    assert!(at("acknowledged") < at("fault_ended"), "{events:?}");
    let acknowledged: Vec<_> = events.into_iter().filter(|e| e["what"] == "acknowledged").collect();
    let [acknowledged] = acknowledged.try_into().expect("once");
    assert_eq!((&acknowledged["study"], &acknowledged["by"]), (&"ruth".into(), &"button".into()));
    support::log::assert_sound(&room.log());
}

#[test]
fn what_is_passed_over_is_said_once_and_logged() {
    let mut room = Room::new(false);
    for name in ["a.gif", "b.heic", "c.pdf", "._a.jpg", "Thumbs.db", "d.jpg.part"] {
        fs::write(room.films.path().join(name), b"x").unwrap();
    }
    let mut said: Vec<PassedOver> = Vec::new();
    assert!(support::comes(|| {
        said.extend(room.turn(0).passed_over);
        said.iter().map(|said| said.files).sum::<u64>() == 6
    }));
    let logged: Vec<_> = events(&room.log()).into_iter().filter(|e| e["what"] == "passed_over").collect();
    assert_eq!(logged.len(), said.len());
    let whys: Vec<_> = logged.iter().map(|event| event["why"].as_str().unwrap()).collect();
    for why in ["no kind of file", "a computer's own", "still being written"] {
        assert!(whys.iter().any(|said| said.contains(why)), "{why}: {whys:?}");
    }
    fs::write(room.films.path().join("e.gif"), b"x").unwrap();
    assert!(support::comes(|| room
        .turn(0)
        .passed_over
        .is_some_and(|said| said.name == "e.gif" && said.files == 1)));
}

/// The screen's lines of a whole history, without the model's part.
#[test]
fn the_screen_says_whose_answer_it_is_and_who_else_needs_a_person() {
    let mut room = Room::new(true);
    let (mut shown, mut kept) = (Vec::new(), Vec::new());
    {
        let thresholds = context().thresholds;
        let mut screen = Terminal::new(&mut shown, false, false, "room", Language::English).with_names();
        let mut journal = Terminal::new(&mut kept, false, false, "room", Language::English);
        let mut look = |report: StepReport, now| {
            let cases = report.cases.as_ref();
            let line = ScreenLine {
                shown: report.shown,
                score: None,
                thresholds,
                model_sha256: "0123456789abcdef",
                cases,
            };
            screen.show(&line, now).unwrap();
            journal.show(&line, now).unwrap();
        };
        room.come(&[("ruth\u{1b}\u{202e}.png", State::Positive), ("jane.png", State::Negative)]);
        for (now, ms) in [(0, 0), (1, HOLD), (2, GAP_MS), (3, HOLD), (4, GAP_MS)] {
            look(room.turn(ms), now);
        }
        look(room.press(), 5);
    }
    let text = String::from_utf8(shown).unwrap().replace(" Model 0123456789ab.", "");
    let ruth = "ruth\u{fffd}\u{fffd}.png";
    let more = format!("1 more to look at: POSITIVE {ruth}; press the button");
    let unseen = "One answer needs a person, and nobody has acknowledged it.";
    let look = "Look at the pictures, then acknowledge each answer.";
    let expected = [
        format!("room: {}", Language::English.notice()),
        format!(
            "POSITIVE  {ruth}: The score is above the upper threshold. [1 to come] \
             Have a clinician look at the patient and at the picture."
        ),
        format!("READY     Waiting for a picture. [{more}; 1 to come]"),
        format!("REFER     jane.png: by itself NEGATIVE. {unseen} [{more}] {look}"),
        format!("READY     Waiting for a picture. [{more}]"),
        format!("REFER     {unseen} [{more}] {look}"),
        "READY     Waiting for a picture.".to_owned(),
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    let kept = String::from_utf8(kept).unwrap();
    assert!(!kept.contains("ruth") && !kept.contains("jane") && kept.contains('#'), "{kept}");
}

/// The log keeps names of files here, and so does the journal; what identifies an examination neither.
#[test]
fn an_examinations_numbers_are_on_the_screen_alone_though_a_button_acknowledges_it() {
    let mut room = Room::new(true);
    let picture = room::drawn(State::Positive);
    let samples: Vec<u16> =
        picture.bytes().iter().map(|&byte| (u32::from(byte) * 4095 / 255) as u16).collect();
    let said = [element(8, 0x50, b"SH", b"A-4711"), element(0x20, 0x0D, b"UI", b"1.2.3.4711")];
    let (mut shown, mut kept) = (Vec::new(), Vec::new());
    {
        let mut screen = Terminal::new(&mut shown, true, false, "room", Language::English);
        let mut journal = Terminal::new(&mut kept, false, false, "room", Language::English).with_names();
        let mut look = |report: StepReport, now| {
            let cases = report.cases.as_ref();
            let (thresholds, model_sha256) = (context().thresholds, "0123456789abcdef");
            let line =
                ScreenLine { shown: report.shown, score: report.score, thresholds, model_sha256, cases };
            screen.show(&line, now).unwrap();
            journal.show(&line, now).unwrap();
            assert_eq!(report.trouble, None);
        };
        fs::write(room.films.path().join("film.dcm"), radiograph(256, 256, &samples, &said)).unwrap();
        assert!(support::comes(|| room.turn(0).answered.is_some()));
        for (now, ms) in [(0, 3000), (1000, HOLD), (2000, GAP_MS)] {
            look(room.turn(ms), now);
        }
        look(room.press(), 3000);
    }
    let (shown, kept) = (String::from_utf8(shown).unwrap(), String::from_utf8(kept).unwrap());
    assert!(shown.contains("A-4711"), "{shown}");
    let told = |text: &str| ["A-4711", "1.2.3.4711"].iter().any(|identifier| text.contains(identifier));
    assert!(kept.contains("film.dcm") && !told(&kept), "{kept}");
    let log = fs::read_to_string(room.log()).unwrap();
    assert!(log.contains("\"acknowledged\"") && !told(&log), "{log}");
}
