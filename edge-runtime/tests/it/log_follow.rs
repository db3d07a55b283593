//! The log followed while it is written: no line is passed over in silence, whatever happens to
//! files and to who follows.

use crate::support::log::{Fault, FaultyDisk, SMALL, files, names, place, write};
use edge_runtime::log::{Cursor, Disk, FollowedLine, Follower, Gap, Log, Options, Reader, newest};
use proptest::prelude::*;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

fn all(follower: &mut Follower) -> Vec<FollowedLine> {
    std::iter::from_fn(|| follower.next_line().unwrap()).collect()
}

fn numbers(lines: &[FollowedLine]) -> Vec<u64> {
    lines.iter().map(|line| line.entry.seq).collect()
}

fn write_some<D: Disk>(log: &mut Log<D>, from: u64, to: u64) {
    for number in from..to {
        write(log, &format!("{number}.png")).unwrap();
    }
}

/// What was read, held against the log: none missing, first readings in order, gaps told.
fn judge(read: &[FollowedLine], log: &Path) -> Result<(), String> {
    for entry in Reader::open(log).unwrap() {
        let entry = entry.unwrap();
        if !read.iter().any(|line| line.step.point.hash == entry.hash) {
            return Err(format!("line {} was never read", entry.seq));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for pair in read.windows(2) {
        let [before, line] = pair else { continue };
        let again = !seen.insert(before.entry.hash.to_string());
        if !again && line.gap.is_none() && line.entry.seq > before.entry.seq + 1 {
            return Err(format!("{} came after {} and nothing told it", line.entry.seq, before.entry.seq));
        }
    }
    Ok(())
}

#[test]
fn a_log_is_followed_over_rotations_while_it_is_written() {
    let (_folder, path) = place();
    let mut follower = Follower::new(&path, Cursor::default());
    assert!(all(&mut follower).is_empty(), "there is no log yet");
    let mut log = Log::open(&path, Options { keep: 50, ..SMALL }).unwrap();
    let mut read = Vec::new();
    for number in 0..40 {
        write_some(&mut log, number, number + 1);
        if number % 7 == 0 {
            read.extend(all(&mut follower));
        }
    }
    read.extend(all(&mut follower));
    let count = read.len() as u64;
    assert!(files(&path).len() > 10);
    assert_eq!(numbers(&read), (0..count).collect::<Vec<_>>());
    assert!(read.iter().all(|line| line.gap.is_none()), "nothing is missing");
    assert_eq!(newest(&path).unwrap(), Some(read.last().unwrap().step.point));
    assert_eq!(follower.passed(), 0);
}

#[test]
fn who_comes_back_goes_on_behind_the_last_line_and_is_told_what_was_deleted() {
    let (_folder, path) = place();
    let mut log = Log::open(&path, SMALL).unwrap();
    write_some(&mut log, 0, 3);
    let mut cursor = Cursor::default();
    for line in all(&mut Follower::new(&path, cursor.clone())) {
        cursor.advance(line.step);
    }
    let done = cursor.last().unwrap().seq;
    write_some(&mut log, 3, 5);
    let next = all(&mut Follower::new(&path, cursor.clone())).remove(0);
    assert_eq!((next.entry.seq, next.gap), (done + 1, None));
    // Long enough for its file to be deleted.
    write_some(&mut log, 5, 60);
    let next = all(&mut Follower::new(&path, cursor)).remove(0);
    let first = Reader::open(&path).unwrap().next().unwrap().unwrap().seq;
    assert!(first > done + 1);
    assert_eq!(next.gap, Some(Gap { expected: done + 1, found: first }));
}

#[test]
fn half_a_line_is_waited_for_and_a_damaged_one_is_a_gap() {
    let (_folder, path) = place();
    let mut log = Log::open(&path, Options { max_bytes: 1 << 20, ..SMALL }).unwrap();
    write_some(&mut log, 0, 4);
    let whole = fs::read(&path).unwrap();
    let half = whole.len() - 300;
    fs::write(&path, &whole[..half]).unwrap();
    let mut follower = Follower::new(&path, Cursor::default());
    assert_eq!(numbers(&all(&mut follower)), [0, 1, 2]);
    OpenOptions::new().append(true).open(&path).unwrap().write_all(&whole[half..]).unwrap();
    assert_eq!(numbers(&all(&mut follower)), [3]);

    let mut damaged = whole.clone();
    let second = damaged.iter().position(|byte| *byte == b'\n').unwrap() + 40;
    damaged[second] ^= 1;
    fs::write(&path, damaged).unwrap();
    let mut follower = Follower::new(&path, Cursor::default());
    let read = all(&mut follower);
    assert_eq!((numbers(&read), follower.passed()), (vec![0, 2, 3], 1));
    assert_eq!(read[1].gap, Some(Gap { expected: 1, found: 2 }));
    // A line of no end takes no more memory than any other.
    fs::write(&path, [&vec![b'x'; 1 << 20], &b"\n"[..], &whole].concat()).unwrap();
    assert_eq!(numbers(&all(&mut Follower::new(&path, Cursor::default()))), [0, 1, 2, 3]);
}

#[test]
fn a_file_that_was_set_aside_and_a_log_that_was_replaced_are_told() {
    let (_folder, path) = place();
    let mut log = Log::open(&path, Options { max_bytes: 4000, keep: 9, ..SMALL }).unwrap();
    write_some(&mut log, 0, 12);
    let mut follower = Follower::new(&path, Cursor::default());
    let before = all(&mut follower);
    drop(log);
    fs::write(&path, "rubbish, ".repeat(3000)).unwrap();
    let mut log = Log::open(&path, SMALL).unwrap();
    write_some(&mut log, 12, 14);
    let after = all(&mut follower);
    assert_eq!(after[0].entry.event.as_ref().unwrap()["what"], "set_aside");
    assert!(after[0].gap.is_some());
    assert_eq!(after.len(), 3, "those of the older files do not come again");
    judge(&[before, after].concat(), &path).unwrap();

    drop(log);
    for file in files(&path) {
        fs::remove_file(file).unwrap();
    }
    let mut log = Log::open(&path, SMALL).unwrap();
    write_some(&mut log, 0, 2);
    let anew = all(&mut follower);
    assert_eq!(numbers(&anew), [0, 1]);
    assert_eq!(anew[0].gap.unwrap().found, 0);
}

#[test]
fn lines_that_stand_twice_are_read_once_and_end() {
    let (_folder, path) = place();
    let mut log = Log::open(&path, Options { max_bytes: 1 << 20, ..SMALL }).unwrap();
    write_some(&mut log, 0, 5);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    fs::write(&path, [&lines[..3], &lines[1..3], &lines[3..]].concat().concat()).unwrap();
    assert_eq!(numbers(&all(&mut Follower::new(&path, Cursor::default()))), [0, 1, 2, 3, 4]);
}

#[test]
fn a_damaged_end_of_a_closed_file_is_counted_and_a_gap() {
    let (_folder, path) = place();
    let mut log = Log::open(&path, Options { keep: 50, ..SMALL }).unwrap();
    write_some(&mut log, 0, 8);
    let closed = files(&path).remove(0);
    let mut bytes = fs::read(&closed).unwrap();
    let end = bytes.len() - 40;
    bytes[end] ^= 1;
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    fs::write(&closed, bytes).unwrap();
    let mut follower = Follower::new(&path, Cursor::default());
    let gaps: Vec<_> = all(&mut follower).into_iter().filter_map(|line| line.gap).collect();
    assert_eq!(gaps, [Gap { expected: lines - 1, found: lines }]);
    assert_eq!(follower.passed(), 1);
}

#[test]
fn a_cursor_names_the_last_sixteen_lines_and_none_behind_the_last() {
    let steps = |lines: u64| -> Vec<_> {
        let (_folder, path) = place();
        let mut log = Log::open(&path, Options { max_bytes: 1 << 20, ..SMALL }).unwrap();
        write_some(&mut log, 0, lines);
        all(&mut Follower::new(&path, Cursor::default())).into_iter().map(|line| line.step).collect()
    };
    let named = |cursor: &Cursor| -> Vec<_> {
        let points = serde_json::to_value(cursor).unwrap()["points"].take();
        points.as_array().unwrap().iter().map(|point| point["seq"].as_u64().unwrap()).collect()
    };
    let mut cursor = Cursor::default();
    steps(20).into_iter().for_each(|step| cursor.advance(step));
    assert_eq!(named(&cursor), (4..20).collect::<Vec<_>>());
    // The log was cut back and went on otherwise.
    let other = steps(11)[10];
    cursor.advance(other);
    assert_eq!(named(&cursor), (4..=10).collect::<Vec<_>>());
    assert_eq!(cursor.last(), Some(other.point));
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Write(u8),
    Read(u8),
    /// Who follows ends, with what he read noted or not.
    Restart(bool),
    /// The device's disk fails from the call of that number on, for so many.
    DiskFails(u8, u8),
    /// The device ends and the last bytes of its log never reached the disk.
    PowerCut(u16),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1..12u8).prop_map(Act::Write),
        4 => (1..20u8).prop_map(Act::Read),
        2 => any::<bool>().prop_map(Act::Restart),
        1 => (0..30u8, 1..4u8).prop_map(|(at, calls)| Act::DiskFails(at, calls)),
        1 => (1..900u16).prop_map(Act::PowerCut),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn no_line_is_passed_over_in_silence(acts in prop::collection::vec(act(), 1..40)) {
        let (_folder, path) = place();
        let options = Options { keep: 1000, ..SMALL };
        let healthy = || FaultyDisk::new(0, Fault::Never);
        let mut log = Log::with_disk(&path, options, healthy());
        let mut noted = Cursor::default();
        let mut follower = Follower::new(&path, noted.clone());
        let (mut read, mut number) = (Vec::new(), 0);
        for act in acts {
            match act {
                Act::Write(lines) => for _ in 0..lines {
                    number += 1;
                    let _ = write(&mut log, &format!("{number}.png"));
                },
                Act::Read(lines) => for _ in 0..lines {
                    read.extend(follower.next_line().unwrap());
                },
                Act::Restart(note) => {
                    if note {
                        let mut cursor = noted.clone();
                        read.iter().for_each(|line: &FollowedLine| cursor.advance(line.step));
                        noted = cursor;
                    }
                    follower = Follower::new(&path, noted.clone());
                }
                Act::DiskFails(at, calls) => {
                    let (at, calls) = (log.disk().calls + usize::from(at), usize::from(calls));
                    log.disk().at = at;
                    log.disk().fault = Fault::Fails { calls };
                }
                Act::PowerCut(bytes) => {
                    drop(log);
                    if let Ok(file) = OpenOptions::new().write(true).open(&path) {
                        let left = file.metadata().unwrap().len().saturating_sub(bytes.into());
                        file.set_len(left).unwrap();
                    }
                    log = Log::with_disk(&path, options, healthy());
                }
            }
        }
        log.disk().fault = Fault::Never;
        write(&mut log, "last.png").unwrap();
        read.extend(std::iter::from_fn(|| follower.next_line().unwrap()));
        let judged = judge(&read, &path);
        prop_assert!(judged.is_ok(), "{judged:?}");
    }
}

#[test]
fn a_planted_loss_and_a_planted_silent_gap_are_found() {
    let (_folder, path) = place();
    let mut log = Log::open(&path, Options { keep: 50, ..SMALL }).unwrap();
    write_some(&mut log, 0, 20);
    let read = all(&mut Follower::new(&path, Cursor::default()));
    judge(&read, &path).unwrap();
    let lost = [&read[..5], &read[6..]].concat();
    assert!(judge(&lost, &path).unwrap_err().contains("line 5 was never read"));
    let late = [&read[..5], &read[6..], &read[5..6]].concat();
    assert!(judge(&late, &path).unwrap_err().contains("6 came after 4"));
    assert_eq!(names(&path).len(), 20);
}
