//! A page's lamps are the device's, and its signs can be told without colour, and without motion.

use crate::browser::shots;
use crate::pages::{fresh, until};
use crate::support::browser::{Browser, url};
use crate::support::style::Style;
use crate::support::{Client, Screen, Site, alive, camera};
use edge_core::State;
use edge_core::signal::{Levels, Pattern, levels};
use serde_json::{Value, json};
use status::Status;

/// Times at which lamps are looked at, in milliseconds: longer than every pattern repeats.
const TIMES: std::ops::Range<u64> = 0..4000;

/// The lamps of an answer, in the device's order.
const LAMPS: [&str; 3] = ["red", "amber", "green"];

/// What lights can be told by a page: five states, and nothing lit.
fn everything() -> impl Iterator<Item = Status> {
    let waiting = Status { shown: None, score: None, ..camera(State::Refer) };
    State::ALL.map(camera).into_iter().chain([waiting])
}

/// The class that the style knows an answer by.
fn class(status: &Status) -> String {
    status.shown.map_or("waiting".into(), |shown| shown.state.name().to_lowercase())
}

fn lit(levels: Levels) -> [bool; 3] {
    [levels.red, levels.amber, levels.green]
}

/// The part of the page with the answer of this status.
fn answer(site: &Site, status: &Status, client: &Client) -> String {
    let begins = format!("<section class=\"answer {}\"", class(status));
    let part = |text: &str| {
        let (_, rest) = text.split("<template").next()?.split_once(&begins)?;
        Some(rest.split_once("</section>")?.0.to_owned())
    };
    let page = until(|| fresh(site, status, client, "/"), |page| part(&page.text()).is_some());
    part(&page.text()).unwrap_or_else(|| panic!("{begins}: {}", page.text()))
}

#[test]
fn lamps_are_lit_as_the_device_lights_them() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let style = Style::parse(&client.get("/screen.css").text());
    for status in everything() {
        let text = answer(&site, &status, &client);
        let circles: Vec<&str> = text.split("<circle class=\"").skip(1).collect();
        let found: Vec<&str> = circles.iter().filter_map(|circle| circle.split('"').next()).collect();
        assert_eq!(found[found.len() - 3..], LAMPS, "{text}");
        let class = class(&status);
        for ms in TIMES.step_by(10) {
            let device = lit(levels(Pattern::of(status.shown), ms));
            assert_eq!(LAMPS.map(|lamp| style.lit(&class, lamp, ms)), device, "{class} at {ms} ms");
        }
    }
}

#[test]
fn a_lit_lamp_has_its_colour() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let style = Style::parse(&client.get("/screen.css").text());
    let mut seen = [0; 3];
    for status in everything() {
        for ms in TIMES.step_by(50) {
            for (at, lamp) in
                LAMPS.into_iter().enumerate().filter(|(_, lamp)| style.lit(&class(&status), lamp, ms))
            {
                let [red, green, blue] = style.light(&class(&status), lamp, ms);
                let its = match lamp {
                    "red" => red > 2.0 * green && red > 2.0 * blue,
                    "amber" => red > 1.2 * green && green > 2.0 * blue,
                    _ => green > 1.5 * red && green > 1.5 * blue,
                };
                assert!(its, "{lamp} is {:?}", [red, green, blue]);
                seen[at] += 1;
            }
        }
    }
    assert!(seen.into_iter().all(|count| count > 0), "{seen:?}");
}

#[test]
fn a_planted_pattern_is_found() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let text = client.get("/screen.css").text();
    let differs = |text: &str| {
        let style = Style::parse(text);
        everything().any(|status| {
            TIMES.step_by(10).any(|ms| {
                let device = lit(levels(Pattern::of(status.shown), ms));
                LAMPS.map(|lamp| style.lit(&class(&status), lamp, ms)) != device
            })
        })
    };
    assert!(!differs(&text));
    for (from, to) in [
        ("blink 1s steps(1)", "blink 2s steps(1)"),
        ("animation: blink 1s steps(1) infinite;", ""),
        ("animation: other .5s", "animation: blink .5s"),
        (".negative .lamps .green", ".negative .lamps .amber"),
        (".refer .lamps .amber", ".waiting .lamps .amber"),
        ("@keyframes blink { 50%", "@keyframes blink { 0%"),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(differs(&text.replace(from, to)), "{from} -> {to}");
    }
}

/// The drawing of an answer without its colours: what is around, and what is in it.
fn drawing(answer: &str) -> [String; 2] {
    let shape = answer.split_once("class=\"shape\"").unwrap().1.split_once('>').unwrap().1;
    let shape = shape.split("</svg>").next().unwrap();
    // Classes are colours.
    let mut elements: Vec<String> = Vec::new();
    for element in shape.split('<').skip(1) {
        let words = element.split(' ').filter(|word| !word.starts_with("class="));
        elements.push(words.collect::<Vec<_>>().join(" "));
    }
    [elements.remove(0), elements.join(" ")]
}

