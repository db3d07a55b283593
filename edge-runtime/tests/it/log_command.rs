//! `edge-runtime log`: what it says, its exit codes, its table, its summary.

use crate::support::log::{SMALL, context, decision, place, record, write};
use crate::support::{assert_contains, program, run};
use edge_runtime::log::{Event, Log, Options, Reader, Reference, frame_hash, summarise};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

fn log(arguments: &[&str]) -> crate::support::Run {
    run(program().arg("log").args(arguments))
}

/// A rotated log of 14 decisions, names as they are.
fn device() -> (TempDir, PathBuf) {
    let (folder, path) = place();
    let mut log = Log::open(&path, Options { keep: 20, ..SMALL }).unwrap();
    (0..14).for_each(|i| write(&mut log, &format!("film {i}, \"left\".png")).unwrap());
    (folder, path)
}

#[test]
fn verify_says_sound_and_prints_the_last_hash() {
    let (_folder, path) = device();
    let path = path.to_str().unwrap();
    let text = log(&["verify", path]).clean();
    let answer = log(&["verify", path, "--json"]).answer();
    let counts = (&answer["sound"], &answer["broken"], &answer["first"]["seq"]);
    assert_eq!(counts, (&true.into(), &0.into(), &0.into()));
    let last = answer["last_hash"].as_str().unwrap();
    assert_contains(&text.stdout, &["sound", last, "note the last hash elsewhere"]);
    log(&["verify", path, "--expect-last", last, "--expect", last]).ended(0);
    let other = "0".repeat(64);
    log(&["verify", path, "--expect", &other]).ended(5);
    log(&["verify", path, "--expect-last", &other]).ended(5);
    log(&["verify", path, "--expect", "5f"]).ended(2);
}

#[test]
fn verify_names_the_file_and_line_of_a_change() {
    let (_folder, path) = device();
    let older = format!("{}.2", path.display());
    let text = fs::read_to_string(&older).unwrap();
    fs::write(&older, text.replacen("REFER", "NEGATIVE", 1)).unwrap();
    let path = path.to_str().unwrap();
    let changed = log(&["verify", path]).ended(5);
    let place = format!("{older}, line 1: the line was changed");
    assert_contains(&changed.stdout, &[&place, "BROKEN in one place"]);
    let found = &log(&["verify", path, "--json"]).ended(5).json()[0]["breaks"][0];
    assert_eq!((&found["kind"], &found["line"]), (&"changed".into(), &1.into()));
    // What is damaged is left out of tables, and that is said.
    log(&["export", path]).refused(5, "1 damaged lines were left out");
}

#[test]
fn a_log_that_is_not_there_is_no_sound_log() {
    let (_folder, missing) = place();
    for command in ["verify", "export", "summary"] {
        log(&[command, missing.to_str().unwrap()]).refused(1, "cannot read the log");
    }
}

/// Names of files come from outside: none may be a formula to the spreadsheet that opens the table.
#[test]
fn no_name_is_a_formula_to_a_spreadsheet() {
    let (_folder, path) = place();
    let mut device = Log::open(&path, SMALL).unwrap();
    let names = ["=HYPERLINK(1).png", "+1.png", "-1.png", "@A1.png", "plain.png"];
    names.iter().for_each(|name| write(&mut device, name).unwrap());
    drop(device);
    let table = log(&["export", path.to_str().unwrap()]).ended(0).stdout;
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let names = rows.records().map(|row| row.unwrap()[7].to_owned());
    let cells: Vec<String> = names.filter(|name| !name.is_empty()).collect();
    assert_eq!(cells, ["'=HYPERLINK(1).png", "'+1.png", "'-1.png", "'@A1.png", "plain.png"]);
}

