//! What device and screen write for each other, damaged: a status or acknowledgements that are the same
//! when written again, or an error of one line; and whatever a status says, each page of the screen
//! shows it in each language, and none of it becomes a part of the page's own text.
#![no_main]

use fuzz::site::{self, Door};
use fuzz::{assert_one_line, planted_fault};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use status::{Acknowledgements, MOST_ACKNOWLEDGEMENTS, Status, Versioned, parse};
use std::path::Path;

const PAGES: [&str; 4] = ["/", "/today", "/figures", "/aim"];
const LANGUAGES: [&str; 5] = ["en", "fr", "es", "pt", "sw"];

fuzz_target!(|bytes: &[u8]| {
    if let Some(said) = same::<Acknowledgements>(bytes) {
        let kept = Acknowledgements::new(said.entries.clone());
        assert!(kept.entries.len() <= MOST_ACKNOWLEDGEMENTS && said.entries.ends_with(&kept.entries));
    }
    let Some(said) = same::<Status>(bytes) else { return };
    let chance = bytes.iter().fold(0usize, |sum, byte| sum + usize::from(*byte));
    let language = LANGUAGES[chance % LANGUAGES.len()];
    site::with(|site| {
        site.show(said.clone());
        for page in PAGES {
            let head =
                format!("GET {page} HTTP/1.1\r\nHost: localhost\r\nCookie: language={language}\r\n\r\n");
            let answer = site.ask(Door::Loopback, head.as_bytes());
            let mut text = String::from_utf8(answer).expect("a page is UTF-8");
            if planted_fault() {
                text.truncate(text.len() / 2);
            }
            assert!(text.starts_with("HTTP/1.1 200 ") && text.ends_with("</html>"), "{page}: {text}");
            // Its own, where the page is a live one.
            assert!(text.matches("<script").count() <= 1, "{page}: {text}");
        }
    });
});

/// The value, where the bytes are one: written again it is read as the same.
fn same<T: Versioned + Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    bytes: &[u8],
) -> Option<T> {
    let said: T = parse(bytes, Path::new("file")).inspect_err(|error| assert_one_line(error)).ok()?;
    let again = serde_json::to_vec(&said).expect("what was read can be written");
    assert_eq!(parse::<T>(&again, Path::new("file")).expect("and read again"), said);
    Some(said)
}
