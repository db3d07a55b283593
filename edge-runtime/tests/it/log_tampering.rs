//! Any change of a log is found: bytes changed, lines removed, repeated or moved, files removed; in
//! every file of a rotated one.

use crate::support::log::{SMALL, files, kinds, names, place, write};
use edge_runtime::log::{Hash, Kind, Log, Verified, verify};
use proptest::prelude::*;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The files of a rotated log whose oldest lines were deleted, name and content, the oldest first.
fn original() -> &'static Vec<(String, Vec<u8>)> {
    static LOG: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    LOG.get_or_init(|| {
        let (_folder, path) = place();
        let mut log = Log::open(&path, SMALL).unwrap();
        (0..20).for_each(|i| write(&mut log, &i.to_string()).unwrap());
        drop(log);
        let name = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().to_owned();
        files(&path).iter().map(|file| (name(file), fs::read(file).unwrap())).collect()
    })
}

fn check(files: &[(String, Vec<u8>)], noted: &[Hash], last: Option<Hash>) -> Verified {
    let (_folder, path) = place();
    for (name, bytes) in files {
        fs::write(path.with_file_name(name), bytes).unwrap();
    }
    verify(path, noted, last).unwrap()
}

/// All lines with their newlines: file, then lines.
fn split() -> Vec<Vec<Vec<u8>>> {
    let lines = |bytes: &[u8]| bytes.split_inclusive(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
    original().iter().map(|(_, bytes)| lines(bytes)).collect()
}

/// The place of each line: file, then line.
fn places(lines: &[Vec<Vec<u8>>]) -> Vec<(usize, usize)> {
    (0..lines.len()).flat_map(|file| (0..lines[file].len()).map(move |line| (file, line))).collect()
}

fn joined(lines: &[Vec<Vec<u8>>]) -> Vec<(String, Vec<u8>)> {
    original().iter().zip(lines).map(|((name, _), lines)| (name.clone(), lines.concat())).collect()
}

#[test]
fn what_was_not_touched_is_sound() {
    assert_eq!(original().len(), 4);
    let verified = check(original(), &[], None);
    assert!(verified.is_sound(), "{:?}", verified.breaks);
    assert!(verified.first.unwrap().seq > 0, "the oldest lines were deleted by rotation");
    assert_eq!(verified.lines, split().iter().map(|file| file.len() as u64).sum::<u64>());
    assert_eq!(joined(&split()), *original());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_byte_changed(file in 0usize..4, at in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut files = original().clone();
        let at = at.index(files[file].1.len());
        files[file].1[at] ^= flip;
        let verified = check(&files, &[], None);
        prop_assert!(!verified.is_sound(), "byte {at} of file {file}");
        // And the line is named: the one that holds the byte, or for its newline the one after.
        let line = 1 + files[file].1[..at].iter().filter(|&&b| b == b'\n').count() as u64;
        let named = &verified.breaks[0];
        prop_assert!(named.file.ends_with(&files[file].0) && named.line == line, "{named:?}, line {line}");
    }

}

proptest! {
    // Fewer: a device waits for its disk in each.
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000), cut in any::<prop::sample::Index>()) {
        check(&[("device.log".to_owned(), bytes.clone())], &[], None);
        let mut line = original()[3].1.clone();
        let at = cut.index(line.len());
        line.splice(at..at, bytes);
        check(&[("device.log".to_owned(), line.clone())], &[], None);
        // A device goes on whatever it finds, and what it adds is sound.
        let (_folder, path) = place();
        fs::write(&path, &line).unwrap();
        let mut log = Log::open(&path, SMALL).unwrap();
        write(&mut log, "after").unwrap();
        drop(log);
        prop_assert!(names(&path).ends_with(&["after".to_owned()]));
    }
}

#[test]
fn any_line_removed_but_the_last() {
    let lines = split();
    let places = places(&lines);
    assert!(places.len() > 12);
    for &(file, line) in &places {
        let mut changed = lines.clone();
        changed[file].remove(line);
        let last = places.last() == Some(&(file, line));
        assert_eq!(check(&joined(&changed), &[], None).is_sound(), last, "line {line} of file {file}");
    }
}

