//! The pages in a real browser: Debian's Chromium, over the DevTools protocol.

use crate::support::browser::{Browser, url};
use crate::support::{PIN, Screen, Site, alive, camera, folder};
use edge_core::State;
use serde_json::json;
use status::Status;
use std::path::{Path, PathBuf};
use std::time::Duration;
use texts::Language;

const SIZES: [(u32, u32, &str); 3] = [(800, 480, "panel"), (1280, 720, "wide"), (390, 844, "phone")];

/// Where screenshots are kept.
pub fn shots() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screen");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_every_page_in_every_language_and_size_is_without_complaint() {
    let site = Site::new();
    site.pictures(1);
    crate::history::write_log(&site);
    let (_screen, client) = Screen::on_loopback(&site);
    let mut browser = Browser::start();
    let mut found = Vec::new();
    alive(
        &site,
        || folder(State::Positive),
        || {
            for (width, height, size) in SIZES {
                browser.does("size", json!([width, height]));
                for language in Language::ALL {
                    let code = language.code();
                    browser.does("open", url(client.port, &format!("/language/{code}?back=/")));
                    for path in ["/", "/today", "/figures", "/aim", "/login"] {
                        browser.does("open", url(client.port, path));
                        let name = if path == "/" { "now" } else { &path[1..] };
                        let shot = shots().join(format!("{size}-{name}-{code}.png"));
                        browser.does("shot", shot.display().to_string());
                        assert_eq!(browser.ask("document.documentElement.lang"), code);
                        let complaints = browser.complaints();
                        found.extend(complaints.iter().map(|what| format!("{size} {path} {code}: {what}")));
                    }
                }
            }
        },
    );
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_every_state_fits_each_size() {
    let site = Site::new();
    site.pictures(1);
    let (_screen, client) = Screen::on_loopback(&site);
    let mut browser = Browser::start();
    let mut found = Vec::new();
    for (width, height, size) in SIZES {
        browser.does("size", json!([width, height]));
        for language in [Language::English, Language::Portuguese] {
            let code = language.code();
            browser.does("open", url(client.port, &format!("/language/{code}?back=/")));
            for state in State::ALL.map(Some).into_iter().chain([None]) {
                let status = || match state {
                    Some(state) => camera(state),
                    None => status::Status { shown: None, score: None, ..camera(State::Refer) },
                };
                alive(&site, status, || {
                    let class = state.map_or("waiting".into(), |state| state.name().to_lowercase());
                    for _ in 0..500 {
                        if browser.state().as_ref() == Some(&class) {
                            break;
                        }
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    assert_eq!(browser.state(), Some(class.clone()));
                    browser.ask("document.getElementById('heat-on').checked = true");
                    browser.does(
                        "shot",
                        shots().join(format!("{size}-{class}-{code}.png")).display().to_string(),
                    );
                    let word = browser.ask(
                        "(({right, bottom}) => right <= innerWidth && bottom <= innerHeight)(document.querySelector('.word').getBoundingClientRect())",
                    );
                    if word != true {
                        found.push(format!("{size} {class} {code}: its word is not seen whole"));
                    }
                    let complaints = browser.complaints();
                    found.extend(complaints.iter().map(|what| format!("{size} {class} {code}: {what}")));
                });
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_follows_a_hundred_changes_and_shows_fault_when_all_is_silent() {
    let site = Site::new();
    site.pictures(1);
    site.write(&camera(State::Fault));
    let (screen, client) = Screen::on_loopback(&site);
    let mut browser = Browser::start();
    browser.does("open", url(client.port, "/"));
    browser.ask("document.getElementById('heat-on').click()");
    // Each in another order, so that a page that is late or one ahead is seen.
    for turn in 0..100 {
        let state = State::ALL[(turn * 7 + turn / 5) % 5];
        let told = alive(&site, || camera(state), || browser.shows(state));
        assert_eq!(told, Ok(()), "turn {turn}: the lights show {state}");
    }
    assert_eq!(browser.ask("document.getElementById('heat-on').checked"), true, "what was tapped stays");
    // As if the script had not come: the style hides the answer after four seconds.
    let seen = "['live', 'deaf'].map(id => getComputedStyle(document.getElementById(id)).visibility)";
    alive(
        &site,
        || camera(State::Negative),
        || {
            browser.shows(State::Negative).unwrap();
            assert_eq!(browser.ask(seen), json!(["visible", "hidden"]));
            browser.ask("document.getElementById('live').classList.remove('heard')");
            std::thread::sleep(Duration::from_millis(4500));
            assert_eq!(browser.ask(seen), json!(["hidden", "visible"]));
            browser.does("shot", shots().join("wide-deaf-en.png").display().to_string());
            browser.ask("document.getElementById('live').classList.add('heard')");
            assert_eq!(browser.ask(seen), json!(["visible", "hidden"]));
        },
    );
    // The device falls silent.
    alive(&site, || camera(State::Negative), || browser.shows(State::Negative)).unwrap();
    browser.shows(State::Fault).unwrap();
    assert_eq!(browser.ask("document.querySelectorAll('.film img').length"), 0, "no old picture");
    // It comes back, and the screen itself dies: the page knows by itself.
    alive(
        &site,
        || camera(State::Negative),
        || {
            browser.shows(State::Negative).unwrap();
            drop(screen);
            browser.shows(State::Fault).unwrap();
        },
    );
    let told = browser.ask("document.querySelector('.reason').textContent");
    assert_eq!(told, Language::English.text("page-lost"));
    assert_eq!(browser.ask("document.querySelectorAll('.film img').length"), 0);
    browser.does("shot", shots().join("wide-lost-en.png").display().to_string());
}

#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_is_not_misled_by_clocks_that_are_set() {
    const DAY_MS: i64 = 86_400_000;
    let site = Site::new();
    site.write(&camera(State::Fault));
    let (_screen, client) = Screen::on_loopback(&site);
    let mut browser = Browser::start();
    browser.does("open", url(client.port, "/"));
    // The device's clock and the browser's, each on its own and both.
    let steps =
        [(1, 0, State::Positive), (0, 1, State::Negative), (-2, 2, State::Refer), (0, 0, State::Positive)];
    for (device, own, state) in steps {
        browser.ask(&format!("{{ const now = Date.now(); Date.now = () => now + {own} * {DAY_MS} }}"));
        let stepped = || {
            let status = camera(state);
            Status { unix_ms: status.unix_ms.saturating_add_signed(device * DAY_MS), ..status }
        };
        let told = alive(&site, stepped, || browser.shows(state));
        assert_eq!(told, Ok(()), "the device's clock by {device} days, the browser's by {own}");
    }
    browser.shows(State::Fault).expect("a silent device is FAULT, whatever the clocks");
}

#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_signs_in_and_acknowledges() {
    let site = Site::new();
    site.set_pin();
    site.pictures(1);
    let screen = Screen::start(&site.config("listen = [\"0.0.0.0:0\"]\nplain = true"), 1);
    let client = screen.client(0);
    let mut browser = Browser::start();
    alive(
        &site,
        || folder(State::Positive),
        || {
            browser.does("open", url(client.port, "/today"));
            assert_eq!(browser.ask("location.pathname"), "/login");
            browser.ask(&format!("document.getElementById('pin').value = '{PIN}'"));
            browser.ask("document.querySelector('button.tap').click()");
            let arrived = |browser: &mut Browser, sign: &str| {
                let there = format!("document.readyState === 'complete' && {sign}");
                (0..500).any(|_| {
                    std::thread::sleep(Duration::from_millis(10));
                    browser.ask(&there) == true
                })
            };
            assert!(arrived(&mut browser, "location.pathname === '/today'"));
            assert!(browser.complaints().is_empty());
            // A page that has just come takes no tap: it may have come under the finger.
            std::thread::sleep(Duration::from_millis(1200));
            browser.ask("document.querySelector('.turn button').click()");
            let file = site.path("acknowledged").join(status::ACKNOWLEDGED);
            assert!((0..500).any(|_| {
                std::thread::sleep(Duration::from_millis(10));
                file.exists()
            }));
        },
    );
    let read: status::Acknowledgements =
        status::read(&site.path("acknowledged").join(status::ACKNOWLEDGED)).unwrap();
    assert_eq!(read.entries.iter().map(|entry| entry.case).collect::<Vec<_>>(), [4]);
}

/// Sends the form that asks for the PIN, and waits for the page that answers.
fn send_pin(browser: &mut Browser, pin: &str) {
    browser.ask(&format!("window.left = true; document.getElementById('pin').value = '{pin}'"));
    browser.ask("document.querySelector('button.tap').click()");
    let there = "!window.left && document.readyState === 'complete'";
    assert!((0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        browser.ask(there) == true
    }));
}

/// What is answered to who may not come in, or asks for what is not there.
#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_short_pages_are_without_complaint() {
    let site = Site::new();
    site.set_pin();
    let mut browser = Browser::start();
    let mut found = Vec::new();
    let each = |(width, height, size)| Language::ALL.map(|language| (width, height, size, language));
    // The narrowest in every language, the others in one.
    let all = SIZES.into_iter().flat_map(each);
    for (width, height, size, language) in
        all.filter(|(_, _, size, language)| *size == "phone" || *language == Language::English)
    {
        // Anew, since who is wrong too often waits.
        let config = site.config("listen = [\"127.0.0.1:0\", \"0.0.0.0:0\"]\nplain = true");
        let screen = Screen::start(&config, 2);
        let [inside, outside] = [0, 1].map(|door| screen.client(door).port);
        browser.does("size", json!([width, height]));
        browser.does("open", url(outside, &format!("/language/{language}?back=/")));
        let mut check = |browser: &mut Browser, status: u16, element: &str, id: &str| {
            let told = browser.ask(&format!("document.querySelector('{element}').textContent"));
            assert_eq!(told, language.text(id), "{size} {language}");
            // The console tells the status of the page itself.
            let its = format!("Failed to load resource: the server responded with a status of {status} ");
            let complaints = browser.complaints().into_iter().filter(|what| !what.starts_with(&its));
            found.extend(complaints.map(|what| format!("{size} {language} {status}: {what}")));
            let shot = shots().join(format!("{size}-{status}-{id}-{language}.png"));
            browser.does("shot", shot.display().to_string());
        };
        browser.does("open", url(inside, "/nothing"));
        check(&mut browser, 404, "h1", "no-page");
        browser.does("open", url(outside, "/nothing"));
        check(&mut browser, 401, "h1", "sign-in");
        browser.does("open", url(outside, "/login"));
        browser.ask("document.querySelector('[name=token]').value = '0'");
        send_pin(&mut browser, "a-guess");
        check(&mut browser, 403, "h1", "form-foreign");
        browser.does("open", url(outside, "/login"));
        send_pin(&mut browser, "a-guess");
        check(&mut browser, 403, ".refused", "pin-wrong");
        // The waits double, so that a slow machine comes to one as well.
        let waits = (0..12).any(|_| {
            browser.does("errors", true);
            send_pin(&mut browser, "a-guess");
            browser.ask("document.querySelector('.refused').textContent") != language.text("pin-wrong")
        });
        assert!(waits, "{size} {language}");
        let seconds = browser.ask("document.querySelector('.refused').textContent.match(/\\d+/)[0]");
        let seconds: i32 = seconds.as_str().unwrap().parse().unwrap();
        let told = browser.ask("document.querySelector('.refused').textContent");
        assert_eq!(told, language.text_with("pin-wait", &[("seconds", seconds.into())]));
        // Its title is that of every page that asks for the PIN.
        check(&mut browser, 429, "h1", "sign-in");
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A finger hit the button of a case that had come under it, and old answers from a slow link were
/// shown as if they were new.
#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_takes_no_tap_on_a_button_that_has_just_moved_and_shows_nothing_that_is_late() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let mut browser = Browser::start();
    let taps = || {
        let file = site.path("acknowledged").join(status::ACKNOWLEDGED);
        let read: Option<status::Acknowledgements> = status::read(&file).ok();
        read.map_or(0, |read| read.entries.len())
    };
    let click = "document.querySelector('#live button.tap').click()";
    let wait = |ms| std::thread::sleep(Duration::from_millis(ms));
    alive(
        &site,
        || folder(State::Positive),
        || {
            browser.does("open", url(client.port, "/today"));
            wait(1200);
        },
    );
    let more = || {
        let mut status = folder(State::Positive);
        let cases = &mut status.worklist.as_mut().unwrap().cases;
        cases.push(status::Case { number: 6, name: "A-1006".into(), ..cases[3].clone() });
        status
    };
    alive(&site, more, || {
        let there = "document.getElementById('live').textContent.includes('A-1006')";
        assert!((0..500).any(|_| {
            wait(10);
            browser.ask(there) == true
        }));
        browser.ask(click);
        wait(300);
        assert_eq!(taps(), 0, "it has come under the finger");
        wait(1000);
        browser.ask(click);
        wait(300);
        assert_eq!(taps(), 1);
        let note = "window.sent = document.querySelector('#live .word')";
        browser.does("before", format!("addEventListener('DOMContentLoaded', () => {{ {note}; }})"));
        browser.does("open", url(client.port, "/"));
        browser.shows(State::Positive).unwrap();
        assert!((0..500).any(|_| {
            wait(10);
            browser.ask("document.querySelector('#live .word') !== sent") == true
        }));
        // As if everything were two seconds longer on its way from now on.
        browser.ask("(was => { performance.now = () => was() + 2000; })(performance.now.bind(performance))");
        browser.shows(State::Fault).unwrap();
        for _ in 0..10 {
            wait(200);
            assert_eq!(browser.state().as_deref(), Some("fault"));
        }
    });
}

#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_a_planted_fault_of_a_page_is_found() {
    let site = Site::new();
    site.write(&camera(State::Refer));
    let (_screen, client) = Screen::on_loopback(&site);
    let mut browser = Browser::start();
    browser.does("open", url(client.port, "/login"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
    browser.ask("document.body.insertAdjacentHTML('beforeend', '<img src=\"/icon.svg\"><p style=\"width: 9000px\">x</p>')");
    browser.ask("document.querySelector('label').remove()");
    browser.ask("console.error('planted')");
    let found = browser.complaints().join("\n");
    // A page that does not follow: what changes is written to a part that is not in it.
    let (mut follower, status) = (Browser::start(), |state| move || camera(state));
    follower.does("open", url(client.port, "/"));
    alive(&site, status(State::Refer), || follower.shows(State::Refer)).unwrap();
    follower
        .ask("document.getElementById('live').replaceWith(document.getElementById('live').cloneNode(true))");
    let told = alive(&site, status(State::Positive), || follower.shows_within(State::Positive, 100));
    assert_eq!(told, Err(Some("refer".into())));
    for part in ["image-alt", "label", "planted", "Content Security Policy"] {
        assert!(found.contains(part), "{part}: {found}");
    }
}
