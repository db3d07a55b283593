//! `edge-runtime run` as a process: replay and folder, site file, signals, lines for programs, refusals.

use crate::support::{Bench, program, run};
use edge_core::State;
use edge_runtime::log::{Reader, verify};
use edge_runtime::phantom::{self, Label};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("films")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn film(&self, label: Label, seed: u64) {
        let picture = phantom::draw(label, seed, 224);
        crate::support::picture::save(&picture, &self.path("films").join(format!("{seed:03}.png")));
    }

    fn events(&self) -> Vec<Value> {
        let entries = Reader::open(self.path("log.jsonl")).unwrap();
        entries.filter_map(|entry| entry.unwrap().event).collect()
    }
}

fn start(arguments: &[&str]) -> Child {
    let mut program = Command::new(assert_cmd::cargo::cargo_bin!("edge-runtime"));
    program.arg("run").args(arguments).stdout(Stdio::piped()).spawn().unwrap()
}

fn wait_for(log: &Path, text: &str) {
    let start = Instant::now();
    while !fs::read_to_string(log).is_ok_and(|log| log.contains(text)) {
        assert!(start.elapsed() < Duration::from_secs(60), "the log never said {text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn end(mut process: Child) -> String {
    rustix::process::kill_process(rustix::process::Pid::from_child(&process), rustix::process::Signal::TERM)
        .unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut process.stdout.take().unwrap(), &mut said).unwrap();
    assert!(process.wait().unwrap().success());
    said
}

/// What the device logs of a picture is what `classify` says of it, and what is shown follows from the frames' agreement.
#[test]
fn a_replay_is_answered_as_classify_answers() {
    let place = Place::new();
    (0..6).for_each(|seed| place.film(if seed < 3 { Label::Pneumonia } else { Label::Normal }, seed));
    let (films, log) = (place.path("films"), place.path("log.jsonl"));
    let source = format!("replay:{}", films.display());
    let mut program = program();
    let device = run(program.args(["run", "--json", "--source", &source, "--log"]).arg(&log));
    assert_eq!(device.code, Some(0), "{}", device.stderr);
    let classified = run(crate::support::program().args(["classify", "--json"]).arg(&films));
    let (device, classified) = (device.json(), classified.json());
    assert_eq!(device.len(), 6);
    for (number, (device, classified)) in device.iter().zip(&classified).enumerate() {
        for key in ["state", "score", "logit", "reason", "reason_code", "model_sha256"] {
            assert_eq!(device[key], classified[key], "{key} of {number}");
        }
        let clear = ["POSITIVE", "NEGATIVE"].contains(&device["shown"].as_str().unwrap());
        assert!(!clear || number % 3 == 2, "two frames are no agreement: {device}");
    }
    assert!(verify(&log, &[], None).unwrap().is_sound());
    let what: Vec<_> = place.events().iter().map(|event| event["what"].clone()).collect();
    assert_eq!(what, ["started", "stopped"]);
}

#[test]
fn a_file_that_appears_is_answered_once_and_sigterm_ends_it_in_order() {
    let place = Place::new();
    place.film(Label::Pneumonia, 1); // there before: not answered
    let (films, log) = (place.path("films"), place.path("log.jsonl"));
    let source = format!("folder:{}", films.display());
    let process = start(&["--source", &source, "--log", log.to_str().unwrap()]);
    wait_for(&log, "started");
    std::thread::sleep(Duration::from_millis(500));
    place.film(Label::Pneumonia, 2);
    wait_for(&log, "\"decision\"");
    let said = end(process);
    assert!(said.contains("READY"), "{said}");
    assert!(said.contains("not a diagnosis"), "{said}");
    let entries = Reader::open(&log).unwrap();
    let decisions: Vec<_> = entries.filter_map(|entry| entry.unwrap().decision).collect();
    assert_eq!(decisions.len(), 1);
    assert_eq!((decisions[0].needed, decisions[0].shown_state.clone()), (1, decisions[0].state.clone()));
    assert!(decisions[0].name.is_none() && decisions[0].name_sha256.is_some(), "no name unless asked for");
    let events = place.events();
    assert_eq!(events.last().unwrap()["why"], "signal");
}

#[test]
fn a_camera_that_is_not_there_is_a_fault_and_no_end() {
    let place = Place::new();
    let log = place.path("log.jsonl");
    let process = start(&["--source", "v4l2:/dev/no-such-camera", "--log", log.to_str().unwrap()]);
    wait_for(&log, "fault_began");
    let said = end(process);
    assert!(said.contains(State::Fault.name()), "{said}");
    assert!(place.events().iter().any(|event| event["reason"]["code"] == 31));
}

#[test]
fn thresholds_of_a_site_decide_and_those_for_another_model_are_refused() {
    let place = Place::new();
    (0..3).for_each(|seed| place.film(Label::Pneumonia, seed));
    let cases: String = (0..400)
        .map(|i| format!("{i}.png,{},{}\n", i % 2, if i % 2 == 0 { 0.001 } else { 0.99999 }))
        .collect();
    fs::write(place.path("site.csv"), format!("path,label,score\n{cases}")).unwrap();
    let mut calibrate = program();
    calibrate.args(["calibrate", "--labels"]).arg(place.path("site.csv"));
    let made = run(calibrate.arg("--out").arg(place.path("site.toml")));
    assert_eq!(made.code, Some(0), "{}", made.stderr);

    fs::write(
        place.path("device.toml"),
        "[model]\nsite = \"site.toml\"\n[capture]\nsource = \"replay:films\"\n[log]\nfile = \"log.jsonl\"\npictures = true\n",
    )
    .unwrap();
    let device = run(program().args(["run", "--json", "--config"]).arg(place.path("device.toml")));
    assert_eq!(device.code, Some(0), "{}", device.stderr);
    let site: toml::Table = toml::from_str(&fs::read_to_string(place.path("site.toml")).unwrap()).unwrap();
    for line in device.json() {
        let low = line["negative_below"].as_f64().unwrap();
        assert!((low - site["negative_below"].as_float().unwrap()).abs() < 1e-6, "{line}");
    }
    // The pictures that were asked for are there, under the hashes of the log.
    let kept: Vec<_> = fs::read_dir(place.path("log.jsonl.pictures")).unwrap().map(|f| f.unwrap()).collect();
    assert!(!kept.is_empty());
    let log = fs::read_to_string(place.path("log.jsonl")).unwrap();
    for file in kept {
        let name = file.file_name().into_string().unwrap();
        assert!(log.contains(name.trim_end_matches(".png")), "{name}");
    }

    let other = Bench::new();
    let refused = other.run(["run", "--config", place.path("device.toml").to_str().unwrap()]);
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("site.toml"), "{}", refused.stderr);
}

