//! A clock that is set while the screen shows: what holds is judged by the clock that nobody sets.

use crate::support::{Client, Screen, Site, again_and_again, alive, camera, folder};
use base::clock::monotonic_ms;
use edge_core::State;
use status::{Progress, STATUS, Status};
use std::fs::File;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY_MS: u64 = 86_400_000;

fn state(client: &Client) -> String {
    let text = client.get("/").text();
    text.split_once("data-state=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or("").to_owned()
}

/// Forward by years, to the beginning of 1970, and back again: the device's date is in its status, and in
/// the time of the file that holds it.
#[test]
fn an_answer_is_shown_while_the_device_lives_and_not_longer_whatever_its_date() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let step = |unix_ms: u64| {
        move |status: &Status, site: &Site| {
            site.write(&Status { unix_ms, ..status.clone() });
            let file = File::options().write(true).open(site.path("status").join(STATUS)).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_millis(unix_ms)).unwrap();
        }
    };
    let now_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let answers = [State::Negative, State::Positive, State::Refer, State::Negative, State::Positive];
    let dates = [now_ms, now_ms + 3000 * DAY_MS, 0, now_ms - 400 * DAY_MS, now_ms];
    let mut events = client.events("now").filter_map(|line| line.strip_prefix("data: <").map(str::to_owned));
    for (answer, date) in answers.into_iter().zip(dates) {
        let wanted = format!("data-state=\"{}\"", answer.name().to_lowercase());
        // Between two of them it may become a FAULT, where this machine was busy for so long.
        let seen = || events.any(|part| part.contains(&wanted));
        let was_seen = again_and_again(|| step(date)(&camera(answer), &site), seen);
        assert!(was_seen, "{answer:?} at {date}");
    }
    // An answer of before with a date of now or later, in a file of now or later; and one of before a restart
    // of the machine, whose monotonic clock was further.
    let before = || monotonic_ms().saturating_sub(60_000);
    let later = || monotonic_ms() + DAY_MS;
    let stale: [(u64, &dyn Fn() -> u64); 3] =
        [(now_ms, &before), (now_ms + 3000 * DAY_MS, &before), (now_ms, &later)];
    for (unix_ms, monotonic_ms) in stale {
        let seen = || events.any(|part| part.contains("data-state=\"refer\""));
        assert!(again_and_again(|| step(now_ms)(&camera(State::Refer), &site), seen));
        let monotonic_ms = monotonic_ms();
        site.write_as_it_is(&Status { unix_ms, monotonic_ms, ..camera(State::Negative) });
        let next = events.find(|part| !part.contains("data-state=\"refer\"")).unwrap();
        assert!(next.contains("data-state=\"fault\""), "{unix_ms}, {monotonic_ms}: {next}");
        assert_eq!(state(&client), "fault");
    }
}

/// What was answered before the clock was set back stays in Today's list, and so does whoever needs a
/// person, wherever the clock went.
#[test]
fn today_loses_nobody_when_the_clock_is_set_back() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let mut status = folder(State::Negative);
    let list = status.worklist.as_mut().unwrap();
    // Two days in the future, with nothing left to do; and one of a day before, likewise.
    (list.cases[0].unix_ms, list.cases[0].progress) = (status.unix_ms + 2 * DAY_MS, Progress::Done);
    (list.cases[1].unix_ms, list.cases[1].progress) = (status.unix_ms - 2 * DAY_MS, Progress::Acknowledged);
    list.cases[2].unix_ms = status.unix_ms - 2 * DAY_MS;
    let text = alive(
        &site,
        || status.clone(),
        || loop {
            let text = client.get("/today").text();
            if text.contains("A-1004") {
                break text;
            }
        },
    );
    assert!(text.contains("A-1001"), "answered before the clock was set back: {text}");
    assert!(!text.contains("A-1002"), "of two days before, and done: {text}");
    assert!(text.contains("A-1003"), "it needs a person: {text}");
}
