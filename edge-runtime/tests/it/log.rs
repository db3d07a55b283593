//! The log as it is written: what a line holds, that it rotates, that one device writes it, that
//! names are hidden.

use crate::support::log::{
    SMALL, assert_sound, context, decision, decisions, files, kinds, names, place, record, write,
};
use allocation_counter::measure;
use edge_core::{Decision, Reason, State};
use edge_model::prevalence::PriorShift;
use edge_runtime::log::{
    Context, Disk, Event, Hash, Kind, Log, MAX_LINE, Options, Reader, Record, last_decision, newest, verify,
};
use serde_json::Value;
use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::rc::Rc;

fn lines(path: &std::path::Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn a_line_holds_all_that_must_be_known() {
    let (_folder, path) = place();
    let prior = PriorShift { prevalence: 0.25, fitted_prevalence: 0.75 };
    let context = Context { site_sha256: Some("cd".repeat(32)), prior: Some(prior), ..context() };
    let decision = decision(0.8);
    let mut log = Log::open(&path, Options::default()).unwrap();
    log.write(&record(&context, "DOE^JANE.png", &decision)).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("JANE"), "{text}");
    let [line] = lines(&path).try_into().unwrap();
    assert_eq!((&line["seq"], &line["prev"]), (&Value::from(0), &Value::from("0".repeat(64))));
    assert!(line["time"].as_str().unwrap().ends_with('Z') && line["time"].as_str().unwrap().len() == 24);
    assert!(line["uptime_ms"].as_u64().unwrap() > 0);
    assert_eq!(line["boot_id"].as_str().unwrap().len(), 36);
    let decision = &line["decision"];
    let expected = [
        ("source", Value::from("replay:films")),
        ("name_sha256", Hash::of(b"DOE^JANE.png").to_string().into()),
        ("frame_sha256", Hash::of(b"DOE^JANE.png").to_string().into()),
        ("preprocessing", edge_core::preprocess::NAME.into()),
        ("model_sha256", "ab".repeat(32).into()),
        ("model_version", "0.0.1".into()),
        ("engine", "core".into()),
        ("site_sha256", "cd".repeat(32).into()),
        ("prior", serde_json::json!({"prevalence": 0.25, "fitted_prevalence": 0.75})),
        ("negative_below", Value::from(0.25)),
        ("positive_above", Value::from(0.75)),
        ("state", "POSITIVE".into()),
        ("shown_state", "POSITIVE".into()),
        ("agreeing", 1.into()),
        ("needed", 3.into()),
        ("latency_us", 1234.into()),
    ];
    for (key, value) in expected {
        assert_eq!(decision[key], value, "{key}");
    }
    assert_eq!(decision["score"].to_string().parse(), Ok(0.8f32));
    let reason = &decision["shown_reason"];
    assert_eq!((&reason["code"], &reason["numbers"]), (&Value::from(4), &serde_json::json!([1, 3])));
    assert_eq!(reason["text"], Reason::Unsettled(1, 3).to_string());
    // The hash is over the line's own bytes before it, and is what the log says of itself.
    let hashed = text.split(",\"hash\":").next().unwrap();
    assert_eq!(line["hash"], Hash::of(hashed.as_bytes()).to_string());
    let (count, last) = log.last().unwrap();
    assert_eq!((count, &line["hash"]), (1, &last.to_string().into()));
}

/// Scores are compared over months and between sites: a setting of the site must not look like drift.
#[test]
fn a_score_is_read_back_as_the_models_own_whatever_the_prevalence() {
    let (_folder, path) = place();
    let prior = PriorShift { prevalence: 0.25, fitted_prevalence: 0.75 };
    let moved = Context { prior: Some(prior), ..context() };
    let mut log = Log::open(&path, SMALL).unwrap();
    log.write(&record(&moved, "moved.png", &decision(0.3))).unwrap();
    log.write(&record(&context(), "own.png", &decision(0.3))).unwrap();
    let [moved, own] = decisions(&path).try_into().unwrap();
    assert_eq!(own.own_score(), Some(0.3));
    // Odds of 3/7 here are nine times that where the disease is as common as in the model's data.
    let expected = 27.0 / 34.0;
    assert!((moved.own_score().unwrap() - expected).abs() < 1e-6, "{:?}", moved.own_score());
}

