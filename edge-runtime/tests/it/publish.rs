//! What a screen is let see, and what it may say, beside a device whose clock the test sets.

use crate::support::comes;
use crate::support::log::{assert_sound, decisions, events};
use crate::support::room::{HOLD, Room, film};
use crate::support::watch::{Watch, belongs, grey};
use edge_core::worklist::GAP_MS;
use edge_core::{Reason, State};
use edge_runtime::config::Screen;
use edge_runtime::run::StepReport;
use status::{Progress, Status};
use std::fs;
use tempfile::TempDir;

/// A device with a screen.
struct Desk {
    room: Room,
    watch: Watch,
    _place: TempDir,
}

impl Desk {
    fn new() -> Self {
        let place = TempDir::new().unwrap();
        let watch = Watch::new(place.path());
        let (folder, acknowledge) = (Some(watch.folder.clone()), Some(watch.acknowledged.clone()));
        let room = Room::with_screen(&Screen { folder, picture: true, acknowledge });
        Self { room, watch, _place: place }
    }

    /// Files come one after the other, and have their numbers in this order.
    fn come(&mut self, films: &[(&str, State)]) {
        films.iter().for_each(|film| self.room.come(&[*film]));
    }

    /// A turn of the loop so many milliseconds later, and what the screen sees of it.
    fn turn(&mut self, ms: u64) -> (StepReport, Status) {
        let report = self.room.turn(ms);
        let status = self.status(&report);
        (report, status)
    }

    /// The status with what this turn shows. The loop goes on meanwhile, as a device's does; its clock
    /// stands still.
    fn status(&mut self, report: &StepReport) -> Status {
        let mut found = None;
        let turn = |status: &Status| status.worklist.as_ref().and_then(|list| list.turn);
        assert!(
            comes(|| {
                self.room.turn(0);
                found = self.watch.status().filter(|status| {
                    let cases = report.cases.as_ref().unwrap().view;
                    status.shown == report.shown
                        && (turn(status) == cases.turn.map(|id| id.0) || is_fault(status))
                        && status.worklist.as_ref().unwrap().need_person == cases.need_person
                });
                found.is_some()
            }),
            "{report:?}"
        );
        found.unwrap()
    }

    /// A person taps a case, and the loop goes on until that was looked at.
    fn tap(&mut self, shown: &Status, case: u32, pictures: u16) {
        self.watch.tap(shown, case, pictures);
        // It is looked at after each status that is written: before the second one from now.
        let written = |desk: &Self| desk.watch.status().map(|status| status.monotonic_ms);
        for _ in 0..2 {
            let before = written(self);
            assert!(comes(|| {
                self.room.turn(0);
                written(self) != before
            }));
        }
        self.room.turn(0);
    }

    fn acknowledged(&self) -> Vec<(String, String)> {
        let events = events(&self.room.log());
        let of = |event: &serde_json::Value, key: &str| event[key].as_str().unwrap().to_owned();
        let acknowledged = events.iter().filter(|event| event["what"] == "acknowledged");
        acknowledged.map(|event| (of(event, "study"), of(event, "by"))).collect()
    }
}

fn is_fault(status: &Status) -> bool {
    status.shown.is_some_and(|shown| shown.state == State::Fault)
}

/// How far the cases of a status are, by their names.
fn progress(status: &Status) -> Vec<(&str, Progress)> {
    status.worklist.as_ref().unwrap().cases.iter().map(|case| (&*case.name, case.progress)).collect()
}

