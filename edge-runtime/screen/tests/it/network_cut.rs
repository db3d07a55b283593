//! A page whose network is cut or whose screen is stopped shows FAULT and nothing of before; once that
//! ends it shows by itself what holds then.

use crate::support::browser::{Browser, url};
use crate::support::relay::Relay;
use crate::support::{Client, Screen, Site, alive, camera};
use edge_core::State;
use status::{STATUS, Status};
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// From now on the page notes each state that it comes to show.
const NOTE: &str = "{ const shown = window.shown = [];
    new MutationObserver(() => {
        const state = document.querySelector('#live .word')?.dataset.state;
        if (state !== shown.at(-1)) shown.push(state);
    }).observe(document.getElementById('live'), { childList: true }); }";

/// Longer than anything is believed.
const LONG: Duration = Duration::from_secs(2);

/// A device, its screen, and a browser at the other end of a cable.
struct Ward {
    site: Site,
    shows: Mutex<State>,
    screen: Screen,
    client: Client,
    relay: Relay,
    browser: Browser,
}

impl Ward {
    /// The page is open; nothing keeps the device alive yet.
    fn new() -> Self {
        let site = Site::new();
        site.write(&camera(State::Positive));
        let (screen, client) = Screen::on_loopback(&site);
        let relay = Relay::to(client.port);
        let mut browser = Browser::start();
        browser.does("open", url(relay.port, "/"));
        Self { site, shows: Mutex::new(State::Positive), screen, client, relay, browser }
    }

    /// `body` while the device lives, with what changes its answer.
    fn alive<T>(&mut self, body: impl FnOnce(&mut Browser, &Relay, &Screen, &dyn Fn(State)) -> T) -> T {
        let Self { site, shows, screen, relay, browser, .. } = self;
        let shows = &*shows;
        let status = || camera(*shows.lock().unwrap());
        let change = |state: State| {
            *shows.lock().unwrap() = state;
            let file = site.path("status").join(STATUS);
            let written = || status::read::<Status>(&file).unwrap().shown.unwrap().state;
            while written() != state {
                sleep(Duration::from_millis(10));
            }
        };
        alive(site, status, || body(browser, relay, screen, &change))
    }

    /// What the page shows over an interruption: POSITIVE before it, while the device goes on to REFER
    /// and to NEGATIVE.
    fn over(
        &mut self,
        what: &str,
        begins: impl FnOnce(&Relay, &Screen),
        ends: impl FnOnce(&Relay, &Screen),
    ) -> Result<(), String> {
        let failed = |when: &'static str| move |shown: Option<String>| format!("{what}: {shown:?} {when}");
        self.alive(|page, relay, screen, change| {
            change(State::Positive);
            page.shows(State::Positive).map_err(failed("before"))?;
            page.ask(NOTE);
            begins(relay, screen);
            let since = Instant::now();
            page.shows(State::Fault).map_err(failed("is still shown"))?;
            println!("{what}: FAULT after {} ms", since.elapsed().as_millis());
            page.ask("shown.length = 0");
            for state in [State::Refer, State::Negative] {
                change(state);
                sleep(LONG);
            }
            ends(relay, screen);
            let since = Instant::now();
            page.shows_within(State::Negative, 900).map_err(failed("after its end"))?;
            println!("{what}: NEGATIVE {} ms after its end", since.elapsed().as_millis());
            sleep(LONG);
            let noted: Vec<String> = serde_json::from_value(page.ask("shown")).unwrap();
            match noted.iter().all(|state| state == "fault" || state == "negative") {
                true => Ok(()),
                false => Err(format!("{what}: something of before is shown: {noted:?}")),
            }
        })
    }
}

#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_a_cut_network_is_fault_and_comes_back_by_itself() {
    let mut ward = Ward::new();
    let pulled = |relay: &Relay, _: &Screen| relay.pull();
    let mended = |relay: &Relay, _: &Screen| relay.mend();
    assert_eq!(ward.over("a cable pulled out", pulled, mended), Ok(()));
    let forgotten = |relay: &Relay, _: &Screen| relay.mend_for_new_connections();
    assert_eq!(ward.over("a network that forgot its connections", pulled, forgotten), Ok(()));
    let closed = |relay: &Relay, _: &Screen| relay.close();
    assert_eq!(ward.over("connections closed", closed, mended), Ok(()));
    // The page is the one that was opened, and the screen no other.
    let loads = ward.browser.ask("performance.getEntriesByType('navigation')[0].type");
    assert_eq!((loads, ward.client.get("/").status), ("navigate".into(), 200));
}

