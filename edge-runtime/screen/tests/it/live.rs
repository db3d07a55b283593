//! What changes comes by itself, in order, and never in another order than the device's.

use crate::support::{Screen, Site, alive, camera, folder};
use base::clock::monotonic_ms;
use edge_core::State;
use status::STALE_AFTER;
use texts::Language;

/// The state that an event's part shows.
fn shown(data: &str) -> Option<&str> {
    data.split_once("data-state=\"")?.1.split('"').next()
}

#[test]
fn a_hundred_changes_come_as_a_hundred_parts_in_their_order() {
    let site = Site::new();
    site.write(&camera(State::Fault));
    let (_screen, client) = Screen::on_loopback(&site);
    let mut events = client.events("now").filter_map(|line| line.strip_prefix("data: <").map(str::to_owned));
    assert_eq!(shown(&events.next().unwrap()), Some("fault"));
    for turn in 0..100 {
        let state = State::ALL[turn % 5];
        let status = if turn % 3 == 0 { folder(state) } else { camera(state) };
        site.write(&status);
        let part = events.next().expect("one part a change");
        assert_eq!(shown(&part), Some(&state.name().to_lowercase()[..]), "turn {turn}");
        assert!(part.contains(&Language::English.state(state)));
    }
}

#[test]
fn what_has_not_changed_is_not_sent_again_but_the_page_hears_that_it_lives() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    // What says nothing new: only its time is another.
    let heard: Vec<String> = alive(
        &site,
        || camera(State::Negative),
        || {
            let lines = client.events("now").skip_while(|line| !line.contains("data-state=\"negative\""));
            lines.filter(|line| line.starts_with("event:")).take(3).collect()
        },
    );
    assert_eq!(heard, ["event: alive"; 3]);
}

/// A link that was too slow showed old answers as if they were new: nothing told their age.
#[test]
fn every_event_says_when_it_was_made() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let before = monotonic_ms();
    let lines: Vec<String> = alive(
        &site,
        || camera(State::Negative),
        || {
            // Some twelve of the answer's head, then seven of a part and five of each that it lives.
            client.events("now").take(45).collect()
        },
    );
    let mut times = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        match line.as_str() {
            "event: alive" => times.push(lines.get(at + 1).and_then(|data| data.strip_prefix("data: "))),
            "event: part" => times.push(lines[at - 1].strip_prefix("id: ")),
            _ => {}
        }
    }
    times.pop(); // its line may not be among those that were read
    let times: Vec<u64> = times.into_iter().map(|time| time.unwrap().parse().unwrap()).collect();
    assert!(times.len() > 3 && times.is_sorted(), "{lines:?}");
    assert!(times.iter().all(|time| (before..=monotonic_ms()).contains(time)), "{times:?}");
}

#[test]
fn a_device_that_falls_silent_becomes_a_fault_by_itself() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let events = client.events("now");
    site.write(&camera(State::Negative));
    let parts: Vec<String> = events
        .filter_map(|line| line.strip_prefix("data: ").and_then(shown).map(str::to_owned))
        .skip_while(|state| state != "negative")
        .take(2)
        .collect();
    assert_eq!(parts, ["negative", "fault"]);
}

/// What is said once it goes on again was looked at then, and is not what it knew before.
#[test]
fn a_screen_that_was_stopped_says_nothing_of_before() {
    let site = Site::new();
    let (screen, client) = Screen::on_loopback(&site);
    for turn in 0..3 {
        let (mut said_ms, mut until_ms, mut state, mut stopped) = (0, 0, String::new(), false);
        for line in client.events("now") {
            if let Some(id) = line.strip_prefix("id: ") {
                said_ms = id.parse().unwrap();
                continue;
            }
            let Some(data) = line.strip_prefix("data: ") else { continue };
            match shown(data) {
                Some(new) => state = new.to_owned(),
                None => said_ms = data.parse().unwrap(),
            }
            match (state.as_str(), stopped) {
                ("positive", false) => {
                    screen.stop();
                    std::thread::sleep(STALE_AFTER * 2);
                    site.write(&camera(State::Negative));
                    screen.go_on();
                    stopped = true;
                }
                (_, false) => {
                    site.write(&camera(State::Positive));
                    until_ms = monotonic_ms() + STALE_AFTER.as_millis() as u64;
                }
                ("positive", true) => assert!(said_ms <= until_ms, "turn {turn}: {}", said_ms - until_ms),
                ("negative", true) => break,
                _ => {}
            }
        }
    }
}

#[test]
fn events_are_of_the_pages_that_change() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    for page in ["figures", "", "nothing", "now%00"] {
        assert_eq!(client.get(&format!("/events?page={page}")).status, 404, "{page}");
    }
    for page in ["today", "aim"] {
        assert!(client.events(page).any(|line| line.starts_with("data: ")), "{page}");
    }
}
