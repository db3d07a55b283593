//! `edge-runtime log`: what it says, its exit codes, its table, its summary.

use crate::support::log::{SMALL, context, decision, record, write};
use crate::support::{program, run};
use edge_runtime::log::{Event, Log, Options, Reference, frame_hash, summarise};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

fn log(arguments: &[&str]) -> crate::support::Run {
    run(program().arg("log").args(arguments))
}

/// A rotated log of 14 decisions, names as they are.
fn device() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("device.log");
    let mut log = Log::open(&path, Options { keep: 20, ..SMALL }).unwrap();
    (0..14).for_each(|i| write(&mut log, &format!("film {i}, \"left\".png")).unwrap());
    (folder, path)
}

#[test]
fn verify_says_sound_and_prints_the_last_hash() {
    let (_folder, path) = device();
    let path = path.to_str().unwrap();
    let text = log(&["verify", path]);
    assert_eq!((text.code, text.stderr.as_str()), (Some(0), ""));
    let json = log(&["verify", path, "--json"]);
    let [answer] = json.json().try_into().unwrap();
    assert_eq!(
        (&answer["sound"], &answer["broken"], &answer["first"]["seq"]),
        (&true.into(), &0.into(), &0.into())
    );
    let last = answer["last_hash"].as_str().unwrap();
    for part in ["sound", last, "note the last hash elsewhere"] {
        assert!(text.stdout.contains(part), "{part}: {}", text.stdout);
    }
    assert_eq!(log(&["verify", path, "--expect-last", last, "--expect", last]).code, Some(0));
    let other = "0".repeat(64);
    assert_eq!(log(&["verify", path, "--expect", &other]).code, Some(5));
    assert_eq!(log(&["verify", path, "--expect-last", &other]).code, Some(5));
    assert_eq!(log(&["verify", path, "--expect", "5f"]).code, Some(2));
}

#[test]
fn verify_names_the_file_and_line_of_a_change() {
    let (_folder, path) = device();
    let older = format!("{}.2", path.display());
    let text = fs::read_to_string(&older).unwrap();
    fs::write(&older, text.replacen("REFER", "NEGATIVE", 1)).unwrap();
    let changed = log(&["verify", path.to_str().unwrap()]);
    assert_eq!(changed.code, Some(5));
    for part in [format!("{older}, line 1: the line was changed"), "BROKEN in one place".to_owned()] {
        assert!(changed.stdout.contains(&part), "{part}: {}", changed.stdout);
    }
    let json = log(&["verify", path.to_str().unwrap(), "--json"]);
    assert_eq!(json.code, Some(5));
    let found = &json.json()[0]["breaks"][0];
    assert_eq!((&found["kind"], &found["line"]), (&"changed".into(), &1.into()));
    // What is damaged is left out of tables, and that is said.
    let out = log(&["export", path.to_str().unwrap()]);
    assert_eq!(out.code, Some(5));
    assert!(out.stderr.contains("1 damaged lines were left out"), "{}", out.stderr);
}

#[test]
fn a_log_that_is_not_there_is_no_sound_log() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("device.log");
    for command in ["verify", "export", "summary"] {
        let run = log(&[command, missing.to_str().unwrap()]);
        assert_eq!(run.code, Some(1), "{command}");
        assert!(run.stderr.contains("cannot read the log"), "{}", run.stderr);
    }
}

#[test]
fn export_gives_every_line_as_a_row() {
    let (folder, path) = device();
    let out = folder.path().join("device.csv");
    let run = log(&["export", path.to_str().unwrap(), "--out", out.to_str().unwrap(), "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let mut table = csv::Reader::from_path(&out).unwrap();
    let header = table.headers().unwrap().clone();
    let rows: Vec<_> = table.records().map(Result::unwrap).collect();
    assert_eq!(run.json()[0]["rows"], Value::from(rows.len()));
    let of = |row: &csv::StringRecord, name: &str| {
        row.get(header.iter().position(|column| column == name).unwrap()).unwrap().to_owned()
    };
    let decisions: Vec<_> = rows.iter().filter(|row| of(row, "event").is_empty()).collect();
    assert_eq!(decisions.len(), 14);
    let expected = [
        ("name", "film 3, \"left\".png".to_owned()),
        ("score", "0.5".to_owned()),
        ("state", "REFER".to_owned()),
        ("shown_reason_code", "4".to_owned()),
        ("negative_below", "0.25".to_owned()),
        ("frame_sha256", frame_hash("film 3, \"left\".png".as_bytes()).to_string()),
        ("latency_us", "1234".to_owned()),
    ];
    for (column, value) in expected {
        assert_eq!(of(decisions[3], column), value, "{column}");
    }
    assert!(rows.iter().any(|row| of(row, "event") == "closed" && of(row, "detail").contains("begins")));
    assert_eq!(
        rows.iter().map(|row| of(row, "seq")).collect::<Vec<_>>(),
        (0..rows.len()).map(|i| i.to_string()).collect::<Vec<_>>()
    );
    assert_eq!(log(&["export", path.to_str().unwrap()]).stdout, fs::read_to_string(&out).unwrap());
}

#[test]
fn summary_counts_states_and_finds_scores_that_moved() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("device.log");
    let mut device = Log::open(&path, Options { sync_every: 1000, ..Options::default() }).unwrap();
    let context = context();
    let mut decide = |score| device.write(&record(&context, "", &decision(score))).unwrap();
    // Evenly spread, the same once more, then all in the upper half.
    let even = |i: usize| (i * 7919 % 200) as f32 / 200.0;
    (0..400).for_each(|i| decide(even(i)));
    let summary = |more: &[&str]| {
        let run = log(&[&["summary", path.to_str().unwrap()], more].concat());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run
    };
    let [same] = summary(&["--json", "--first", "200"]).json().try_into().unwrap();
    assert_eq!((&same["drift"]["level"], &same["drift"]["psi"]), (&"none".into(), &Value::from(0.0)));
    (0..200).for_each(|i| decide(0.5 + even(i) / 2.0));
    device.event(&Event::FaultBegan { reason: edge_core::Reason::CameraLost }).unwrap();
    let [moved] = summary(&["--json", "--first", "200"]).json().try_into().unwrap();
    assert_eq!(moved["drift"]["level"], "much");
    let days = moved["days"].as_array().unwrap();
    let sum = |of: &dyn Fn(&Value) -> u64| days.iter().map(of).sum::<u64>();
    assert_eq!(sum(&|day| day["decisions"].as_u64().unwrap()), 600);
    assert_eq!(sum(&|day| day["faults"].as_u64().unwrap()), 1);
    // POSITIVE is above 0.75: 49 of each even 200, 99 of the upper half's.
    assert_eq!(sum(&|day| day["states"][0].as_u64().unwrap()), 49 + 49 + 99);
    let text = summary(&["--first", "200"]).stdout;
    for part in ["POSITIVE", "much: PSI", "not with the training distribution", "█"] {
        assert!(text.contains(part), "{part}: {text}");
    }
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