#[test]
fn a_screen_sees_the_picture_of_the_child_whose_answer_is_shown() {
    let mut desk = Desk::new();
    desk.come(&[("jane.png", State::Negative), ("ruth.png", State::Positive)]);
    let (report, status) = desk.turn(0);
    assert_eq!(report.shown.unwrap().state, State::Positive);
    let picture = status.picture.clone().unwrap();
    assert_eq!((picture.case, picture.decision.state), (Some(1), State::Positive));
    assert_eq!(desk.watch.picture(&status), Some(grey(&film(State::Positive))), "pixel by pixel");
    let heat = picture.heat.clone().expect("the network looked at it");
    assert_eq!(desk.watch.files(), [heat.file.as_str(), &picture.file, "status.json"]);
    let map = fs::read(desk.watch.folder.join(&heat.file)).unwrap();
    let map = image::load_from_memory(&map).unwrap();
    assert_eq!((map.width(), map.height(), map.color()), (64, 64, image::ColorType::Rgba8));
    assert!(map.to_rgba8().pixels().any(|pixel| pixel.0[3] > 100), "something speaks for it");
    let logged = decisions(&desk.room.log());
    let judged = logged.iter().find(|line| line.state == "POSITIVE").unwrap();
    assert_eq!(picture.frame_sha256, judged.frame_sha256.map(|hash| hash.to_string()));
    assert_eq!(status.score, judged.score);
    assert!(picture.figures.len() == 9 && picture.figures.iter().all(|figure| figure.passes()));
    assert_eq!(progress(&status), [("jane.png", Progress::Waiting), ("ruth.png", Progress::Shown)]);

    let (_, gap) = desk.turn(HOLD);
    assert_eq!((gap.shown, &gap.picture), (None, &None));
    assert!(comes(|| desk.watch.files() == ["status.json"]), "{:?}", desk.watch.files());
    // Amber, because ruth was not acknowledged; the picture is jane's, whose turn it is.
    let (report, status) = desk.turn(GAP_MS);
    assert_eq!(report.shown.unwrap().reason, Reason::Unacknowledged(1));
    assert_eq!(status.picture.as_ref().unwrap().case, Some(0));
    assert_eq!(desk.watch.picture(&status), Some(grey(&film(State::Negative))));
    assert_eq!(progress(&status), [("jane.png", Progress::Shown), ("ruth.png", Progress::NeedsPerson)]);
    // What is left is the reminder of the worst.
    desk.turn(HOLD);
    let (_, status) = desk.turn(GAP_MS);
    assert_eq!(status.worklist.as_ref().unwrap().worst, Some(1));
    assert_eq!(status.picture.as_ref().unwrap().case, Some(1));
    assert_eq!(progress(&status)[0].1, Progress::Done);
    assert_eq!(status.model.sha256, crate::support::shipped().sha256());
    let watch = desk.watch;
    drop(desk.room);
    assert_eq!(watch.files(), [""; 0], "in order, nothing is left");
}

/// A status whose picture is of another child is found by what every status here is held to.
#[test]
fn a_planted_picture_of_another_child_is_found() {
    let mut desk = Desk::new();
    desk.come(&[("jane.png", State::Negative), ("ruth.png", State::Positive)]);
    let (_, status) = desk.turn(0);
    assert_eq!(belongs(&status), Ok(()));
    let with = |change: &dyn Fn(&mut Status)| {
        let mut planted = status.clone();
        change(&mut planted);
        belongs(&planted).unwrap_err()
    };
    let other = with(&|status| status.picture.as_mut().unwrap().case = Some(0));
    assert_eq!(other, "a picture of Some(0) while Some(1) is named");
    assert_eq!(with(&|status| status.shown = None), "a picture in the dark");
    let fault = with(&|status| status.shown.as_mut().unwrap().state = State::Fault);
    assert_eq!(fault, "a picture under a fault");
    let hidden = with(&|status| status.worklist.as_mut().unwrap().cases[1].progress = Progress::Waiting);
    assert_eq!(hidden, "1 has the turn and is not shown");
}

#[test]
fn a_fault_hides_the_picture_and_whose_turn_it_is() {
    let mut desk = Desk::new();
    desk.come(&[("ruth.png", State::Positive)]);
    assert!(desk.turn(0).1.picture.is_some());
    let (films, aside) = (desk.room.films.path().to_owned(), desk.room.logs.path().join("aside"));
    fs::rename(&films, &aside).unwrap();
    let mut report = None;
    assert!(comes(|| {
        report = Some(desk.room.turn(1));
        report.as_ref().unwrap().shown.unwrap().reason == Reason::CameraLost
    }));
    let status = desk.status(&report.unwrap());
    let worklist = status.worklist.as_ref().unwrap();
    assert_eq!((&status.picture, worklist.turn, status.score), (&None, None, None));
    assert_eq!(progress(&status), [("ruth.png", Progress::Waiting)], "it goes on later");
    // Nobody acknowledges what is hidden.
    desk.tap(&status, 0, 1);
    fs::rename(&aside, &films).unwrap();
    assert!(comes(|| desk.room.turn(1).shown.unwrap().state != State::Fault));
    let status = desk.turn(0).1;
    assert_eq!(progress(&status), [("ruth.png", Progress::Shown)]);
    assert!(status.picture.is_some());
    assert_eq!(desk.acknowledged(), []);
}

