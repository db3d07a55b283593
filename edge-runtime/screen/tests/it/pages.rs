//! Every page, in every language, in every state.

use crate::support::{Answer, Client, Screen, Site, camera, folder, picture};
use edge_core::agree::Indication;
use edge_core::{Reason, State};
use std::collections::BTreeSet;
use texts::Language;

/// The picture of the status of the tests, as a page names it.
pub const PICTURE: &str = "/picture/1?0123456789abcdef";

const PATHS: [&str; 5] = ["/", "/today", "/figures", "/aim", "/login"];

/// Ids of texts that stand in a page instead of what they name: letters and a hyphen, alone between
/// two tags or quotes.
fn missing(page: &str) -> BTreeSet<&str> {
    let ids: BTreeSet<&str> = IDS
        .iter()
        .flat_map(|source| source.split("text(\"").skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let pieces = page.split(['<', '>', '"']).map(str::trim);
    pieces.filter(|piece| piece.contains(['-', '.']) && ids.contains(piece)).collect()
}

const IDS: [&str; 8] = [
    include_str!("../../src/pages/answer.rs"),
    include_str!("../../src/pages/aim.rs"),
    include_str!("../../src/pages/figures.rs"),
    include_str!("../../src/pages/messages.rs"),
    include_str!("../../src/pages/now.rs"),
    include_str!("../../src/pages/outline.rs"),
    include_str!("../../src/pages/page.rs"),
    include_str!("../../src/pages/today.rs"),
];

/// What an answer lacks of what every answer must carry.
fn lacks(answer: &Answer) -> Option<String> {
    let policy = answer.header("content-security-policy");
    let strict = policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';")
        && policy.contains("frame-ancestors 'none'")
        && policy.contains("base-uri 'none'")
        && !policy.contains("unsafe");
    let page = answer.text();
    let inline = page.contains(" style=")
        || page.contains("<style")
        || page.contains(" onclick")
        || page.contains("<script>");
    let checks = [
        (strict, "the policy"),
        (answer.header("x-content-type-options") == "nosniff", "nosniff"),
        (answer.header("referrer-policy") == "no-referrer", "the referrer's policy"),
        (answer.header("cache-control") == "no-store", "no-store"),
        (!inline, "a page without inline script and style"),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what.to_owned())
}

fn check(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 200, "{what}");
    assert_eq!(lacks(answer), None, "{what}");
    assert_eq!(missing(&answer.text()), BTreeSet::new(), "{what}");
}

fn choose(client: &Client, language: Language) {
    let answer = client.get(&format!("/language/{}?back=/today", language.code()));
    assert_eq!((answer.status, answer.header("location")), (303, "/today"));
}

#[test]
fn every_page_is_there_in_every_language_and_state() {
    let site = Site::new();
    site.pictures(1);
    let (_screen, client) = Screen::on_loopback(&site);
    for language in Language::ALL {
        choose(&client, language);
        for (state, path) in State::ALL.into_iter().flat_map(|state| PATHS.map(|path| (state, path))) {
            for status in [camera(state), folder(state)] {
                let list = status.worklist.is_some();
                // Looked at every 50 ms: the answer of before may still be shown.
                let told = |page: &Answer| shows(page, state) && page.text().contains("A-1004") == list;
                let page = until(|| fresh(&site, &status, &client, path), |page| path != "/" || told(page));
                check(&page, &format!("{path} {language} {state} {list}"));
                let text = page.text();
                assert!(text.contains(&format!("<html lang=\"{language}\">")), "{text}");
                if path == "/" {
                    assert!(
                        text.contains(&format!(">{}<", language.state(state))),
                        "{language} {state}: {text}"
                    );
                    assert!(text.contains(&language.notice()), "{text}");
                    assert_eq!(text.contains("A-1004"), list, "whose it is: {text}");
                    assert!(text.contains("5c5c5c5c5c5c"), "the model: {text}");
                }
            }
        }
    }
}

/// Whether the part of a page that changes shows this state.
pub fn shows(page: &Answer, state: State) -> bool {
    page.text().split("<template").next().is_some_and(|live| live.contains(&said(state)))
}

fn said(state: State) -> String {
    format!("data-state=\"{}\"", state.name().to_lowercase())
}

/// A page of a device that has just written its status.
pub fn fresh(site: &Site, status: &status::Status, client: &Client, path: &str) -> Answer {
    site.write(status);
    client.get(path)
}

/// Asks until it holds; what never holds is what it was at last.
pub fn until(mut ask: impl FnMut() -> Answer, holds: impl Fn(&Answer) -> bool) -> Answer {
    let mut answer = ask();
    for _ in 0..200 {
        if holds(&answer) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
        answer = ask();
    }
    answer
}

