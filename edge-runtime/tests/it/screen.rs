//! A device with a screen as a process: what is published follows the lights, taps come back, and
//! whatever lies in the folders changes nothing.

use crate::support::log::{assert_sound, events};
use crate::support::room::film as of_state;
use crate::support::watch::{Watch, grey};
use crate::support::{Bench, comes, film, process, program, run};
use edge_core::State;
use phantoms::Label;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use status::{Progress, Status};
use std::fs;
use std::path::Path;
use std::process::Stdio;

/// What stays the same in two runs of one device: lines and log without times, hashes and names of
/// runs.
fn timeless(value: &Value) -> Value {
    let times = [
        "time",
        "uptime_ms",
        "boot_id",
        "prev",
        "hash",
        "latency_us",
        "config_sha256",
        "lasted_ms",
        "unix_ms",
    ];
    let Value::Object(fields) = value else { return value.clone() };
    let stays = fields.iter().filter(|(key, _)| !times.contains(&key.as_str()));
    stays.map(|(key, value)| (key.clone(), timeless(value))).collect()
}

struct Said {
    lines: Vec<Value>,
    log: Vec<Value>,
    stderr: String,
}

/// A replay to its end, with this table `[screen]`.
fn replay(bench: &Bench, screen: &str) -> Said {
    let log = bench.path("log.jsonl");
    let _ = fs::remove_file(&log);
    let text = format!(
        "[model]\nengine = \"core\"\n[capture]\nsource = \"replay:films\"\n[log]\nfile = \"log.jsonl\"\n{screen}"
    );
    let config = bench.file("device.toml", text);
    let ended = run(program().args(["run", "--json", "--config", &config])).ended(0);
    assert_sound(Path::new(&log));
    let text = fs::read_to_string(&log).unwrap();
    let log = text.lines().map(|line| timeless(&serde_json::from_str(line).unwrap())).collect();
    Said { lines: ended.json().iter().map(timeless).collect(), log, stderr: ended.stderr }
}

#[test]
fn whatever_lies_in_the_folders_lines_and_log_are_the_same() {
    let bench = Bench::new();
    fs::create_dir(bench.path("films")).unwrap();
    let labels = [Label::Pneumonia, Label::Pneumonia, Label::Pneumonia, Label::Normal];
    (0..12).for_each(|seed| film(bench.path("films"), labels[seed as usize / 3], seed));
    let without = replay(&bench, "");
    assert_eq!((without.lines.len(), without.stderr.as_str()), (12, ""));
    let watch = Watch::new(bench.folder.path());
    let same = |screen: &str, said: &str| {
        let with = replay(&bench, &format!("[screen]\n{screen}"));
        assert_eq!((&with.lines, &with.log), (&without.lines, &without.log), "{screen}");
        let told = with.stderr.matches(said).count();
        if said.is_empty() {
            assert_eq!(with.stderr, "", "{screen}");
        } else {
            assert_eq!(told, 1, "{screen}: {}", with.stderr);
        }
    };
    same("folder = \"run\"", "");
    assert_eq!(watch.files(), [""; 0], "a device that ends leaves nothing");
    // What lies there from before goes, and what is not a device's stays.
    for name in ["status.json", "picture-3.png", "heat-3.png.tmp", "other"] {
        fs::write(watch.folder.join(name), b"old").unwrap();
    }
    same("folder = \"run\"\npicture = false", "");
    assert_eq!(watch.files(), ["other"]);
    fs::create_dir(watch.folder.join("status.json")).unwrap();
    same("folder = \"run\"", "cannot be written");
    fs::remove_dir(watch.folder.join("status.json")).unwrap();
    same("folder = \"no/such\"", "cannot be written");
    same("folder = \"films/000.png\"", "cannot be written");
    same("folder = \"/proc\"", "cannot be written");
    let acknowledge = "folder = \"run\"\nacknowledge = \"run-screen/acknowledged.json\"";
    same(acknowledge, "");
    let lies = |bytes: &[u8]| fs::write(&watch.acknowledged, bytes).unwrap();
    lies(b"\0\xff nonsense");
    same(acknowledge, "expected JSON");
    lies(&vec![b'['; 2 << 20]);
    same(acknowledge, "something else lies there");
    fs::remove_file(&watch.acknowledged).unwrap();
    fs::create_dir(&watch.acknowledged).unwrap();
    same(acknowledge, "something else lies there");
    fs::remove_dir(&watch.acknowledged).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(&watch.acknowledged).status().unwrap();
    assert!(pipe.success());
    same(acknowledge, "something else lies there");
}

/// The comparison bites: other films, and a log of another device, are not the same.
#[test]
fn a_planted_difference_of_lines_and_log_is_found() {
    let bench = Bench::new();
    fs::create_dir(bench.path("films")).unwrap();
    (0..3).for_each(|seed| film(bench.path("films"), Label::Pneumonia, seed));
    let before = replay(&bench, "");
    film(bench.path("films"), Label::Normal, 2);
    let after = replay(&bench, "");
    assert_ne!(before.lines, after.lines);
    assert_ne!(before.log, after.log);
}