#[test]
fn a_removed_end_is_found_by_a_noted_hash_alone() {
    let whole = check(original(), &[], None);
    let last = whole.last_hash.unwrap();
    assert!(check(original(), &[last], Some(last)).is_sound());
    let mut lines = split();
    lines[3].pop();
    let files = joined(&lines);
    assert!(check(&files, &[], None).is_sound(), "nothing in the log itself can tell");
    for verified in [check(&files, &[last], None), check(&files, &[], Some(last))] {
        assert_eq!(kinds(&verified), [Kind::Expected]);
    }
}

#[test]
fn any_line_repeated() {
    let lines = split();
    for (file, line) in places(&lines) {
        let mut changed = lines.clone();
        changed[file].insert(line, lines[file][line].clone());
        assert!(!check(&joined(&changed), &[], None).is_sound(), "line {line} of file {file}");
    }
}

/// The line after a damaged one is held to its number and to both hashes that it may follow.
#[test]
fn a_changed_line_hides_neither_a_missing_one_nor_a_foreign_one() {
    let mut lines = split();
    let line = String::from_utf8(lines[1][1].clone()).unwrap();
    lines[1][1] = line.replace("REFER", "NEGATIVE").into_bytes();
    assert_eq!(kinds(&check(&joined(&lines), &[], None)), [Kind::Changed]);
    let mut missing = lines.clone();
    missing[1].remove(2);
    assert_eq!(kinds(&check(&joined(&missing), &[], None)), [Kind::Changed, Kind::Missing]);
    // The same place of a log of the same form.
    let (_folder, path) = place();
    let mut log = Log::open(&path, SMALL).unwrap();
    (0..20).for_each(|i| write(&mut log, &format!("{i:02}")).unwrap());
    drop(log);
    let number = |line: &[u8]| serde_json::from_slice::<serde_json::Value>(line).unwrap()["seq"].as_u64();
    let other: Vec<u8> = files(&path).iter().flat_map(|file| fs::read(file).unwrap()).collect();
    let foreign = other.split_inclusive(|&b| b == b'\n').find(|line| number(line) == number(&lines[1][2]));
    lines[1][2] = foreign.unwrap().to_vec();
    let found = kinds(&check(&joined(&lines), &[], None));
    assert_eq!(found[..2], [Kind::Changed, Kind::Replaced], "{found:?}");
    let line = check(&joined(&lines), &[], None).breaks[1].line;
    assert_eq!(line, 3);
}

#[test]
fn breaks_are_named_up_to_a_hundred_and_all_counted() {
    let (name, _) = &original()[3];
    let verified = check(&[(name.clone(), "no line\n".repeat(120).into_bytes())], &[], None);
    assert_eq!((verified.lines, verified.broken, verified.breaks.len()), (120, 120, 100));
}

#[test]
fn any_two_lines_exchanged() {
    let lines = split();
    let places = places(&lines);
    for (i, &a) in places.iter().enumerate() {
        for &b in &places[..i] {
            let mut changed = lines.clone();
            changed[a.0][a.1] = lines[b.0][b.1].clone();
            changed[b.0][b.1] = lines[a.0][a.1].clone();
            assert!(!check(&joined(&changed), &[], None).is_sound(), "{a:?} and {b:?}");
        }
    }
}

#[test]
fn any_file_removed_but_the_last() {
    for removed in 0..4 {
        let mut files = original().clone();
        files.remove(removed);
        assert_eq!(check(&files, &[], None).is_sound(), removed == 3, "file {removed}");
    }
    // The two oldest together are no beginning either.
    assert!(!check(&original()[2..], &[], None).is_sound());
}

/// A line whose hash was made to fit again is still found by the next one; the newest has none
/// after it.
#[test]
fn a_line_changed_together_with_its_hash() {
    let mut lines = split();
    let line = String::from_utf8(lines[1][1].clone()).unwrap().replace("REFER", "NEGATIVE");
    let content = line.split(",\"hash\":").next().unwrap();
    let forged = format!("{content},\"hash\":\"{}\"}}\n", Hash::of(content.as_bytes()));
    assert_ne!(forged.as_bytes(), lines[1][1]);
    lines[1][1] = forged.into_bytes();
    let verified = check(&joined(&lines), &[], None);
    assert_eq!(verified.breaks.iter().map(|b| (b.kind, b.line)).collect::<Vec<_>>(), [(Kind::Replaced, 3)]);
}
