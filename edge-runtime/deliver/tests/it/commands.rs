//! The program as its users meet it, without a network.

use crate::support::{Bench, Running, comes, decide};
use serde_json::Value;
use std::fs;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn status_says_how_far_each_is_and_why_it_waits() {
    let bench = Bench::new("[mqtt]\nenabled = true\ntls = false\nhost = \"127.0.0.1\"\nport = 1\n");
    let mut log = bench.log();
    (0..4).for_each(|number| decide(&mut log, number));
    let before = bench.output(&["status"]);
    assert_eq!(before.status.code(), Some(3));
    let said = text(&before.stdout);
    assert!(
        said.contains("Nothing delivers") && said.contains("mqtt: not running, line - delivered, 4 behind"),
        "{said}"
    );
    assert!(said.contains("pacs: not enabled"), "{said}");

    let _running = bench.run();
    let status = || -> Value { serde_json::from_slice(&bench.output(&["status", "--json"]).stdout).unwrap() };
    assert!(comes(|| status()["destinations"][0]["phase"] == "waiting"), "{}", status());
    let now = status();
    assert_eq!((&now["running"], &now["newest"]), (&Value::from(true), &Value::from(3)));
    let mqtt = &now["destinations"][0];
    assert!(mqtt["why"].as_str().unwrap().to_lowercase().contains("refused"), "{mqtt}");
    assert_eq!((&mqtt["behind"], &mqtt["address"]), (&Value::from(4), &Value::from("127.0.0.1:1")));
    let said = text(&bench.output(&["status"]).stdout);
    assert!(said.contains("mqtt (127.0.0.1:1): ") && said.contains("  why: "), "{said}");
}

#[test]
fn nothing_enabled_sends_nothing_and_ends_when_asked() {
    let bench = Bench::new("");
    let mut running = bench.run();
    assert!(comes(|| bench.path("status.json").exists()));
    let id = running.child.id().to_string();
    assert!(std::process::Command::new("kill").arg(id).status().unwrap().success());
    assert_eq!(running.child.wait().unwrap().code(), Some(0));
    let checked = bench.output(&["check-config"]);
    assert_eq!(checked.status.code(), Some(0), "a warning is no failure");
    assert!(text(&checked.stdout).contains("nothing is enabled"), "{}", text(&checked.stdout));
}

#[test]
fn a_wrong_configuration_is_refused_with_all_that_is_wrong() {
    let bench =
        Bench::new("[mqtt]\nenabled = true\nca = \"none.pem\"\nuser = \"me\"\npassword_file = \"none\"\n");
    let checked = bench.output(&["check-config"]);
    assert_eq!(checked.status.code(), Some(5));
    let said = text(&checked.stdout);
    for name in ["mqtt tls", "mqtt password"] {
        assert!(said.lines().any(|line| line.starts_with("failed") && line.contains(name)), "{said}");
    }
    bench.configure("[mqtt]\nhots = \"x\"\n");
    for command in ["run", "status"] {
        let refused = bench.output(&[command]);
        assert_eq!(refused.status.code(), Some(5), "{command}");
        assert!(text(&refused.stderr).contains("did you mean `host`?"), "{}", text(&refused.stderr));
    }
    fs::remove_file(bench.path("device.toml")).unwrap();
    bench.configure("");
    assert!(text(&bench.output(&["run"]).stderr).contains("device.toml: cannot be read"));
}

#[test]
fn help_has_examples_and_exit_codes_and_schemas_are_printed() {
    let mut help = std::process::Command::new(assert_cmd::cargo::cargo_bin!("pneumoscope-deliver"));
    let said = text(&help.arg("--help").output().unwrap().stdout);
    for part in ["Examples:", "Exit codes:", "status --json", "it is not a diagnosis"] {
        assert!(said.contains(part), "{said}");
    }
    for (name, schema) in deliver::schema::SCHEMAS {
        let mut print = std::process::Command::new(assert_cmd::cargo::cargo_bin!("pneumoscope-deliver"));
        assert_eq!(text(&print.args(["schema", name]).output().unwrap().stdout), schema);
    }
}

/// One that was killed leaves a report, which is not taken for one that runs, however new it is; nor is
/// the old report of one that hangs.
#[test]
fn a_planted_report_of_a_program_that_was_killed_or_hangs_is_not_believed() {
    let bench = Bench::new("[mqtt]\nenabled = true\ntls = false\n");
    let runs = || -> bool {
        let status: Value = serde_json::from_slice(&bench.output(&["status", "--json"]).stdout).unwrap();
        status["running"].as_bool().unwrap()
    };
    assert!(!runs(), "nothing was ever started");
    let running: Running = bench.run();
    assert!(comes(runs));
    assert!(runs(), "who asks takes nothing from it");
    drop(running);
    let report = fs::read_to_string(bench.path("status.json")).unwrap();
    assert!(!runs(), "{report}");
    // Somebody lives and writes nothing any more.
    let _hangs = deliver::board::Running::claim(&bench.path("status.json")).unwrap();
    let year = report.split("\"time\":\"").nth(1).unwrap()[..4].to_owned();
    bench.write("status.json", report.replacen(&year, "2020", 1));
    assert!(!runs());
}