#[test]
fn a_planted_gap_is_found() {
    let page = "<p>Hello</p><p>device-lost.remedy</p><a title=\"picture-none\">";
    assert_eq!(missing(page), BTreeSet::from(["device-lost.remedy", "picture-none"]));
    let site = Site::new();
    site.write(&camera(State::Refer));
    let (_screen, client) = Screen::on_loopback(&site);
    let good = client.get("/");
    assert_eq!(lacks(&good), None);
    let mut bad = good.clone();
    bad.headers.insert("content-security-policy".into(), "default-src 'self' 'unsafe-inline'".into());
    assert_eq!(lacks(&bad).as_deref(), Some("the policy"));
    let mut bad = good.clone();
    bad.headers.remove("cache-control");
    assert_eq!(lacks(&bad).as_deref(), Some("no-store"));
    let mut bad = good;
    bad.body = b"<p style=\"color: red\">".into();
    assert!(lacks(&bad).unwrap().contains("inline"));
}

#[test]
fn a_device_that_does_not_answer_is_a_fault_without_its_old_answer_and_picture() {
    let site = Site::new();
    site.pictures(1);
    let mut status = camera(State::Negative);
    let (_screen, client) = Screen::on_loopback(&site);
    let fault = |page: &Answer| shows(page, State::Fault);
    assert!(fault(&client.get("/")), "there is no status yet");
    let page = until(|| fresh(&site, &status, &client, "/"), |page| !fault(page));
    assert!(shows(&page, State::Negative), "{}", page.text());
    let picture = until(|| fresh(&site, &status, &client, PICTURE), |answer| answer.status == 200);
    assert_eq!(picture.header("content-type"), "image/png");
    // It is not written any more, and so gets older than it may be.
    let page = until(|| client.get("/"), fault);
    let gone = |page: &Answer| {
        let text = page.text();
        assert!(fault(page), "{text}");
        assert!(!text.contains("/picture/1") && !text.contains(">NEGATIVE<"), "{text}");
        assert_eq!(client.get(PICTURE).status, 404);
        assert_eq!(client.get(&PICTURE.replace("picture", "heat")).status, 404);
        assert!(!client.get("/aim").text().contains("/picture/1"));
    };
    gone(&page);
    // A clock of before the machine's start, half a file, another version, no file.
    status.monotonic_ms = u64::MAX;
    site.write_as_it_is(&status);
    gone(&client.get("/"));
    for text in ["{\"version\":1,\"run\":", "{\"version\":2}"] {
        std::fs::write(site.path("status").join(status::STATUS), text).unwrap();
        gone(&client.get("/"));
    }
    let status = camera(State::Positive);
    assert!(!fault(&until(|| fresh(&site, &status, &client, "/"), |page| !fault(page))));
    std::fs::remove_file(site.path("status").join(status::STATUS)).unwrap();
    gone(&until(|| client.get("/"), fault));
}

/// After a restart of the device the same number is another patient's.
#[test]
fn a_picture_is_of_the_run_that_was_asked_for() {
    let site = Site::new();
    site.pictures(1);
    let (_screen, client) = Screen::on_loopback(&site);
    let status = camera(State::Refer);
    until(|| fresh(&site, &status, &client, PICTURE), |answer| answer.status == 200);
    for path in ["/picture/1", "/picture/1?", "/picture/1?another", "/heat/1", "/picture/2?0123456789abcdef"]
    {
        assert_eq!(fresh(&site, &status, &client, path).status, 404, "{path}");
    }
    // As the device names it where the kernel gives no random number.
    let run = "SystemTime { tv_sec: 1 }-2-3";
    let status = status::Status { run: run.into(), ..status };
    let path = "/picture/1?SystemTime%20{%20tv_sec:%201%20}-2-3";
    until(|| fresh(&site, &status, &client, path), |answer| answer.status == 200);
    assert_eq!(fresh(&site, &status, &client, path).status, 200);
    assert_eq!(fresh(&site, &status, &client, PICTURE).status, 404);
}

#[test]
fn the_picture_of_another_patient_is_not_beside_an_answer() {
    let site = Site::new();
    site.pictures(1);
    let (_screen, client) = Screen::on_loopback(&site);
    let mut status = folder(State::Positive);
    let shown = |page: &Answer| shows(page, State::Positive);
    let page = until(|| fresh(&site, &status, &client, "/"), shown);
    assert!(page.text().contains("/picture/1"));
    // The next patient's picture was judged while this one has its turn.
    status.picture.as_mut().unwrap().case = Some(5);
    let other = |page: &Answer| shown(page) && !page.text().contains("/picture/1");
    let page = until(|| fresh(&site, &status, &client, "/"), other);
    assert!(page.text().contains(&Language::English.text("picture-other")), "{}", page.text());
    // Nobody has a turn: the worst that needs a person is named, and the picture is that one's.
    let list = status.worklist.as_mut().unwrap();
    (list.turn, list.need_person) = (None, 2);
    status.picture.as_mut().unwrap().case = Some(3);
    let named = |page: &Answer| shown(page) && page.text().contains("A-1003");
    let text = until(|| fresh(&site, &status, &client, "/"), named).text();
    assert!(text.contains("/picture/1") && text.contains("value=\"3\""), "{text}");
    assert!(text.contains("1 other patient needs a person"), "{text}");
    let text = fresh(&site, &status, &client, "/today").text();
    assert!(text.contains("A-1003 &lt;b&gt;&amp;&quot;bold&quot;"), "a name is text: {text}");
}

