//! What programs give each other: signed models, a log with a cursor, a status, a browser's requests.

use crate::Seed;
use bundle::{Golden, sign, sign_file};
use edge_core::State;
use edge_model::model_file::ModelFile;
use edge_model::pack::pack;
use fuzz::site;
use status::{Acknowledgement, Acknowledgements, Status};
use test_support::model;
use test_support::status::camera;

/// Signed models for both kinds of machine, whole and damaged, and key files.
pub fn bundles() -> Vec<Seed> {
    const SECRET: [u8; 32] = [7; 32];
    let file = model::bytes(&model::sealed(8, 1));
    let read = ModelFile::from_bytes(&file).expect("a valid model");
    let golden = Golden { input: &[0x80; 64], logit_bits: 1.5f32.to_bits() };
    let version = &read.metadata().version;
    let linux = sign_file(&file, version, &golden, &SECRET).expect("a version");
    let other = sign_file(&file, "4095.0.1", &golden, &SECRET).expect("a version");
    let board = sign(&pack(&read).expect("in the exact form"), &golden, &SECRET).expect("of its size");
    let mut unsigned = linux.clone();
    unsigned[200] ^= 1;
    let seeds = [
        ("cut", linux[..300].to_vec()),
        ("unsigned", unsigned),
        ("linux", linux),
        ("other-version", other),
        ("board", board),
        (
            "key",
            b"# The clinic's\nd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\n".to_vec(),
        ),
        ("two-keys", b"d75a\nd75a\n".to_vec()),
    ];
    seeds.map(|(name, bytes)| (name.to_owned(), bytes)).into()
}

/// A cursor's file in the first line, a log behind it.
pub fn logs() -> Vec<Seed> {
    let zeros = "0".repeat(64);
    let head = "\"time\":\"2026-11-29T23:00:00.000Z\",\"uptime_ms\":1000,\"boot_id\":\"b\",";
    let reason = "{\"code\":1,\"text\":\"above the threshold\",\"numbers\":[740,930]}";
    let model =
        "\"preprocessing\":\"p\",\"model_sha256\":\"ab\",\"model_version\":\"1.2.3\",\"engine\":\"core\"";
    let rest = format!(
        "\"negative_below\":0.2,\"positive_above\":0.7,\"logit\":2.5,\"score\":0.93,\"state\":\"POSITIVE\",\
         \"reason\":{reason},\"shown_state\":\"POSITIVE\",\"shown_reason\":{reason},\"agreeing\":1,\"needed\":1,\
         \"latency_us\":1234}}"
    );
    let decision = format!(
        "{head}\"decision\":{{\"source\":\"folder:inbox\",\"name_sha256\":\"{zeros}\",\"frame_sha256\":\"{zeros}\",{model},{rest}"
    );
    let named = format!(
        "{head}\"decision\":{{\"source\":\"folder:inbox\",\"name\":\"a\\u0007\",\"pictures\":2,\
         \"exam\":{{\"accession_number\":\"A-1\"}},{model},{rest}"
    );
    let event = |what: &str| format!("{head}\"event\":{{\"what\":{what}}}");
    let began = event("\"fault_began\",\"reason\":{\"text\":\"camera lost\"}");
    let closed = event(&format!("\"closed\",\"begins\":{{\"seq\":1,\"prev\":\"{zeros}\"}}"));
    let cursor =
        |points: &str| format!("{{\"version\":1,\"cursor\":{{\"points\":[{points}],\"closing\":null}}}}");
    let far = format!("{{\"seq\":1,\"hash\":\"{zeros}\"}}");
    let seeds = [
        ("three-lines", format!("{}\n+{}\n+{decision}\n+{began}", cursor(""), event("\"started\""))),
        ("named", format!("{}\n+{named}\n+{closed}\n+{decision}", cursor(&far))),
        (
            "damaged-between",
            format!("{{}}\n+{decision}\nnothing\n+{decision}\n={{\"seq\":1,\"prev\":\"{zeros}\",{decision}"),
        ),
        ("gap", format!("{}\n+{decision}\n={{\"seq\":7,\"prev\":\"{zeros}\",{decision}", cursor(&far))),
        (
            "twice",
            format!(
                "no cursor\n={{\"seq\":0,\"prev\":\"{zeros}\",{decision}\n={{\"seq\":0,\"prev\":\"{zeros}\",{decision}"
            ),
        ),
        ("other-version", "{\"version\":2,\"cursor\":{\"points\":[]}}\n+".to_owned()),
    ];
    // A line that is not whole yet has no newline.
    seeds.map(|(name, text)| (name.to_owned(), format!("{text}\n").into_bytes())).into()
}

