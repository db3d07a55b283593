//! What the network may do: too many, too slow, too long, and paths that lead elsewhere.

use crate::support::{Client, PIN, Screen, Site, camera, folder, shipped};
use edge_core::State;
use std::io::{Read, Write};

/// Most memory that the shipped screen may take: 12 MB, in KiB.
const MOST_KIB: u64 = 12_000_000 / 1024;

/// Most that all this may add to what it takes by itself, in KiB: the tests' own program is not
/// optimised, and several times as large.
const MOST_MORE_KIB: u64 = 6_144;

/// The most memory that a process has had, in KiB.
fn most_kib(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// So many connections that have said `begun` and then nothing.
fn idle<W: Write>(count: usize, open: impl Fn() -> W, begun: impl AsRef<[u8]>) -> Vec<W> {
    let open = |_| {
        let mut stream = open();
        // It may be closed already: there are too many.
        let _ = stream.write_all(begun.as_ref()).and_then(|()| stream.flush());
        stream
    };
    (0..count).map(open).collect()
}

/// The beginning of a handshake that says to have `length` bytes, of which so many come.
fn half_a_handshake(length: usize, come: usize) -> Vec<u8> {
    let [.., high, middle, low] = length.to_be_bytes();
    let mut message = vec![1, high, middle, low, 3, 3];
    message.resize(come, 0);
    // In records of 16 KiB, the longest that there are.
    let record = |part: &[u8]| {
        let [.., high, low] = part.len().to_be_bytes();
        [&[22, 3, 1, high, low], part].concat()
    };
    message.chunks(16 << 10).flat_map(record).collect()
}

#[test]
fn a_thousand_connections_slow_ones_and_long_heads_neither_stop_it_nor_fill_its_memory() {
    withstands("listen = [\"0.0.0.0:0\"]\nplain = true", |client, _| client, 1000);
}

/// What is asked for outside of the loopback unless somebody switches it off. Both ends calculate for
/// each handshake, so a sixth of those connections come that finish theirs: five times as many as are kept.
#[test]
fn encrypted_it_withstands_the_same_and_handshakes_that_never_end() {
    withstands("listen = [\"0.0.0.0:0\"]", Client::encrypted, 160);
}

/// `many` connections of each kind that needs a handshake where there is encryption, a thousand of
/// each that needs none.
fn withstands(server: &str, through: impl Fn(Client, &Site) -> Client, many: usize) {
    let site = Site::new();
    site.set_pin();
    site.pictures(1);
    site.write(&folder(State::Positive));
    let screen = Screen::start(&site.config(server), 1);
    let client = through(screen.client(0), &site);
    let idle_kib = most_kib(screen.id());
    let sign_in = || {
        let page = client.get("/login");
        let answer = client.post("/login", &[("token", &page.field("token")), ("pin", PIN)]);
        assert_eq!(answer.status, 303, "{}", answer.text());
    };
    sign_in();
    let answers = |beside: &str| {
        let status = folder(State::Refer);
        let page = crate::pages::until(
            || crate::pages::fresh(&site, &status, &client, "/"),
            |page| page.text().contains("data-state=\"refer\""),
        );
        assert_eq!(page.status, 200);
        assert!(page.text().contains("data-state=\"refer\""), "{beside}: {}", page.text());
        println!("{}: {} KiB at most", beside, most_kib(screen.id()));
    };
    let silent = idle(1000, || client.connect(), "");
    answers("silent");
    let slow = idle(many, || client.open(), "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ");
    answers("slow heads");
    // Where nothing is encrypted, heads that are none.
    let short = idle(1000, || client.connect(), half_a_handshake(200, 100));
    answers("half handshakes");
    let endless = idle(1000, || client.connect(), half_a_handshake(65_535, 65_000));
    answers("endless handshakes");
    // A PIN's check takes the most memory, and must give it back.
    (0..4).for_each(|_| sign_in());
    answers("PINs beside them");
    let asking = idle(many.min(200), || client.open(), "GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    answers("pages that nobody reads");
    let streams: Vec<_> = (0..many.min(200)).map(|_| client.events("now")).collect();
    answers("streams");
    // A body that never comes, and one that is too long.
    let promised = "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n";
    let waiting = idle(100, || client.open(), promised);
    answers("forms that never come");
    let long = "x".repeat(100_000);
    let head = client.request(&format!("GET /?{long}"), "\r\n");
    for request in [head, client.request("GET /", &format!("X: {long}\r\n\r\n"))] {
        let mut stream = client.open();
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let status = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || status.starts_with("HTTP/1.1 4"), "{status}");
    }
    let token = client.get("/").field("token");
    assert_eq!(client.post("/acknowledge", &[("token", &token), ("case", &long[..9000])]).status, 413);
    for bytes in [
        &[0u8, 255, 10, 13][..],
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let _ = client.connect().write_all(bytes);
        let _ = client.open().write_all(bytes);
    }
    answers("long heads and none");
    drop((silent, slow, short, endless, asking, streams, waiting));
    answers("nothing any more");
    let most = most_kib(screen.id());
    println!("{server:?}: the screen took {idle_kib} KiB at first and {most} KiB at most");
    let bound = if shipped().is_some() { MOST_KIB } else { idle_kib + MOST_MORE_KIB };
    assert!(most <= bound, "{most} KiB, and {idle_kib} KiB at first");
}

#[test]
fn a_planted_hog_is_over_the_bound() {
    // This process holds what the screen must not.
    let held = vec![1u8; (MOST_KIB as usize + 1024) << 10];
    assert!(most_kib(std::process::id()) > MOST_KIB);
    assert_eq!(held[held.len() / 2], 1);
}

#[test]
fn paths_that_lead_elsewhere_lead_nowhere() {
    let site = Site::new();
    site.pictures(1);
    site.write(&camera(State::Negative));
    let (_screen, client) = Screen::on_loopback(&site);
    for path in [
        "/../status.json",
        "/status/status.json",
        "/picture/../heat/1",
        "/picture/..%2f..%2fstatus.json",
        "/picture/%2e%2e/status.json",
        "/picture/01",
        "/picture/1/",
        "/picture/+1",
        "/picture/1.png",
        "/picture/18446744073709551616",
        "/picture/%00",
        "//",
        "/./",
        "/screen.css/../screen.js",
        "/language/../figures",
        "/language/de",
        "/figures.csv/",
        "/%",
        "/acknowledged.json",
        "/.well-known/x",
    ] {
        for run in ["", "?0123456789abcdef"] {
            assert_eq!(client.get(&format!("{path}{run}")).status, 404, "{path}{run}");
        }
    }
    assert_eq!(client.get("/picture/%ff").status, 400, "no UTF-8");
    let status = camera(State::Negative);
    let page = || crate::pages::fresh(&site, &status, &client, crate::pages::PICTURE);
    assert_eq!(crate::pages::until(page, |answer| answer.status == 200).status, 200);
    for (method, path, status) in [
        ("PUT", "/", 405),
        ("DELETE", "/picture/1", 405),
        ("GET", "/acknowledge", 405),
        ("OPTIONS", "*", 404),
    ] {
        assert_eq!(
            client.send(&client.request(&format!("{method} {path}"), "\r\n")).status,
            status,
            "{method} {path}"
        );
    }
    // Nobody is sent to another site.
    let answer = client.get("/language/fr?back=https://evil.example/");
    assert_eq!(answer.header("location"), "/");
    let answer = client.get("/language/fr?back=//evil.example/");
    assert_eq!(answer.header("location"), "/");
}

/// Requests that are nearly good: bytes of them changed, left out, said twice.
#[test]
fn whatever_comes_it_goes_on_answering() {
    let site = Site::new();
    site.set_pin();
    site.write(&camera(State::Negative));
    let config = site.config("listen = [\"127.0.0.1:0\", \"0.0.0.0:0\"]\nplain = true");
    let screen = Screen::start(&config, 2);
    let mut random = 17;
    let mut below = |most: usize| test_support::random(&mut random) as usize % most;
    for turn in 0..600 {
        let client = screen.client(turn % 2);
        let good = [
            client.request("GET /today", "Cookie: language=fr; pneumoscope=0\r\n\r\n"),
            client.request("POST /login", "Content-Length: 31\r\n\r\ntoken=0&pin=%31%32&back=/figures"),
            client.request("GET /events?page=now", "\r\n"),
            client.request(
                &format!("GET {}", crate::pages::PICTURE),
                "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
            ),
        ];
        let mut bytes = good[below(4)].clone().into_bytes();
        for _ in 0..=below(4) {
            let at = below(bytes.len());
            match below(4) {
                0 => bytes[at] = below(256) as u8,
                1 => drop(bytes.drain(at..(at + below(20)).min(bytes.len()))),
                2 => bytes
                    .splice(at..at, [b"\r\n", &b"%00"[..], b"\xff\xfe", b"  "][below(4)].iter().copied())
                    .for_each(drop),
                _ => bytes.truncate(at.max(1)),
            }
            bytes.push(b'\n');
        }
        let mut stream = client.connect();
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        // Events never end; their first bytes are answer enough.
        let _ = stream.read(&mut [0; 256]);
    }
    assert_eq!(screen.client(0).get("/").status, 200);
    assert_eq!(screen.client(1).get("/").status, 303);
}
