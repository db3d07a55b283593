//! Who may look: the PIN, its throttle, sessions, forms of other sites, and what does not start.

use crate::support::tls::{Trust, fingerprint};
use crate::support::{Client, PIN, Screen, Site, camera, http};
use edge_core::State;
use std::io::Write;

const PLAIN: &str = "listen = [\"0.0.0.0:0\"]\nplain = true";

fn ended(site: &Site, server: &str) -> String {
    let output = Screen::command(&site.config(server), "serve").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn what_others_can_reach_does_not_start_without_a_pin() {
    let site = Site::new();
    for server in ["listen = [\"0.0.0.0:0\"]", PLAIN, "listen = [\"127.0.0.1:0\", \"[::]:0\"]"] {
        let told = ended(&site, server);
        assert!(told.contains("there is no PIN") && told.contains("set-pin"), "{told}");
    }
    std::fs::write(site.path("access").join("pin"), "739104").unwrap();
    let told = ended(&site, PLAIN);
    assert!(told.contains("expected an argon2id hash"), "{told}");
    let check = Screen::command(&site.config(PLAIN), "check-config").output().unwrap();
    assert_eq!(check.status.code(), Some(1));
}

/// As a version set it that took twice the memory for half the rounds.
#[test]
fn a_pin_of_another_version_is_refused_with_what_to_do() {
    let site = Site::new();
    site.set_pin();
    let file = site.path("access").join("pin");
    let hash = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, hash.replace("m=2048,t=8", "m=4096,t=4")).unwrap();
    let told = ended(&site, PLAIN);
    assert!(told.contains("2048 KiB at most, got one of 4096"), "{told}");
    assert!(told.contains("set the PIN again with `sudo pneumoscope-screen set-pin`"), "{told}");
    site.set_pin();
    assert!(Screen::command(&site.config(PLAIN), "check-config").output().unwrap().status.success());
}

