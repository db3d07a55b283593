//! A tap reaches the device's folder, once, and only for what was on the page.

use crate::pages::{fresh, until};
use crate::support::{Answer, Screen, Site, folder, indication};
use edge_core::State;
use status::{ACKNOWLEDGED, Acknowledgement, Acknowledgements, Progress};

fn entries(site: &Site) -> Vec<Acknowledgement> {
    let read: Result<Acknowledgements, _> = status::read(&site.path("acknowledged").join(ACKNOWLEDGED));
    read.map_or_else(|_| Vec::new(), |read| read.entries)
}

#[test]
fn a_tap_is_written_for_the_device_and_numbers_go_on_after_a_restart() {
    let site = Site::new();
    for (number, case) in [(1, "4"), (2, "3")] {
        let (_screen, client) = Screen::on_loopback(&site);
        let status = folder(State::Positive);
        let page = until(|| fresh(&site, &status, &client, "/"), |page| page.text().contains("A-1004"));
        site.write(&status);
        let (token, run) = (page.field("token"), page.field("run"));
        let answer = client.post(
            "/acknowledge",
            &[("token", &token), ("run", &run), ("case", case), ("pictures", "1"), ("back", "/today")],
        );
        assert_eq!((answer.status, answer.header("location")), (303, "/today"));
        let last = entries(&site).pop().unwrap();
        assert_eq!((last.number, last.case, last.pictures), (number, case.parse().unwrap(), 1));
        assert_eq!(last.run, "0123456789abcdef");
    }
    assert_eq!(entries(&site).len(), 2);
}

#[test]
fn what_has_changed_since_or_comes_from_elsewhere_is_not_acknowledged() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let status = folder(State::Positive);
    let page = until(|| fresh(&site, &status, &client, "/"), |page| page.text().contains("A-1004"));
    let (token, run) = (page.field("token"), page.field("run"));
    assert_eq!([page.field("case"), page.field("pictures")], ["4", "1"]);
    let tap = |token: &str, run: &str, case: &str, pictures: &str| {
        site.write(&folder(State::Positive));
        let fields = [("token", token), ("run", run), ("case", case), ("pictures", pictures)];
        client.post("/acknowledge", &fields).status
    };
    assert_eq!(tap("", &run, "4", "1"), 403);
    assert_eq!(tap(&token, "another-run", "4", "1"), 409);
    assert_eq!(tap(&token, &run, "4", "2"), 409, "one more picture of it has come");
    assert_eq!(tap(&token, &run, "1", "1"), 409, "NEGATIVE is not acknowledged");
    assert_eq!(tap(&token, &run, "5", "1"), 409, "has not had its turn");
    assert_eq!(tap(&token, &run, "99", "x"), 409);
    assert_eq!(entries(&site), []);
    assert_eq!(tap(&token, &run, "4", "1"), 303);
    assert_eq!(entries(&site).len(), 1);
}

/// The reminder names one child with its button, and a POSITIVE takes its place under the finger: the
/// POSITIVE was acknowledged.
#[test]
fn a_tap_within_a_second_of_another_answer_was_meant_for_the_one_before() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let status = folder(State::Positive);
    let page = until(|| fresh(&site, &status, &client, "/"), |page| page.text().contains("A-1004"));
    let tap = |age_ms: u64, back: &str| {
        let since = base::clock::monotonic_ms().saturating_sub(age_ms);
        site.write(&status::Status { shown_since_ms: since, ..status.clone() });
        std::thread::sleep(std::time::Duration::from_millis(200)); // it is read every 50 ms
        let fields = [("token", page.field("token")), ("run", page.field("run")), ("back", back.to_owned())];
        let mut fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        fields.extend([("case", "4"), ("pictures", "1")]);
        client.post("/acknowledge", &fields).status
    };
    assert_eq!(tap(0, "/"), 409);
    assert_eq!(entries(&site), []);
    assert_eq!(tap(0, "/today"), 303, "that page names them all");
    assert_eq!(tap(1000, "/"), 303);
}

/// Names and answers stood beside the FAULT of the device, with a button that the device ignores.
#[test]
fn under_a_fault_of_the_device_and_while_the_lamps_are_dark_nobody_is_named() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let mut status = folder(State::Positive);
    let page = until(|| fresh(&site, &status, &client, "/"), |page| page.text().contains("A-1004"));
    let list = status.worklist.as_mut().unwrap();
    (list.turn, list.need_person, list.cases[3].progress) = (None, 2, Progress::NeedsPerson);
    for state in [Some(State::Fault), None] {
        status.shown = state.map(indication);
        let class = state.map_or("waiting".to_owned(), |state| state.name().to_lowercase());
        let live = |page: &Answer| page.text().split("<template").next().unwrap().to_owned();
        let told = |page: &Answer| live(page).contains(&format!("data-state=\"{class}\""));
        let now = live(&until(|| fresh(&site, &status, &client, "/"), told));
        assert!(!now.contains("A-1003") && !now.contains("/acknowledge"), "{now}");
        assert!(now.contains("2 other patients need a person"), "{now}");
    }
    status.shown = Some(indication(State::Fault));
    let fault = |page: &Answer| crate::pages::shows(page, State::Fault);
    let today = until(
        || fresh(&site, &status, &client, "/today"),
        |page| fault(page) && page.text().contains("A-1003"),
    );
    let live = today.text().split("<template").next().unwrap().to_owned();
    assert!(!live.contains("small ") && !live.contains("/acknowledge"), "{live}");
    let fields = [("token", page.field("token")), ("run", page.field("run"))];
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fields.extend([("case", "4"), ("pictures", "1"), ("back", "/today")]);
    assert_eq!(client.post("/acknowledge", &fields).status, 409);
    assert_eq!(entries(&site), []);
}

#[test]
fn there_is_no_button_where_nothing_is_to_be_acknowledged_and_a_full_disk_is_said() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let buttons = |change: fn(&mut status::Status), sign: &str| {
        let mut status = folder(State::Refer);
        change(&mut status);
        until(|| fresh(&site, &status, &client, "/"), |page| page.text().contains(sign))
            .text()
            .matches("/acknowledge")
            .count()
    };
    assert_eq!(buttons(|_| (), "A-1004"), 1);
    assert_eq!(buttons(|s| s.worklist.as_mut().unwrap().cases[3].name = "B-none".into(), "B-none"), 1);
    let deaf = |s: &mut status::Status| {
        let list = s.worklist.as_mut().unwrap();
        list.acknowledges = false;
        list.cases[3].name = "B-deaf".into();
    };
    assert_eq!(buttons(deaf, "B-deaf"), 0);
    let seen = |s: &mut status::Status| {
        let case = &mut s.worklist.as_mut().unwrap().cases[3];
        (case.name, case.progress) = ("B-seen".into(), Progress::Acknowledged);
    };
    assert_eq!(buttons(seen, "B-seen"), 0);
    std::fs::remove_dir_all(site.path("acknowledged")).unwrap();
    let status = folder(State::Refer);
    let page = until(|| fresh(&site, &status, &client, "/"), |page| page.text().contains("A-1004"));
    site.write(&status);
    let fields = [("token", page.field("token")), ("run", page.field("run"))];
    let fields =
        [(fields[0].0, &fields[0].1[..]), (fields[1].0, &fields[1].1[..]), ("case", "4"), ("pictures", "1")];
    let answer = client.post("/acknowledge", &fields);
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("could not be told"), "{}", answer.text());
}