#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_a_stopped_screen_is_fault_and_comes_back_by_itself() {
    let mut ward = Ward::new();
    let stopped = |_: &Relay, screen: &Screen| screen.stop();
    let goes_on = |_: &Relay, screen: &Screen| screen.go_on();
    for _ in 0..2 {
        assert_eq!(ward.over("a stopped screen", stopped, goes_on), Ok(()));
    }
}

/// Whether one of several short cuts was not seen: each may fall together with a machine that is busy.
fn bridged(ward: &mut Ward) -> Result<(), String> {
    ward.alive(|page, relay, _, _| {
        let mut noted = String::new();
        for _ in 0..6 {
            page.shows(State::Positive).map_err(|shown| format!("{shown:?} before"))?;
            page.ask(NOTE);
            relay.pull();
            sleep(Duration::from_millis(700));
            relay.mend();
            sleep(Duration::from_millis(1500));
            noted = page.ask("shown.join()").as_str().unwrap().to_owned();
            if noted.is_empty() {
                return Ok(());
            }
        }
        Err(format!("every short cut was seen: {noted}"))
    })
}

#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_a_short_cut_is_not_seen() {
    assert_eq!(bridged(&mut Ward::new()), Ok(()));
}

/// What a page shows as soon as its script has run, where its answer is two seconds on the way.
fn late(ward: &mut Ward, before: &str) -> String {
    let page = url(ward.relay.port, "/");
    let note = "addEventListener('DOMContentLoaded', () => {
        window.first = document.querySelector('#live .word').dataset.state;
    });";
    ward.alive(|browser, relay, _, change| {
        browser.does("before", format!("{note} {before}"));
        browser.shows(State::Positive).unwrap();
        relay.hold_answers();
        std::thread::scope(|scope| {
            let opened = scope.spawn(|| {
                browser.does("open", page);
                browser.ask("first").as_str().unwrap().to_owned()
            });
            sleep(LONG);
            change(State::Negative);
            sleep(LONG);
            relay.mend();
            opened.join().unwrap()
        })
    })
}

/// The answer in a page that was asked for two seconds ago may be gone since.
#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_a_page_that_was_long_on_its_way_shows_no_answer_of_before() {
    let mut ward = Ward::new();
    assert_eq!(late(&mut ward, ""), "fault");
    let told = ward.alive(|browser, _, _, _| browser.shows(State::Negative));
    assert_eq!(told, Ok(()));
}

/// Nothing is late beside what was late itself.
#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_a_link_that_was_always_slow_shows_no_answer() {
    let mut ward = Ward::new();
    let page = url(ward.relay.port, "/");
    ward.alive(|browser, relay, _, _| {
        relay.slow(LONG);
        browser.does("open", page);
        for _ in 0..30 {
            assert_eq!(browser.state().as_deref(), Some("fault"));
            sleep(LONG / 10);
        }
        relay.slow(Duration::ZERO);
        assert_eq!(browser.shows_within(State::Positive, 1500), Ok(()));
    });
}

#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_a_planted_page_that_does_not_notice_a_cut_is_found() {
    // Its clock stands still.
    let mut ward = Ward::new();
    ward.browser.ask("performance.now = () => 0");
    let pulled = |relay: &Relay, _: &Screen| relay.pull();
    let stale = ward.over("a cut", pulled, |relay, _| relay.mend());
    assert_eq!(stale, Err("a cut: Some(\"positive\") is still shown".to_owned()));
    // It runs four times too fast.
    let mut ward = Ward::new();
    ward.browser.ask("(was => { performance.now = () => 4 * was(); })(performance.now.bind(performance))");
    let hasty = bridged(&mut ward).unwrap_err();
    assert!(hasty.contains("fault"), "{hasty}");
    // It waits for the old connection for ever.
    let mut ward = Ward::new();
    ward.browser.ask("window.EventSource = class { addEventListener() {} close() {} }");
    let faithful = ward.over("a cut", pulled, |relay, _| relay.mend_for_new_connections());
    assert_eq!(faithful, Err("a cut: Some(\"fault\") after its end".to_owned()));
    // It takes what it was sent for what holds now.
    let mut ward = Ward::new();
    assert_eq!(
        late(&mut ward, "performance.getEntriesByType = () => [{ requestStart: performance.now() }]"),
        "positive"
    );
}