#[test]
fn a_screen_follows_the_lights_and_what_is_tapped_on_it_is_acknowledged() {
    let bench = Bench::new();
    let films = bench.folder.path().join("films");
    fs::create_dir(&films).unwrap();
    let mut watch = Watch::new(bench.folder.path());
    let config = bench.file(
        "device.toml",
        "[device]\nname = \"room 3\"\n[model]\nengine = \"core\"\n[capture]\nsource = \"folder:films\"\nquiet_ms = 50\n\
         [decision]\nstudy_ms = 0\nhold_ms = 3600000\n[log]\nfile = \"log.jsonl\"\nnames = true\n\
         [screen]\nfolder = \"run\"\nacknowledge = \"run-screen/acknowledged.json\"\n",
    );
    let mut device = process().args(["run", "--config", &config]).stdout(Stdio::null()).spawn().unwrap();
    let sees = |watch: &Watch, state: Option<State>, turn: Option<u32>| -> Status {
        let mut found = None;
        let is = |status: &Status| {
            let list = status.worklist.as_ref().unwrap();
            status.shown.map(|shown| shown.state) == state && list.turn == turn
        };
        assert!(
            comes(|| {
                found = watch.status().filter(is);
                found.is_some()
            }),
            "{state:?}, {turn:?}: {:?}",
            watch.status()
        );
        found.unwrap()
    };
    let first = sees(&watch, None, None);
    assert_eq!((first.device.as_str(), first.worklist.as_ref().unwrap().acknowledges), ("room 3", true));
    assert!(comes(|| Path::new(&bench.path("log.jsonl.answered")).exists()));
    fs::write(films.join("ruth.png"), of_state(State::Positive)).unwrap();
    let positive = sees(&watch, Some(State::Positive), Some(0));
    assert_eq!(watch.picture(&positive), Some(grey(&of_state(State::Positive))));
    assert!(positive.holds(positive.monotonic_ms) && positive.run == first.run);
    fs::write(films.join("dark.png"), of_state(State::Invalid)).unwrap();
    assert!(comes(|| watch.status().is_some_and(|status| status.worklist.unwrap().waiting == 1)));
    // Too early; then the one that is shown.
    watch.tap(&positive, 1, 1);
    watch.tap(&positive, 0, 1);
    let invalid = sees(&watch, Some(State::Invalid), Some(1));
    let progress: Vec<_> =
        invalid.worklist.as_ref().unwrap().cases.iter().map(|case| case.progress).collect();
    assert_eq!(progress, [Progress::Acknowledged, Progress::Shown]);
    assert_eq!(watch.picture(&invalid), Some(grey(&of_state(State::Invalid))));
    watch.tap(&invalid, 1, 1);
    sees(&watch, None, None);
    fs::write(films.join("jane.png"), of_state(State::Negative)).unwrap();
    let negative = sees(&watch, Some(State::Negative), Some(2));
    assert_eq!(watch.picture(&negative), Some(grey(&of_state(State::Negative))));
    kill_process(Pid::from_child(&device), Signal::TERM).unwrap();
    assert!(device.wait().unwrap().success());
    assert_eq!(watch.files(), [""; 0], "in order, nothing is left");
    let log = bench.path("log.jsonl");
    let events = events(Path::new(&log));
    let acknowledged: Vec<_> = events
        .iter()
        .filter(|event| event["what"] == "acknowledged")
        .map(|event| ["study", "state", "by"].map(|key| event[key].as_str().unwrap()))
        .collect();
    assert_eq!(acknowledged, [["ruth", "POSITIVE", "screen"], ["dark", "INVALID", "screen"]]);
    assert_sound(Path::new(&log));
}

/// A device that hangs, or is killed, writes nothing any more: what lies there becomes stale.
#[test]
fn a_device_that_stands_still_goes_stale() {
    let bench = Bench::new();
    fs::create_dir(bench.path("films")).unwrap();
    let watch = Watch::new(bench.folder.path());
    let config = bench.file(
        "device.toml",
        "[model]\nengine = \"core\"\n[capture]\nsource = \"folder:films\"\n[log]\nfile = \"log.jsonl\"\n[screen]\nfolder = \"run\"\n",
    );
    let mut device = process().args(["run", "--config", &config]).stdout(Stdio::null()).spawn().unwrap();
    let written = || watch.status().map(|status| status.monotonic_ms);
    assert!(comes(|| written().is_some()));
    let first = written();
    assert!(comes(|| written() > first), "it is written again though nothing changes");
    device.kill().unwrap();
    device.wait().unwrap();
    let last = watch.status().unwrap();
    assert!(comes(|| !last.holds(edge_runtime::capture::now_ms())));
    assert_eq!(written(), Some(last.monotonic_ms));
}