/// A page whose script did not come, or without scripts one whose next version did not, stayed as it
/// was for ever.
#[test]
fn what_nobody_keeps_up_to_date_is_hidden() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    for (path, live) in [("/", true), ("/today", true), ("/aim", true), ("/figures", false)] {
        let text = client.get(path).text();
        let deaf = text.split_once("</template>").map(|(_, after)| after).unwrap_or_default();
        assert_eq!(deaf.starts_with("<div id=\"deaf\"><section class=\"answer fault\""), live, "{text}");
        let told = Language::English.text("page-lost");
        assert_eq!(deaf.contains(&told), live, "{text}");
        assert_eq!(text.contains("http-equiv=\"refresh\" content=\"2\""), live, "{text}");
    }
    let style = client.get("/screen.css").text();
    for rule in ["#live { animation: unheard 1ms step-end 4s forwards; }", "#live.heard, #live.heard ~ #deaf"]
    {
        assert!(style.contains(rule), "{rule}");
    }
    assert!(client.get("/screen.js").text().contains("live.classList.add(\"heard\")"));
}

/// Amber for another child, with a name, its NEGATIVE score and nothing more, read as that child's.
#[test]
fn amber_for_others_says_what_the_named_one_s_answer_is_and_who_the_other_is() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let mut status = folder(State::Negative);
    let reason = Reason::Unacknowledged(1);
    status.shown = Some(Indication { state: State::Refer, reason });
    let page = until(|| fresh(&site, &status, &client, "/"), |page| shows(page, State::Refer));
    let text = page.text();
    assert!(text.contains("<strong>A-1004</strong>: by itself NEGATIVE"), "{text}");
    assert!(text.contains("1 other patient needs a person</a>: <strong>A-1003"), "{text}");
    // The reminder: the one that is named is the other.
    let list = status.worklist.as_mut().unwrap();
    list.turn = None;
    let named = |page: &Answer| page.text().contains("by itself POSITIVE");
    let text = until(|| fresh(&site, &status, &client, "/"), named).text();
    assert!(text.matches("<strong>A-100").count() == 1 && text.contains("<strong>A-1003"), "{text}");
}

/// Both pages told answers that the lights had not shown.
#[test]
fn no_page_tells_an_answer_before_the_lights_do() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    let status = folder(State::Refer);
    let today = until(|| fresh(&site, &status, &client, "/today"), |page| page.text().contains("A-1005"));
    let text = today.text();
    let row = |name: &str| text.split("<tr").find(|row| row.contains(name)).unwrap().to_owned();
    assert!(row("A-1004").contains("small refer"), "{text}");
    assert!(!row("A-1005").contains("small "), "it waits: {text}");
    for (number, state, told) in [(2, State::Negative, false), (3, State::Invalid, true)] {
        let status =
            status::Status { shown: None, picture: Some(picture(number, None, state)), ..camera(state) };
        until(|| fresh(&site, &status, &client, "/"), |page| page.text().contains("data-state=\"waiting\""));
        let aim = |page: &Answer| page.text().contains(&format!("/picture/{number}"));
        let text = until(|| fresh(&site, &status, &client, "/aim"), aim).text();
        let live = text.split("<template").next().unwrap();
        assert_eq!(live.contains(&Language::English.state(state)), told, "{text}");
    }
}

#[test]
fn what_a_status_names_is_a_file_of_its_folder() {
    let site = Site::new();
    let (_screen, client) = Screen::on_loopback(&site);
    std::fs::write(site.path("secret.png"), "secret").unwrap();
    std::os::unix::fs::symlink(site.path("secret.png"), site.path("status").join("picture-2.png")).unwrap();
    for file in ["../secret.png", "/etc/hostname", "status.json", ".png", "picture-2.png"] {
        let mut status = camera(State::Refer);
        status.picture.as_mut().unwrap().file = file.into();
        until(|| fresh(&site, &status, &client, "/"), |page| shows(page, State::Refer));
        let answer = client.get(PICTURE);
        assert_eq!(answer.status, 404, "{file}");
        assert!(!answer.text().contains("secret"));
    }
}