#[test]
fn set_pin_takes_what_is_good_and_keeps_its_hash() {
    use std::process::Stdio;
    let site = Site::new();
    let config = site.config(PLAIN);
    for (pin, works) in [("1234\n", false), ("222222\n", false), (&format!("{PIN}\n")[..], true)] {
        let mut command = Screen::command(&config, "set-pin");
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(pin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.success(), works, "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(screen::pin::Pin::read(&site.path("access")).unwrap().unwrap().is(PIN));
    let check = Screen::command(&config, "check-config").output().unwrap();
    assert!(check.status.success());
}

fn enter(client: &Client, pin: &str) -> http::Answer {
    let page = client.get("/login?back=/today");
    client.post("/login", &[("token", &page.field("token")), ("back", "/today"), ("pin", pin)])
}

#[test]
fn the_pin_opens_the_pages_for_one_browser_until_it_leaves() {
    let site = Site::new();
    site.set_pin();
    site.pictures(1);
    let screen = Screen::start(&site.config(&format!("{PLAIN}\nnames = []")), 1);
    assert!(screen.lines[0].contains("NOT ENCRYPTED"), "{:?}", screen.lines);
    let (client, other) = (screen.client(0), screen.client(0));
    for path in ["/", "/today", "/figures", "/aim"] {
        let answer = client.get(path);
        assert_eq!((answer.status, answer.header("location")), (303, &format!("/login?back={path}")[..]));
    }
    for path in ["/events?page=now", "/picture/1", "/heat/1", "/figures.csv", "/nothing"] {
        let answer = client.get(path);
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.text().contains("<h1>Sign in</h1>"), "{path}: {}", answer.text());
    }
    // A tap after the session's end was answered with nothing at all.
    let tap = client.post("/acknowledge", &[]);
    assert_eq!(tap.status, 401);
    assert!(tap.text().contains("<h1>Sign in</h1>"), "{}", tap.text());
    // So were the links of the page that asks for the PIN.
    let swahili = other.get("/language/sw?back=/today");
    assert_eq!((swahili.status, swahili.header("location")), (303, "/today"));
    assert!(other.get("/login").text().contains("<html lang=\"sw\">"));
    // A form of another site does not know the token, and none is taken without.
    assert_eq!(client.post("/login", &[("pin", PIN)]).status, 403);
    assert_eq!(client.post("/login", &[("pin", PIN), ("token", &"0".repeat(64))]).status, 403);
    assert_eq!(client.get("/").status, 303);
    let wrong = enter(&client, "739105");
    assert_eq!(wrong.status, 403);
    assert!(wrong.text().contains("That is not the PIN"));
    let before = client.cookies.borrow()["pneumoscope"].clone();
    let right = enter(&client, PIN);
    assert_eq!((right.status, right.header("location")), (303, "/today"));
    let cookie = right.header("set-cookie");
    assert!(
        cookie.contains("HttpOnly; SameSite=Strict; Max-Age=43200") && !cookie.contains("Secure"),
        "{cookie}"
    );
    assert_ne!(client.cookies.borrow()["pneumoscope"], before, "whoever knew the old cookie is not let in");
    assert_eq!(client.get("/").status, 200);
    let status = camera(State::Positive);
    let picture = || crate::pages::fresh(&site, &status, &client, crate::pages::PICTURE);
    assert_eq!(crate::pages::until(picture, |answer| answer.status == 200).status, 200);
    assert_eq!(other.get("/").status, 303, "another browser");
    // Its own token, not another's.
    let token = client.get("/today").field("token");
    assert_eq!(client.post("/logout", &[("token", &other.get("/login").field("token"))]).status, 403);
    assert_eq!(client.get("/").status, 200);
    assert_eq!(client.post("/logout", &[("token", &token)]).status, 303);
    assert_eq!(client.get("/").status, 303);
}

#[test]
fn who_is_wrong_too_often_waits_with_the_right_pin_too() {
    let site = Site::new();
    site.set_pin();
    let screen = Screen::start(&site.config(PLAIN), 1);
    let client = screen.client(0);
    // The waits double, so that a slow machine comes to one as well.
    let told = (0..12).map(|_| enter(&client, "wrong-pin").status).collect::<Vec<_>>();
    assert_eq!(told[..3], [403; 3]);
    assert!(told.contains(&429), "{told:?}");
    let answer = enter(&client, PIN);
    assert_eq!(answer.status, 429);
    assert!(answer.text().contains("Too many tries"), "{}", answer.text());
    assert_eq!(client.get("/").status, 303);
}

#[test]
fn the_loopback_beside_an_open_address_needs_no_pin() {
    let site = Site::new();
    site.set_pin();
    site.write(&camera(State::Negative));
    let screen = Screen::start(&site.config("listen = [\"127.0.0.1:0\", \"0.0.0.0:0\"]\nplain = true"), 2);
    assert_eq!(screen.client(0).get("/").status, 200);
    assert_eq!(screen.client(1).get("/").status, 303);
}

#[test]
fn other_addresses_are_encrypted_with_the_certificate_whose_fingerprint_is_said() {
    let site = Site::new();
    site.set_pin();
    let config = site.config("listen = [\"0.0.0.0:0\"]");
    let screen = Screen::start(&config, 1);
    assert!(screen.lines[1].starts_with("https://"), "{:?}", screen.lines);
    let plain = screen.client(0);

    // What a browser would show of the certificate that it is given, and of the file.
    let mut stream = Trust::of(&site).over(plain.connect());
    stream.conn.complete_io(&mut stream.sock).unwrap();
    let shown = fingerprint(&stream.conn.peer_certificates().unwrap()[0]);
    assert_eq!(shown, fingerprint(&std::fs::read(site.path("access").join("certificate.der")).unwrap()));
    assert_eq!(screen.lines[0], format!("certificate's SHA-256 fingerprint: {shown}"));
    let told = Screen::command(&config, "fingerprint").output().unwrap();
    assert_eq!(String::from_utf8(told.stdout).unwrap(), format!("{shown}\n"));

    let client = screen.client(0).encrypted(&site);
    let answer = client.get("/login");
    assert_eq!(answer.status, 200);
    assert!(answer.header("set-cookie").ends_with("; Secure"), "{}", answer.header("set-cookie"));
    // Without encryption nothing is said.
    assert_eq!(plain.get("/login").status, 0);
}

#[test]
fn a_fingerprint_is_a_sha_256_in_pairs_of_digits() {
    // Of FIPS 180-4's examples.
    let abc =
        "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";
    assert_eq!(fingerprint(b"abc"), abc);
}

#[test]
fn a_name_that_is_not_ours_is_refused() {
    let site = Site::new();
    let config = site.config("listen = [\"127.0.0.1:0\"]\nnames = [\"ward.example\"]");
    let screen = Screen::start(&config, 1);
    let client = screen.client(0);
    let asked = |host: &str| {
        client.send(&format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).status
    };
    assert_eq!([asked("ward.example"), asked("localhost:80"), asked("evil.example")], [200, 200, 421]);
}