/// A damaged model: with lights it is a FAULT that is shown for a while, without them the program ends at once; the log says why.
#[test]
fn a_device_that_cannot_begin_says_so_before_it_ends() {
    let place = Place::new();
    let log = place.path("log.jsonl");
    fs::write(place.path("broken.onnx"), "nonsense").unwrap();
    let device = |lights: &str| {
        let text = format!(
            "[model]\nfile = \"broken.onnx\"\n[capture]\nsource = \"replay:films\"\n[log]\nfile = \"log.jsonl\"\n{lights}"
        );
        fs::write(place.path("device.toml"), text).unwrap();
        place.path("device.toml")
    };
    let refused = run(program().args(["run", "--config"]).arg(device("")));
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    let events = place.events();
    assert_eq!(events[0]["reason"]["code"], 41);
    assert!(events[1]["why"].as_str().unwrap().contains("broken.onnx"), "{}", events[1]);

    fs::remove_file(&log).unwrap();
    let lines = "[lights]\nred = { name = \"r\" }\namber = { name = \"a\" }\ngreen = { name = \"g\" }\n";
    let mut process = start(&["--config", device(lines).to_str().unwrap()]);
    wait_for(&log, "broken.onnx");
    std::thread::sleep(Duration::from_millis(300));
    assert!(process.try_wait().unwrap().is_none(), "it shows FAULT");
    let pid = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(4));
}

#[test]
fn what_no_device_can_start_with_is_refused_at_once() {
    let cases: [(&[&str], &str); 3] = [
        (&["run"], "--config"),
        (&["run", "--source", "replay:/no/such/folder", "--log", "log.jsonl"], "/no/such/folder"),
        (&["run", "--config", "/no/such.toml"], "/no/such.toml"),
    ];
    let place = Place::new();
    for (arguments, expected) in cases {
        let refused = run(program().args(arguments).current_dir(&place.folder));
        assert_ne!(refused.code, Some(0), "{arguments:?}");
        assert!(refused.stderr.contains(expected), "{arguments:?}: {}", refused.stderr);
    }
}