#[test]
fn what_is_not_a_number_and_what_is_too_long_gives_a_line_all_the_same() {
    let (_folder, path) = place();
    let mut log = Log::open(&path, Options::default()).unwrap();
    let context = context();
    let long = "\u{1}ä\"".repeat(100_000);
    let broken =
        Decision { state: State::Fault, reason: Reason::NotFinite, logit: Some(f32::NAN), score: None };
    let odd = Record { source: &long, frame: None, ..record(&context, &long, &broken) };
    log.write(&odd).unwrap();
    log.event(&Event::Stopped { why: &long }).unwrap();
    let read: Vec<_> = Reader::open(&path).unwrap().map(Result::unwrap).collect();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].decision.as_ref().unwrap().logit, None);
    assert_sound(&path);
}

#[test]
fn nothing_is_allocated_for_a_line() {
    let (_folder, path) = place();
    let mut log = Log::open(&path, Options::default()).unwrap();
    let (context, decision) = (context(), decision(0.3));
    let record = record(&context, "film.png", &decision);
    log.write(&record).unwrap();
    assert_eq!(measure(|| (0..20).for_each(|_| log.write(&record).unwrap())).count_total, 0);
    // The counter counts: a rotation does allocate.
    let mut small = Log::open(path.with_extension("small"), SMALL).unwrap();
    assert!(measure(|| (0..9).for_each(|_| small.write(&record).unwrap())).count_total > 0);
}

#[test]
fn rotates_by_size_keeps_so_many_and_goes_on_after_a_restart() {
    let (_folder, path) = place();
    let mut written = Vec::new();
    for run in 0..4 {
        let mut log = Log::open(&path, SMALL).unwrap();
        for i in 0..9 {
            written.push(format!("{run}/{i}"));
            write(&mut log, &written[written.len() - 1]).unwrap();
        }
    }
    let files = files(&path);
    assert_eq!(files.len(), 4);
    for file in &files {
        let size = fs::metadata(file).unwrap().len();
        assert!(size < SMALL.max_bytes + 2000, "{size}");
    }
    let kept = names(&path);
    assert!(kept.len() > 6 && kept.len() < written.len());
    assert!(written.ends_with(&kept), "{kept:?}");
    assert!(assert_sound(&path).first.unwrap().seq > 0);
    // With fewer kept the rest goes at the next rotation, and the beginning is accounted for.
    let mut log = Log::open(&path, Options { keep: 1, ..SMALL }).unwrap();
    (0..5).for_each(|i| write(&mut log, &format!("last/{i}")).unwrap());
    assert_eq!(crate::support::log::files(&path).len(), 2);
    assert_sound(&path);
}

/// Counts how often its files are synced.
struct Counting(Rc<Cell<usize>>);

impl Disk for Counting {
    fn sync(&mut self, _: &File) -> io::Result<()> {
        self.0.set(self.0.get() + 1);
        Ok(())
    }
}

#[test]
fn so_many_decisions_wait_to_be_synced_an_event_does_not_and_the_end_leaves_none() {
    let (_folder, path) = place();
    let syncs = Rc::new(Cell::new(0));
    let options = Options { sync_every: 3, max_bytes: 1 << 20, ..SMALL };
    let open = || Log::with_disk(&path, options, Counting(Rc::clone(&syncs)));
    let mut log = open();
    let counts = [0; 7].map(|_| {
        write(&mut log, "film.png").unwrap();
        syncs.get()
    });
    assert_eq!(counts, [0, 0, 1, 1, 1, 2, 2]);
    log.event(&Event::Stopped { why: "of the test" }).unwrap();
    assert_eq!(syncs.get(), 3, "with the line before it");
    drop(log);
    assert_eq!(syncs.get(), 3, "nothing waits");
    let mut log = open();
    write(&mut log, "film.png").unwrap();
    drop(log);
    assert_eq!(syncs.get(), 4);
}

#[test]
fn one_log_has_one_writer() {
    let (_folder, path) = place();
    let mut first = Log::open(&path, SMALL).unwrap();
    let error = Log::open(&path, SMALL).unwrap_err().to_string();
    assert!(error.contains("another program writes this log"), "{error}");
    // Rotation does not open a door.
    (0..5).for_each(|i| write(&mut first, &i.to_string()).unwrap());
    assert!(files(&path).len() > 1);
    assert!(Log::open(&path, SMALL).is_err());
    drop(first);
    assert!(Log::open(&path, SMALL).is_ok());
}

