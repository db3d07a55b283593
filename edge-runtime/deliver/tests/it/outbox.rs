//! At least once and in order, over every way to end, with a cursor that may not be written.

use crate::support::{Bench, decide};
use deliver::cursor_file::{CursorError, CursorFile, CursorStore};
use deliver::outbox::Outbox;
use edge_model::files::WriteError;
use edge_runtime::log::{Cursor, FollowedLine, Log, Options, Reader};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::rc::Rc;

/// What a disk does with the next cursor.
#[derive(Clone, Copy, Debug)]
enum Disk {
    Writes,
    Refuses,
    /// It is written, and an error came all the same.
    WritesAndFails,
}

#[derive(Clone)]
struct Store {
    kept: Rc<RefCell<Cursor>>,
    disk: Rc<RefCell<Disk>>,
}

impl CursorStore for Store {
    fn load(&mut self) -> Result<Cursor, CursorError> {
        Ok(self.kept.borrow().clone())
    }

    fn save(&mut self, cursor: &Cursor) -> Result<(), CursorError> {
        let disk = *self.disk.borrow();
        if !matches!(disk, Disk::Refuses) {
            self.kept.replace(cursor.clone());
        }
        let full = || WriteError { path: "cursor".into(), source: std::io::ErrorKind::StorageFull.into() };
        if matches!(disk, Disk::Writes) { Ok(()) } else { Err(full().into()) }
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
    /// The device writes so many decisions.
    Write(u8),
    /// So many more lines are put on their way.
    Send(u8),
    /// So many of those on their way are confirmed.
    Confirm(u8),
    Save,
    /// The connection is gone.
    Disconnect,
    /// The process is.
    Killed,
    Disk(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (1..20u8).prop_map(Act::Write),
        4 => (1..20u8).prop_map(Act::Send),
        4 => (1..20u8).prop_map(Act::Confirm),
        3 => Just(Act::Save),
        1 => Just(Act::Disconnect),
        2 => Just(Act::Killed),
        1 => (0..3u8).prop_map(Act::Disk),
    ]
}

/// What arrived, held against the log.
fn judge(arrived: &[FollowedLine], log: &Path) -> Result<(), String> {
    let mut first = Vec::new();
    for line in arrived {
        if !first.contains(&line.entry.seq) {
            first.push(line.entry.seq);
        }
    }
    let all: Vec<u64> = Reader::open(log).unwrap().map(|entry| entry.unwrap().seq).collect();
    match first == all {
        true => Ok(()),
        false => Err(format!("arrived {first:?}, logged {all:?}")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn each_line_arrives_at_least_once_and_in_order(acts in prop::collection::vec(act(), 1..40)) {
        let bench = Bench::new("");
        let options = Options { max_bytes: 5000, keep: 1000, sync_every: 1000, log_names: false };
        let mut log = Log::open(bench.log_path(), options).unwrap();
        let store = Store { kept: Rc::default(), disk: Rc::new(RefCell::new(Disk::Writes)) };
        let open = || Outbox::open(&bench.log_path(), store.clone());
        let (mut outbox, mut on_their_way) = (open(), VecDeque::new());
        let (mut arrived, mut number) = (Vec::new(), 0);
        let send = |outbox: &mut Outbox<Store>, way: &mut VecDeque<FollowedLine>, arrived: &mut Vec<_>| {
            let line = outbox.next_line().unwrap();
            arrived.extend(line.clone());
            way.extend(line);
        };
        for act in acts {
            match act {
                Act::Write(lines) => for _ in 0..lines {
                    decide(&mut log, number);
                    number += 1;
                },
                Act::Send(lines) => for _ in 0..lines {
                    send(&mut outbox, &mut on_their_way, &mut arrived);
                },
                Act::Confirm(lines) => for _ in 0..lines {
                    on_their_way.pop_front().into_iter().for_each(|line| outbox.delivered(line.step));
                },
                Act::Save => outbox.save(true),
                Act::Disconnect => {
                    on_their_way.clear();
                    outbox.rewind();
                }
                Act::Killed => {
                    on_their_way.clear();
                    outbox = open();
                }
                Act::Disk(kind) => {
                    store.disk.replace([Disk::Writes, Disk::Refuses, Disk::WritesAndFails][usize::from(kind)]);
                }
            }
        }
        decide(&mut log, number);
        while let Some(line) = outbox.next_line().unwrap() {
            arrived.push(line);
        }
        let judged = judge(&arrived, &bench.log_path());
        prop_assert!(judged.is_ok(), "{judged:?}");
        prop_assert!(arrived.iter().all(|line| line.gap.is_none()));
    }
}

#[test]
fn a_planted_loss_and_a_planted_disorder_are_found() {
    let bench = Bench::new("");
    let mut log = bench.log();
    (0..9).for_each(|number| decide(&mut log, number));
    let mut outbox = Outbox::open(&bench.log_path(), CursorFile::new(&bench.path("state"), "mqtt"));
    let mut all: Vec<FollowedLine> = std::iter::from_fn(|| outbox.next_line().unwrap()).collect();
    judge(&all, &bench.log_path()).unwrap();
    judge(&[&all[..], &all[3..]].concat(), &bench.log_path()).unwrap();
    judge(&[&all[..4], &all[5..]].concat(), &bench.log_path()).unwrap_err();
    all.swap(2, 3);
    judge(&all, &bench.log_path()).unwrap_err();
}

#[test]
fn a_cursor_lasts_and_a_damaged_one_is_told_and_sends_again() {
    let bench = Bench::new("");
    let mut log = bench.log();
    (0..9).for_each(|number| decide(&mut log, number));
    let store = || CursorFile::new(&bench.path("state"), "mqtt");
    let mut outbox = Outbox::open(&bench.log_path(), store());
    for _ in 0..5 {
        let step = outbox.next_line().unwrap().unwrap().step;
        outbox.delivered(step);
    }
    outbox.save(true);
    assert_eq!(outbox.trouble(), None);
    let mut again = Outbox::open(&bench.log_path(), store());
    assert_eq!(again.next_line().unwrap().unwrap().entry.seq, 5);

    let file = bench.path("state/mqtt.cursor.json");
    for damaged in ["", "{}", "{\"version\": 9, \"cursor\": {\"points\": [], \"closing\": null}}"] {
        fs::write(&file, damaged).unwrap();
        let mut again = Outbox::open(&bench.log_path(), store());
        assert!(again.trouble().unwrap().contains("sent again from its oldest line"), "{damaged}");
        assert_eq!(again.next_line().unwrap().unwrap().entry.seq, 0);
    }
}