/// What the device says in each of its states, and what was tapped.
pub fn statuses() -> Vec<Seed> {
    let folder = Status { monotonic_ms: 60_000, shown_since_ms: 55_000, ..site::status() };
    let said = |state| camera(state, 60_000);
    let trouble = Some("<script>alert(1)</script>".to_owned());
    let fault = Status { picture: None, trouble, ..said(State::Fault) };
    let dark = Status { shown: None, ..folder.clone() };
    let json = |status: &Status| serde_json::to_vec(status).expect("written to memory");
    let tap = |number| Acknowledgement { number, run: "0123456789abcdef".into(), case: 4, pictures: 1 };
    let taps = Acknowledgements::new((1..=3).map(tap).collect());
    let many = Acknowledgements { entries: (1..=70).map(tap).collect(), ..taps.clone() };
    let taps = |taps: &Acknowledgements| serde_json::to_vec(taps).expect("written to memory");
    let cut = json(&folder)[..200].to_vec();
    let control = String::from_utf8(json(&folder)).expect("JSON").replacen("POSITIVE", "POS\u{7f}ITIVE", 1);
    let seeds = [
        ("acknowledged", taps(&Acknowledgements::new(vec![tap(1)]))),
        ("acknowledged-many", taps(&many)),
        ("camera", json(&said(State::Positive))),
        ("cut", cut),
        ("dark", json(&dark)),
        ("fault", json(&fault)),
        ("folder", json(&folder)),
        ("found-control", control.into_bytes()),
        ("invalid", json(&said(State::Invalid))),
        ("later-version", b"{\"version\":2}".to_vec()),
    ];
    seeds.map(|(name, bytes)| (name.to_owned(), bytes)).into()
}

/// Requests of a browser, and of others; the first byte says by which door.
pub fn requests() -> Vec<Seed> {
    let get = |path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost:8080\r\nCookie: language=fr; pneumoscope={{cookie}}\r\n\r\n"
        )
    };
    let post = |path: &str, form: &str| {
        // What stands for the token is shorter than it.
        let length = form.len() + if form.contains("{token}") { 64 - "{token}".len() } else { 0 };
        format!(
            "POST {path} HTTP/1.1\r\nHost: 192.0.2.1\r\nCookie: pneumoscope={{cookie}}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        )
    };
    let tap = "run=0123456789abcdef&case=4&pictures=1&back=%2Ftoday&token={token}";
    let chunked =
        "POST /login HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n3\r\npin\r\n0\r\n\r\n";
    let seeds = [
        ("page", 0, get("/")),
        ("today", 2, get("/today")),
        ("figures", 2, get("/figures")),
        ("aim", 0, get("/aim")),
        ("style", 1, get("/screen.css")),
        ("events", 2, get("/events?page=now")),
        ("table", 0, get("/figures.csv")),
        ("picture", 0, get("/picture/7?0123456789abcdef")),
        ("path", 0, get("/picture/..%2f..%2fetc%2fpasswd?%00")),
        ("language", 1, get("/language/sw?back=%2Ftoday")),
        ("stranger", 1, get("/today")),
        ("two-at-once", 0, [get("/today"), get("/aim")].concat()),
        ("login-page", 1, get("/login?back=/aim")),
        ("login", 1, post("/login", "pin=739104&token={token}&back=%2F")),
        ("login-wrong", 1, post("/login", "pin=739105&token={token}")),
        ("logout", 2, post("/logout", "token={token}")),
        ("tap", 0, post("/acknowledge", tap)),
        ("tap-signed-in", 2, post("/acknowledge", tap)),
        ("tap-foreign", 0, post("/acknowledge", &tap.replace("{token}", "0"))),
        ("chunked", 1, chunked.to_owned()),
        ("other-host", 0, get("/").replace("localhost:8080", "evil.example")),
        ("half", 0, get("/")[..20].to_owned()),
    ];
    seeds.map(|(name, door, text)| (name.to_owned(), [&[door][..], text.as_bytes()].concat())).into()
}