#[test]
fn a_damaged_file_is_set_aside_and_never_forgotten() {
    let (_folder, path) = place();
    let options = Options { max_bytes: 1 << 20, ..SMALL };
    let mut log = Log::open(&path, options).unwrap();
    (0..5).for_each(|i| write(&mut log, &i.to_string()).unwrap());
    drop(log);
    // The last two lines are zeros: more than a power cut does.
    let mut bytes = fs::read(&path).unwrap();
    let from = bytes.len() - 1500;
    bytes[from..].fill(0);
    fs::write(&path, &bytes).unwrap();
    // One long run of zeros without a newline is no longer than a line may be: that is torn, not
    // broken.
    let mut log = Log::open(&path, options).unwrap();
    write(&mut log, "after").unwrap();
    assert_eq!(fs::read(path.with_extension("log.torn-1")).unwrap(), bytes[from_line(&bytes, from)..]);
    drop(log);
    // Two bad lines are not.
    let mut bytes = fs::read(&path).unwrap();
    let len = bytes.len();
    bytes[len - 20] ^= 1;
    bytes[len - 1200] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let mut log = Log::open(&path, options).unwrap();
    write(&mut log, "goes on").unwrap();
    assert_eq!(fs::read(path.with_extension("log.broken-1")).unwrap(), bytes);
    let first = &lines(&path)[0];
    assert_eq!(first["event"]["what"], "set_aside");
    assert_eq!(first["event"]["file"], "device.log.broken-1");
    assert_eq!(kinds(&verify(&path, &[], None).unwrap()), [Kind::SetAside, Kind::SetAside]);
    assert_eq!(names(&path), ["goes on"]);
}

/// What a power cut may leave of a line is cut off; more than any line is no work of its.
#[test]
fn half_a_line_is_as_long_as_a_line_may_be_and_no_longer() {
    let options = Options { max_bytes: 1 << 20, ..SMALL };
    for (length, aside, names_then) in
        [(MAX_LINE, "log.torn-1", &["0", "1", "2", "after"][..]), (MAX_LINE + 1, "log.broken-1", &["after"])]
    {
        let (_folder, path) = place();
        let mut log = Log::open(&path, options).unwrap();
        (0..3).for_each(|i| write(&mut log, &i.to_string()).unwrap());
        drop(log);
        let half = vec![b'x'; length];
        fs::write(&path, [fs::read(&path).unwrap(), half.clone()].concat()).unwrap();
        write(&mut Log::open(&path, options).unwrap(), "after").unwrap();
        assert_eq!(names(&path), names_then);
        assert!(fs::read(path.with_extension(aside)).unwrap().ends_with(&half), "{length}");
        let told = lines(&path).into_iter().find(|line| !line["event"].is_null()).unwrap();
        assert_eq!(told["seq"], 3, "the numbers go on: {told}");
    }
}

#[test]
fn the_last_decision_and_the_last_line_are_found_behind_much_else() {
    let (_folder, path) = place();
    assert!(last_decision(&path).unwrap().is_none() && newest(&path).unwrap().is_none());
    let mut log = Log::open(&path, Options { max_bytes: 1 << 20, ..SMALL }).unwrap();
    write(&mut log, "last.png").unwrap();
    let why = "x".repeat(400);
    (0..100).for_each(|_| log.event(&Event::Stopped { why: &why }).unwrap());
    let last = log.last().unwrap().1;
    drop(log);
    let half = vec![b'x'; 2 * MAX_LINE];
    fs::write(&path, [fs::read(&path).unwrap(), half].concat()).unwrap();
    assert!(fs::metadata(&path).unwrap().len() > 4 * MAX_LINE as u64);
    assert_eq!(last_decision(&path).unwrap().unwrap().name.as_deref(), Some("last.png"));
    assert_eq!(newest(&path).unwrap().map(|point| (point.seq, point.hash)), Some((100, last)));
}

/// Where the line begins that holds byte `at`.
fn from_line(bytes: &[u8], at: usize) -> usize {
    bytes[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1)
}