#[test]
fn export_gives_every_line_as_a_row() {
    let (folder, path) = device();
    let out = folder.path().join("device.csv");
    let run = log(&["export", path.to_str().unwrap(), "--out", out.to_str().unwrap(), "--json"]).ended(0);
    let mut table = csv::Reader::from_path(&out).unwrap();
    let header = table.headers().unwrap().clone();
    let rows: Vec<_> = table.records().map(Result::unwrap).collect();
    assert_eq!(run.json()[0]["rows"], Value::from(rows.len()));
    let of = |row: &csv::StringRecord, name: &str| {
        row.get(header.iter().position(|column| column == name).unwrap()).unwrap().to_owned()
    };
    let decisions: Vec<_> = rows.iter().filter(|row| of(row, "event").is_empty()).collect();
    assert_eq!(decisions.len(), 14);
    let name = "film 3, \"left\".png";
    for (column, value) in [
        ("name", name),
        ("score", "0.5"),
        ("state", "REFER"),
        ("shown_reason_code", "4"),
        ("negative_below", "0.25"),
        ("frame_sha256", &frame_hash(name.as_bytes()).to_string()),
        ("latency_us", "1234"),
    ] {
        assert_eq!(of(decisions[3], column), value, "{column}");
    }
    assert!(rows.iter().any(|row| of(row, "event") == "closed" && of(row, "detail").contains("begins")));
    assert!(rows.iter().map(|row| of(row, "seq")).eq((0..rows.len()).map(|i| i.to_string())), "{rows:?}");
    assert_eq!(log(&["export", path.to_str().unwrap()]).stdout, fs::read_to_string(&out).unwrap());
}

#[test]
fn summary_counts_states_and_finds_scores_that_moved() {
    let (_folder, path) = place();
    let mut device = Log::open(&path, Options { sync_every: 1000, ..Options::default() }).unwrap();
    let context = context();
    let mut decide = |score| device.write(&record(&context, "", &decision(score))).unwrap();
    // Evenly spread, the same once more, then all in the upper half.
    let even = |i: usize| (i * 7919 % 200) as f32 / 200.0;
    (0..400).for_each(|i| decide(even(i)));
    let summary = |more: &[&str]| log(&[&["summary", path.to_str().unwrap()], more].concat()).ended(0);
    let same = summary(&["--json", "--first", "200"]).answer();
    assert_eq!((&same["drift"]["level"], &same["drift"]["psi"]), (&"none".into(), &Value::from(0.0)));
    (0..200).for_each(|i| decide(0.5 + even(i) / 2.0));
    device.event(&Event::FaultBegan { reason: edge_core::Reason::CameraLost }).unwrap();
    for lines in [7, 5] {
        device.event(&Event::NotLogged { lines, why: "of the test" }).unwrap();
        let (files, name, name_sha256) = (10 * lines, None, None);
        device.event(&Event::PassedOver { why: "of the test", files, name, name_sha256 }).unwrap();
    }
    let moved = summary(&["--json", "--first", "200"]).answer();
    assert_eq!(moved["drift"]["level"], "much");
    let days = moved["days"].as_array().unwrap();
    let sum = |of: &dyn Fn(&Value) -> u64| days.iter().map(of).sum::<u64>();
    assert_eq!(sum(&|day| day["decisions"].as_u64().unwrap()), 600);
    assert_eq!(sum(&|day| day["faults"].as_u64().unwrap()), 1);
    assert_eq!(sum(&|day| day["not_logged"].as_u64().unwrap()), 12);
    assert_eq!(sum(&|day| day["passed_over"].as_u64().unwrap()), 120);
    // One line a day, of which the test may see two.
    let dates: BTreeSet<_> =
        Reader::open(&path).unwrap().map(|entry| entry.unwrap().time[..10].to_owned()).collect();
    assert!(days.iter().map(|day| day["day"].as_str().unwrap()).eq(&dates), "{days:?}");
    assert!(days.iter().all(|day| day["latency_us_mean"] == 1234), "{days:?}");
    let reasons = moved["reasons"].as_object().unwrap();
    assert_eq!(reasons.values().map(|reason| reason[1].as_u64().unwrap()).sum::<u64>(), 600);
    // POSITIVE is above 0.75: 49 of each even 200, 99 of the upper half's.
    assert_eq!(sum(&|day| day["states"][0].as_u64().unwrap()), 49 + 49 + 99);
    let text = summary(&["--first", "200"]).stdout;
    assert_contains(&text, &["POSITIVE", "much: PSI", "not with the training distribution", "█"]);
    // The training data's scores are the default: of this very model only.
    assert!(summary(&[]).stdout.contains("by another model"));
    let training = |deciles| {
        let reference = Reference::Training { model_sha256: context.model_sha256.clone(), deciles };
        summarise(&path, reference, 200).unwrap()
    };
    let upper = std::array::from_fn(|i| 0.55 + 0.05 * i as f32);
    assert_eq!(training(Some(upper)).drift.unwrap().level, "none");
    let even = std::array::from_fn(|i| 0.1 + 0.1 * i as f32);
    assert_eq!(training(Some(even)).drift.unwrap().level, "much");
    assert!(training(None).compared.contains("does not say"));
    assert!(summary(&["--first", "10"]).stdout.contains("it takes 50 or more of each"));
}
