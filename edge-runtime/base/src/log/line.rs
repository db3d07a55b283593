//! One line of the log: how it is written, and how it is checked by itself.
//!
//! ```text
//! {"seq":7,"prev":"<hash of line 6>","time":"...","uptime_ms":...,"boot_id":"...","decision":{...},"hash":"<hash>"}
//! ```
//!
//! `hash` is the SHA-256 of all bytes before `,"hash":`, `prev` the one of the line before; the
//! first line's is zeros. So each hash stands for its line and all before it. Nobody's key is in
//! it: it finds damage and carelessness, and whoever noted a hash elsewhere can hold the log to it;
//! against somebody who rewrites the whole log it is no proof.

use super::chain::{Hash, Link};
use super::record::{Event, Record, RecordForm};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use std::time::SystemTime;

/// Longest line, in bytes; texts from outside are clipped so that none comes near it.
pub const MAX: usize = 16 * 1024;

#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    Decision(&'a Record<'a>),
    Event(&'a Event<'a>),
}

#[derive(Serialize)]
struct Form<'a> {
    seq: u64,
    prev: Hash,
    time: Shown<Timestamp>,
    uptime_ms: u64,
    boot_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<RecordForm<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a Event<'a>>,
}

/// Serialised as it is displayed, without a string in between.
struct Shown<T>(T);

impl Serialize for Shown<Timestamp> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

const TRAILER: &[u8] = b",\"hash\":\"";
/// What follows the hash, without the newline.
const END: &[u8] = b"\"}";

/// Writes a whole line with its newline into `buffer`, which is emptied first, and returns its
/// hash.
pub(super) fn write(
    buffer: &mut Vec<u8>,
    link: Link,
    boot_id: &str,
    body: Body<'_>,
    log_names: bool,
) -> serde_json::Result<Hash> {
    buffer.clear();
    let (decision, event) = match body {
        Body::Decision(record) => (Some(RecordForm::new(record, log_names)), None),
        Body::Event(event) => (None, Some(event)),
    };
    // A clock outside jiff's years -9999 to 9999 has no date; the order of lines does not hang on it.
    let time = Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH);
    let uptime_ms = crate::clock::monotonic_ms();
    let form =
        Form { seq: link.seq, prev: link.prev, time: Shown(time), uptime_ms, boot_id, decision, event };
    serde_json::to_writer(&mut *buffer, &form)?;
    buffer.pop(); // the closing brace comes after the hash
    let hash = Hash::of(buffer);
    buffer.extend_from_slice(TRAILER);
    buffer.extend_from_slice(&hash.hex());
    buffer.extend_from_slice(END);
    buffer.push(b'\n');
    Ok(hash)
}

/// A line that holds by itself.
#[derive(Clone, Debug)]
pub struct Checked {
    pub link: Link,
    pub hash: Hash,
    /// Where it closes a file: where the log begins once that file was rotated, if the device could
    /// tell.
    pub closes: Option<Option<Link>>,
    /// Where it tells that a file was set aside: that file's name.
    pub set_aside: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    Malformed,
    /// It is, but its content is not what was written.
    Changed {
        stated: Hash,
        /// The hash of what it holds.
        computed: Hash,
    },
}

/// The part of a line that the chain needs.
#[derive(Deserialize)]
struct Links<'a> {
    seq: u64,
    prev: Hash,
    #[serde(borrow)]
    event: Option<Told<'a>>,
}

#[derive(Deserialize)]
struct Told<'a> {
    what: &'a str,
    begins: Option<Link>,
    file: Option<String>,
}

/// Checks a line, without its newline, by itself: form and hash.
pub fn check(line: &[u8]) -> Result<Checked, Flaw> {
    let (content, stated) = split(line).ok_or(Flaw::Malformed)?;
    let computed = Hash::of(content);
    if computed != stated {
        return Err(Flaw::Changed { stated, computed });
    }
    let links: Links = serde_json::from_slice(line).map_err(|_| Flaw::Malformed)?;
    let (mut closes, mut set_aside) = (None, None);
    match links.event {
        Some(Told { what: "closed", begins, .. }) => closes = Some(begins),
        Some(Told { what: "set_aside", file, .. }) => set_aside = Some(file.unwrap_or_default()),
        _ => {}
    }
    Ok(Checked { link: Link { seq: links.seq, prev: links.prev }, hash: computed, closes, set_aside })
}

/// The hash that a line states, which need not be its own.
pub fn stated(line: &[u8]) -> Option<Hash> {
    split(line).map(|(_, stated)| stated)
}

/// The hashed bytes of a line and the hash that it states.
fn split(line: &[u8]) -> Option<(&[u8], Hash)> {
    let rest = line.strip_suffix(END)?;
    let (rest, hex) = rest.split_at_checked(rest.len().checked_sub(64)?)?;
    Some((rest.strip_suffix(TRAILER)?, Hash::parse(str::from_utf8(hex).ok()?)?))
}
