//! A log and a cursor, as the delivery reads them: each line that holds gives messages, in order, and
//! the same ones again; nothing else is passed off as a line.
//!
//! The first line of the input is the cursor's file; the lines behind it are the log. Nearly every
//! changed byte breaks a line's hash; so a line that begins with `+` is put in its place in the chain
//! and gets its hash, and one that begins with `=` gets its hash alone.
#![no_main]

use deliver::cursor_file::{CursorFile, CursorStore};
use deliver::message::{self, Sender};
use deliver::outbox::Outbox;
use edge_runtime::log::{FollowedLine, Hash};
use fuzz::{assert_one_line, planted_fault, room};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let (cursor, lines) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()));
    let folder = room();
    let log = folder.path().join("log.jsonl");
    let count = {
        let written = chained(lines);
        std::fs::write(&log, &written).expect("room for a file");
        written.iter().filter(|byte| **byte == b'\n').count()
    };
    // From the beginning: the lines that hold, at most once each.
    let mut store = CursorFile::new(folder.path(), "none");
    let whole = delivered(&log, &mut store, count);
    // Noted and read again, nothing is left.
    assert_eq!(store.load().expect("just written").last(), whole.last().map(|line| line.step.point));
    // From a cursor that somebody has damaged.
    std::fs::write(folder.path().join("some.cursor.json"), cursor).expect("room for a file");
    let mut store = CursorFile::new(folder.path(), "some");
    if let Err(error) = store.load() {
        assert_one_line(&error);
    }
    let rest = delivered(&log, &mut store, count);
    // What is sent again is what was sent.
    for line in &rest {
        let same = whole.iter().find(|known| known.step.point == line.step.point);
        assert!(same.is_none_or(|known| messages(known, None) == messages(line, None)));
    }
});

/// The log's bytes.
fn chained(lines: &[u8]) -> Vec<u8> {
    let (mut log, mut seq, mut prev) = (Vec::new(), 0u64, Hash::ZERO);
    for line in lines.split(|byte| *byte == b'\n').skip(1) {
        let content = match line {
            [b'+', rest @ ..] => {
                let content = [format!("{{\"seq\":{seq},\"prev\":\"{prev}\",").as_bytes(), rest].concat();
                (seq, prev) = (seq + 1, Hash::of(&content));
                content
            }
            [b'=', rest @ ..] => rest.to_vec(),
            _ => {
                log.extend_from_slice(line);
                log.push(b'\n');
                continue;
            }
        };
        log.extend_from_slice(&content);
        log.extend_from_slice(format!(",\"hash\":\"{}\"}}\n", Hash::of(&content)).as_bytes());
    }
    log
}

/// All that is read from the cursor in `store` on, of a log of so many lines.
fn delivered(log: &Path, store: &mut CursorFile, lines: usize) -> Vec<FollowedLine> {
    let sender = Sender { site: "clinic".into(), device: "ward-3".into() };
    let mut outbox = Outbox::open(log, store.clone());
    let mut read: Vec<FollowedLine> = Vec::new();
    while let Some(line) = outbox.next_line().expect("a file that is there is read") {
        assert!(read.len() < lines, "more lines than there are");
        for bytes in messages(&line, Some(&sender)) {
            let said: serde_json::Value = serde_json::from_slice(&bytes).expect("a message is JSON");
            assert_eq!(said["device"], "ward-3");
            let line = line.entry.hash.to_string();
            assert_eq!(said["line"], if planted_fault() { "" } else { line.as_str() });
        }
        assert_eq!(line.entry.hash, line.step.point.hash);
        outbox.delivered(line.step);
        read.push(line);
    }
    outbox.save(true);
    assert_eq!(outbox.trouble().is_some(), read.is_empty() && store.load().is_err());
    read
}

/// The bytes of a line's messages; `sender` where the gap before it is told too.
fn messages(line: &FollowedLine, sender: Option<&Sender>) -> Vec<Vec<u8>> {
    let nobody = Sender { site: String::new(), device: String::new() };
    let gap = line.gap.filter(|_| sender.is_some());
    let all = message::of(sender.unwrap_or(&nobody), gap, &line.entry).expect("a line can be written");
    all.into_iter().map(|message| message.payload).collect()
}