#[test]
fn each_sign_has_a_shape_of_its_own_that_can_be_seen_without_colour() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let style = Style::parse(&client.get("/screen.css").text());
    let mut seen: Vec<[String; 2]> = Vec::new();
    for status in everything() {
        let (text, class) = (answer(&site, &status, &client), class(&status));
        let [around, inside] = drawing(&text);
        assert!(!inside.is_empty(), "{class}: {text}");
        let alike = seen.iter().find(|other| other[0] == around || other[1] == inside);
        assert_eq!(alike, None, "{class} looks like another");
        seen.push([around, inside]);
        // WCAG 2.2, 1.4.11: what has to be understood stands out from what is beside it by 3 to 1.
        let ground = style.luminance(&format!(".answer.{class}"), "background");
        let paint = |part: &str| {
            let property = if ["line", "dashed"].contains(&part) { "stroke" } else { "fill" };
            style.luminance(&format!(".{class} .{part}"), property)
        };
        let shape = text.split_once("class=\"shape\"").unwrap().1.split("</svg>").next().unwrap();
        let has = |part: &&str| shape.contains(&format!("class=\"{part}\""));
        let body = ["body"].into_iter().find(has).map(paint);
        let parts = ["mark", "line", "dashed"].into_iter().filter(has);
        let pairs = parts.map(|part| (part, paint(part), body.unwrap_or(ground)));
        for (part, one, other) in pairs.chain(body.map(|body| ("body", body, ground))) {
            let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
            assert!(contrast >= 3.0, "{class} {part}: {contrast}");
        }
    }
    assert_eq!(seen.len(), 6);
}

#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_lights_the_lamps_as_the_device_does() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let mut browser = Browser::start();
    browser.does("open", url(client.port, "/"));
    // Held at each time, so that nothing hangs on when somebody looks.
    let look = "((times, lamps) => {
        const all = document.querySelector('#live .lamps');
        return times.map(ms => {
            all.getAnimations({ subtree: true }).forEach(one => { one.pause(); one.currentTime = ms; });
            return lamps.map(lamp => getComputedStyle(all.querySelector('.' + lamp)).fill !== 'rgb(5, 8, 11)');
        });
    })";
    let times: Vec<u64> = TIMES.step_by(50).map(|ms| ms + 25).collect();
    for status in everything() {
        let class = class(&status);
        alive(
            &site,
            || status.clone(),
            || {
                assert!(browser.shows_class(&class, 500), "{class}");
                let seen = browser.ask(&format!("{look}({}, {})", json!(times), json!(LAMPS)));
                let device = times.iter().map(|ms| lit(levels(Pattern::of(status.shown), *ms)));
                assert_eq!(seen, json!(device.collect::<Vec<_>>()), "{class}");
            },
        );
    }
}

/// Who wishes for no motion sees no lamp blink, and still which answer it is by the lamps alone.
#[test]
#[ignore = "needs Chromium and Node: cargo xtask test screen"]
fn browser_without_motion_shows_other_lamps_for_each_answer() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let mut browser = Browser::start();
    browser.does("still", true);
    browser.does("open", url(client.port, "/"));
    let look = "[...document.querySelectorAll('#live .lamps circle')].map(lamp => {
        const { fill, stroke, strokeDasharray } = getComputedStyle(lamp);
        return [lamp.getAnimations().length, fill, stroke, strokeDasharray];
    })";
    let mut seen: Vec<(String, Value)> = Vec::new();
    for status in everything() {
        let class = class(&status);
        let lamps = alive(
            &site,
            || status.clone(),
            || {
                assert!(browser.shows_class(&class, 500), "{class}");
                browser.does("shot", shots().join(format!("still-{class}.png")).display().to_string());
                browser.ask(look)
            },
        );
        let all = lamps.as_array().unwrap();
        assert!(all.len() == 3 && all.iter().all(|lamp| lamp[0] == 0), "{class}: {lamps}");
        // None that blinks looks like one that is steadily lit.
        for (lamp, blinks) in all.iter().zip(blinks(&status)) {
            assert_eq!(lamp[3] != "none", blinks, "{class}: {lamps}");
        }
        let alike = seen.iter().find(|(_, other)| *other == lamps);
        assert_eq!(alike, None, "{class}");
        seen.push((class, lamps));
    }
}

/// Of an answer's lamps which ones are lit at some times and not at others.
fn blinks(status: &Status) -> [bool; 3] {
    let all: Vec<[bool; 3]> =
        TIMES.step_by(10).map(|ms| lit(levels(Pattern::of(status.shown), ms))).collect();
    [0, 1, 2].map(|lamp| all.iter().any(|levels| levels[lamp] != all[0][lamp]))
}