#[test]
fn a_tap_acknowledges_what_was_seen_and_nothing_else() {
    let mut desk = Desk::new();
    desk.come(&[("ruth.png", State::Positive), ("dark.png", State::Invalid), ("jane.png", State::Negative)]);
    let (_, status) = desk.turn(0);
    assert_eq!(status.worklist.as_ref().unwrap().turn, Some(0));
    let other_run = Status { run: "another".into(), ..status.clone() };
    // Not seen yet; of another run; of another number of pictures; none.
    for (run, case, pictures) in [(&status, 1, 1), (&other_run, 0, 1), (&status, 0, 2), (&status, 9, 1)] {
        desk.tap(run, case, pictures);
    }
    assert_eq!(desk.acknowledged(), []);
    assert_eq!(desk.turn(0).1.worklist.unwrap().turn, Some(0));
    desk.tap(&status, 0, 1);
    let ruth = ("ruth".to_owned(), "screen".to_owned());
    assert_eq!(desk.acknowledged(), std::slice::from_ref(&ruth));
    // The next one is shown, though somebody had tapped it before.
    let (_, status) = desk.turn(GAP_MS);
    desk.room.turn(3000);
    let (_, second) = desk.turn(0);
    assert_eq!(progress(&status)[0].1, Progress::Acknowledged);
    assert_eq!(second.shown.unwrap().state, State::Invalid);
    assert_eq!(desk.acknowledged().len(), 1);
    desk.tap(&second, 1, 1);
    assert_eq!(desk.acknowledged(), [ruth, ("dark".to_owned(), "screen".to_owned())]);
    // Now nobody else needs a person: green, which nobody can put out.
    let (_, green) = desk.turn(GAP_MS);
    assert_eq!(green.shown.unwrap().state, State::Negative);
    desk.tap(&green, 2, 1);
    assert_eq!(desk.turn(0).1.shown.unwrap().state, State::Negative);
    assert_eq!(desk.acknowledged().len(), 2);
    assert_sound(&desk.room.log());
}

/// The lamps of a whole history, with the folder there, gone, and there again.
/// The reminder goes over to the next child: what is lit stays the same, but it is not that one's, so
/// that a screen must know since when. It was told the time of the reminder's first child.
#[test]
fn another_child_that_is_named_begins_anew() {
    let mut desk = Desk::new();
    desk.come(&[("ruth.png", State::Positive), ("dark.png", State::Invalid)]);
    for ms in [0, HOLD, GAP_MS, HOLD] {
        desk.turn(ms);
    }
    let (_, first) = desk.turn(GAP_MS);
    let worst = |status: &Status| status.worklist.as_ref().unwrap().worst;
    assert_eq!((worst(&first), first.shown.unwrap().reason), (Some(0), Reason::Unacknowledged(2)));
    desk.tap(&first, 0, 1);
    let (_, next) = desk.turn(0);
    assert_eq!((worst(&next), next.shown.unwrap().reason), (Some(1), Reason::Unacknowledged(1)));
    assert!(next.shown_since_ms > first.monotonic_ms, "{first:?} {next:?}");
}

#[test]
fn a_folder_that_goes_away_changes_no_light_and_is_told_once() {
    let history = |desk: &mut Desk, at: &mut dyn FnMut(usize, &mut Desk)| {
        let come =
            [("ruth.png", State::Positive), ("jane.png", State::Negative), ("dark.png", State::Invalid)];
        desk.come(&come);
        let mut lamps = Vec::new();
        for turn in 0..120 {
            at(turn, desk);
            lamps.push(desk.room.sees(1000));
        }
        lamps
    };
    let whole = history(&mut Desk::new(), &mut |_, _| {});
    assert!(whole.iter().any(|(state, _)| *state == Some(State::Positive)));
    let mut said = Vec::new();
    let mut desk = Desk::new();
    let lamps = history(&mut desk, &mut |turn, desk| {
        if turn == 10 {
            fs::rename(&desk.watch.folder, desk.room.logs.path().join("aside")).unwrap();
            // Something else lies there.
            fs::write(&desk.watch.folder, b"x").unwrap();
        }
        if turn >= 10 {
            said.extend(desk.room.publisher.as_mut().unwrap().problems());
        }
    });
    assert_eq!(lamps, whole);
    assert!(comes(|| {
        desk.room.turn(0);
        said.extend(desk.room.publisher.as_mut().unwrap().problems());
        !said.is_empty()
    }));
    fs::remove_file(&desk.watch.folder).unwrap();
    fs::create_dir(&desk.watch.folder).unwrap();
    let (report, status) = desk.turn(0);
    assert_eq!(status.shown, report.shown);
    assert!(status.picture.is_none() || desk.watch.picture(&status).is_some());
    assert!(said[0].contains("lights and log go on"), "{said:?}");
    let mut distinct = said.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), said.len(), "each once: {said:?}");
}
