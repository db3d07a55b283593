//! `self-test`, `check-config` and `lights` as their users meet them.

use crate::support::{Bench, Run, assert_contains, program, run};
use edge_runtime::self_test::{Check, Verdict, clock, log_folder, passed};
use serde_json::Value;
use std::time::{Duration, SystemTime};

#[test]
fn a_clock_of_1970_is_a_warning() {
    assert_eq!(clock(SystemTime::now()).verdict, Verdict::Ok);
    for wrong in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH - Duration::from_secs(9)] {
        let check = clock(wrong);
        assert_eq!(check.verdict, Verdict::Warning);
        assert!(passed(&[check]));
    }
}

#[test]
fn a_folder_that_cannot_be_written_fails() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(log_folder(&folder.path().join("log.jsonl")).verdict, Verdict::Ok);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    let failed = log_folder(&folder.path().join("absent/log.jsonl"));
    assert_eq!(failed.verdict, Verdict::Failed);
    assert!(!passed(&[failed]));
}

/// The checks of a run with `--json`, by name.
fn checks(run: &Run) -> Vec<Check> {
    let json = run.answer();
    let checks: Vec<_> = json["checks"].as_array().unwrap().iter().map(read).collect();
    assert_eq!(json["passed"], passed(&checks));
    checks
}

fn read(json: &Value) -> Check {
    let verdict = match json["verdict"].as_str().unwrap() {
        "ok" => Verdict::Ok,
        "warning" => Verdict::Warning,
        "failed" => Verdict::Failed,
        other => panic!("{other}"),
    };
    let name = json["name"].as_str().unwrap().to_owned().leak();
    Check { name, verdict, detail: json["detail"].as_str().unwrap().into() }
}

fn verdicts(checks: &[Check]) -> Vec<(&str, Verdict)> {
    checks.iter().map(|check| (check.name, check.verdict)).collect()
}

#[test]
fn self_test_passes_here() {
    let run = run(program().args(["self-test", "--json"])).ended(0);
    let names = [("model", Verdict::Ok), ("engine", Verdict::Ok), ("clock", Verdict::Ok)];
    assert_eq!(verdicts(&checks(&run)), names);
}

/// A machine without such a line, a folder that is absent: a warning and a failure, both told.
#[test]
fn self_test_with_a_configuration() {
    let bench = Bench::new();
    let config = bench.file(
        "device.toml",
        b"[log]\nfile = \"absent/log.jsonl\"\n[lights]\nheartbeat = { chip = \"no such chip\", line = 1 }",
    );
    let checks = checks(&bench.run(["self-test", "--json", "--config", &config]).ended(5));
    let expected = [("log", Verdict::Failed), ("heartbeat", Verdict::Warning), ("clock", Verdict::Ok)];
    assert_eq!(verdicts(&checks)[2..], expected);
}

#[test]
fn check_config_says_what_fits_and_what_does_not() {
    let bench = Bench::new();
    let check =
        |text: &str| run(program().args(["check-config", "--json", &bench.file("device.toml", text)]));
    let good =
        check("[model]\nfile = \"model.onnx\"\nengine = \"core\"\n[log]\nfile = \"log.jsonl\"").ended(0);
    let names = ["configuration", "model", "engine", "source", "log", "lights"];
    assert_eq!(verdicts(&checks(&good)), names.map(|name| (name, Verdict::Ok)));

    bench.file("broken.onnx", "nonsense");
    let bad = "[model]\nfile = \"broken.onnx\"\nsite = \"absent.toml\"\n[log]\nfile = \"absent/log.jsonl\"";
    let bad = checks(&check(bad).ended(5));
    let failed: Vec<_> = bad.iter().filter(|c| c.verdict == Verdict::Failed).map(|c| c.name).collect();
    assert_eq!(failed, ["model", "site", "log"]);

    let misspelt = bench.file("misspelt.toml", "[lights]\nred = {}\n");
    let misspelt = run(program().args(["check-config", &misspelt])).ended(5);
    assert!(misspelt.stdout.starts_with("failed   configuration  "), "{}", misspelt.stdout);
    assert_contains(&misspelt.stdout, &["misspelt.toml:2: expected a line as"]);
}

#[test]
fn lights_by_hand() {
    let bench = Bench::new();
    let lights = |what: &str, text: &str| {
        run(program().args(["lights", what, "--config", &bench.file("device.toml", text)]))
    };
    let none = lights("safe", "").ended(0);
    assert_eq!(none.stdout, "There are no lights in this configuration.\n");
    let lines = "[lights]\nred = { name = \"no red\" }\namber = { name = \"no amber\" }\ngreen = { name = \"no green\" }";
    for what in ["safe", "test", "positive"] {
        lights(what, lines).refused(1, "red, `no red`: ");
    }
    lights("safe", "[lihgts]").ended(5);
}
