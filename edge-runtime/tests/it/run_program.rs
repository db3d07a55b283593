//! `edge-runtime run` as a process: replay and folder, site file, signals, lines for programs,
//! refusals.

use crate::support::log::{assert_sound, decisions, events};
use crate::support::{Bench, assert_contains, comes, film, mode, model, process, program, run, shipped};
use edge_core::State;
use edge_model::model_file::FITTED_PREVALENCE;
use phantoms::Label;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

/// A bench with an empty folder for films, and the log that is to be there.
fn place() -> (Bench, PathBuf) {
    let bench = Bench::new();
    fs::create_dir(bench.path("films")).unwrap();
    let log = bench.path("log.jsonl").into();
    (bench, log)
}

fn start(arguments: &[&str]) -> Child {
    process().arg("run").args(arguments).stdout(Stdio::piped()).spawn().unwrap()
}

fn wait_for(log: &Path, text: &str) {
    let said = || fs::read_to_string(log).is_ok_and(|log| log.contains(text));
    assert!(comes(said), "the log never said {text}");
}

fn terminate(process: &Child) {
    kill_process(Pid::from_child(process), Signal::TERM).unwrap();
}

fn end(mut process: Child) -> String {
    terminate(&process);
    let mut said = String::new();
    std::io::Read::read_to_string(&mut process.stdout.take().unwrap(), &mut said).unwrap();
    assert!(process.wait().unwrap().success());
    said
}

#[test]
fn a_reader_of_json_lines_that_goes_away_ends_no_device() {
    let (place, log) = place();
    let films = place.path("films");
    (0..6).for_each(|seed| film(&films, Label::Normal, seed));
    let mut device = process();
    device.args(["run", "--json", "--source", &format!("replay:{films}"), "--log"]).arg(&log);
    let mut device = device.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(device.stdout.take());
    let ended = device.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success(), "{said}");
    assert_eq!(said.matches("nobody reads the JSON lines").count(), 1, "{said}");
    assert_eq!(decisions(&log).len(), 6);
    assert_eq!(events(&log).last().unwrap()["why"], "the replay has ended");
    assert_sound(&log);
}

/// What the device logs of a picture is what `classify` says of it, and what is shown follows from
/// the frames' agreement.
#[test]
fn a_replay_is_answered_as_classify_answers() {
    let (place, log) = place();
    let films = place.path("films");
    (0..6).for_each(|seed| film(&films, if seed < 3 { Label::Pneumonia } else { Label::Normal }, seed));
    let source = format!("replay:{films}");
    let device = run(program().args(["run", "--json", "--source", &source, "--log"]).arg(&log));
    let classified = run(program().args(["classify", "--json", &films]));
    let (device, classified) = (device.ended(0).json(), classified.json());
    assert_eq!(device.len(), 6);
    for (number, (device, classified)) in device.iter().zip(&classified).enumerate() {
        for key in ["state", "score", "logit", "reason", "reason_code", "model_sha256"] {
            assert_eq!(device[key], classified[key], "{key} of {number}");
        }
        let clear = ["POSITIVE", "NEGATIVE"].contains(&device["shown"].as_str().unwrap());
        assert!(!clear || number % 3 == 2, "two frames are no agreement: {device}");
    }
    assert_sound(&log);
    let what: Vec<_> = events(&log).iter().map(|event| event["what"].clone()).collect();
    assert_eq!(what, ["started", "stopped"]);
}

#[test]
fn a_file_that_appears_is_answered_once_and_sigterm_ends_it_in_order() {
    let (place, log) = place();
    let films = place.path("films");
    film(&films, Label::Pneumonia, 1); // there before: not answered
    let source = format!("folder:{films}");
    let process = start(&["--source", &source, "--log", log.to_str().unwrap()]);
    wait_for(&log, "started");
    std::thread::sleep(Duration::from_millis(500));
    film(&films, Label::Pneumonia, 2);
    wait_for(&log, "\"decision\"");
    let said = end(process);
    assert_contains(&said, &["READY", "not a diagnosis"]);
    let [decision] = decisions(&log).try_into().expect("one decision");
    assert_eq!((decision.needed, &decision.shown_state), (1, &decision.state));
    assert!(decision.name.is_none() && decision.name_sha256.is_some(), "no name unless asked for");
    assert_eq!(events(&log).last().unwrap()["why"], "signal");
}

/// A note of each answer goes before its line in the log, and the last one is held against the log.
#[test]
fn files_are_answered_once_each_however_often_the_device_is_killed() {
    const FILMS: usize = 8;
    let (place, log) = place();
    let films = place.path("films");
    let config = place.file(
        "device.toml",
        "[model]\nengine = \"core\"\n[capture]\nsource = \"folder:films\"\nquiet_ms = 50\n[log]\nfile = \"log.jsonl\"\n",
    );
    let start = || process().args(["run", "--config", &config]).stdout(Stdio::null()).spawn().unwrap();
    let mut device = start();
    // From the first listing on what comes is new.
    assert!(comes(|| Path::new(&place.path("log.jsonl.answered")).exists()));
    (0..FILMS).for_each(|seed| film(&films, Label::Pneumonia, seed as u64));
    let answered = || if log.exists() { decisions(&log).len() } else { 0 };
    for kill_at in [1, 3, 6, FILMS] {
        assert!(comes(|| answered() >= kill_at), "{} of {kill_at}", answered());
        device.kill().unwrap();
        device.wait().unwrap();
        device = start();
    }
    // What came while nobody watched is answered too.
    device.kill().unwrap();
    device.wait().unwrap();
    film(&films, Label::Normal, 99);
    device = start();
    assert!(comes(|| answered() > FILMS));
    std::thread::sleep(Duration::from_millis(700));
    terminate(&device);
    assert!(device.wait().unwrap().success());
    let mut names: Vec<_> =
        decisions(&log).iter().map(|decision| decision.name_hash().unwrap().to_string()).collect();
    assert_eq!(names.len(), FILMS + 1);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FILMS + 1, "each once");
    assert_sound(&log);
}

/// A line is of the picture that was answered; what the lamps show may be another child's.
#[test]
fn a_json_line_says_whose_answer_is_shown() {
    let (place, log) = place();
    let films = place.path("films");
    (0..8).for_each(|seed| film(&films, Label::Pneumonia, seed));
    let classified = run(program().args(["classify", "--json", &films])).ended(0).json();
    let ill = classified.iter().find(|line| line["state"] == "POSITIVE").expect("one of eight");
    let ill = fs::read(ill["path"].as_str().unwrap()).unwrap();
    fs::remove_dir_all(&films).unwrap();
    for names in [true, false] {
        fs::create_dir(&films).unwrap();
        let config = format!(
            "[capture]\nsource = \"folder:films\"\nquiet_ms = 50\n[log]\nfile = \"log.jsonl\"\nnames = {names}\n"
        );
        let config = place.file("device.toml", config);
        let process = start(&["--json", "--config", &config]);
        assert!(comes(|| Path::new(&place.path("log.jsonl.answered")).exists()));
        place.file("films/ruth.png", &ill);
        wait_for(&log, "\"decision\"");
        film(&films, Label::Normal, 1);
        assert!(comes(|| decisions(&log).len() == 2));
        let said = end(process);
        let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [ruth, other] = lines.try_into().expect("two lines");
        let key = if names { "study" } else { "study_sha256" };
        let of = |line: &Value, prefix: &str| line[format!("{prefix}{key}")].clone();
        assert!(of(&ruth, "").is_string() && of(&ruth, "") != of(&other, ""), "{said}");
        assert_eq!(of(&ruth, "shown_"), of(&ruth, ""));
        assert_eq!((&other["shown"], of(&other, "shown_")), (&"POSITIVE".into(), of(&ruth, "")), "{said}");
        assert_eq!(said.contains("ruth"), names, "{said}");
        fs::remove_dir_all(&films).unwrap();
        fs::remove_file(&log).unwrap();
        fs::remove_file(place.path("log.jsonl.answered")).unwrap();
    }
}

/// A service's standard error is kept in the journal.
#[test]
fn no_name_of_a_damaged_file_is_said_though_it_is_no_text() {
    let (place, log) = place();
    let config = place.file(
        "device.toml",
        "[capture]\nsource = \"folder:films\"\nquiet_ms = 50\ngive_up_ms = 200\n[log]\nfile = \"log.jsonl\"\n",
    );
    let mut device = process();
    device.args(["run", "--config", &config]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let device = device.spawn().unwrap();
    assert!(comes(|| Path::new(&place.path("log.jsonl.answered")).exists()));
    for name in [&b"ruth-\xFF\xFE.png"[..], b"ruth\n.png", b"ruth-\xFF.gif", b"ruth.heic"] {
        fs::write(Path::new(&place.path("films")).join(OsStr::from_bytes(name)), "no picture").unwrap();
    }
    assert!(comes(|| log.exists() && decisions(&log).len() == 2));
    wait_for(&log, "passed_over");
    terminate(&device);
    let ended = device.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    assert_contains(&said, &["films/#", "not answered: no kind of file"]);
    assert!(!said.contains("ruth"), "{said}");
    assert!(!fs::read_to_string(&log).unwrap().contains("ruth"));
}

/// What reads the screen may go away, and may never have been there.
#[test]
fn a_screen_that_is_gone_at_the_start_ends_no_device() {
    let (place, log) = place();
    let films = place.path("films");
    (0..3).for_each(|seed| film(&films, Label::Normal, seed));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let source = format!("replay:{films}");
    let mut device = process();
    device.args(["run", "--source", &source, "--log"]).arg(&log).stdout(Stdio::from(writer));
    assert!(device.status().unwrap().success());
    assert_eq!(decisions(&log).len(), 3);
}

#[test]
fn a_camera_that_is_not_there_is_a_fault_and_no_end() {
    let (_place, log) = place();
    let process = start(&["--source", "v4l2:/dev/no-such-camera", "--log", log.to_str().unwrap()]);
    wait_for(&log, "fault_began");
    let said = end(process);
    assert_contains(&said, &[State::Fault.name()]);
    assert!(events(&log).iter().any(|event| event["reason"]["code"] == 31));
}

#[test]
fn thresholds_of_a_site_decide_and_those_for_another_model_are_refused() {
    let (place, log) = place();
    (0..3).for_each(|seed| film(place.path("films"), Label::Pneumonia, seed));
    let cases: String = (0..400)
        .map(|i| format!("{i}.png,{},{}\n", i % 2, if i % 2 == 0 { 0.001 } else { 0.99999 }))
        .collect();
    let labels = place.file("site.csv", format!("path,label,score\n{cases}"));
    let site = place.path("site.toml");
    run(program().args(["calibrate", "--labels", &labels, "--out", &site])).ended(0);
    let config = place.file(
        "device.toml",
        "[model]\nsite = \"site.toml\"\n[capture]\nsource = \"replay:films\"\n[log]\nfile = \"log.jsonl\"\npictures = true\n",
    );
    // A site that calls every score below 1 NEGATIVE: the model alone would call these films POSITIVE.
    let mut strange: toml::Table = toml::from_str(&fs::read_to_string(&site).unwrap()).unwrap();
    for threshold in ["negative_below", "positive_above"] {
        assert!(strange.insert(threshold.into(), 1.0.into()).is_some());
    }
    fs::write(&site, strange.to_string()).unwrap();
    let device = run(program().args(["run", "--json", "--config", &config])).ended(0);
    let lines = device.json();
    assert_eq!(lines.len(), 3);
    for line in lines {
        assert_eq!((&line["state"], &line["negative_below"]), (&"NEGATIVE".into(), &1.0.into()), "{line}");
    }
    let alone = run(program()
        .args(["run", "--json", "--source", &format!("replay:{}", place.path("films"))])
        .args(["--log", &place.path("alone.jsonl")]))
    .ended(0);
    assert!(alone.json().iter().any(|line| line["state"] == "POSITIVE"));
    // The pictures that were asked for are there, under the hashes of the log.
    let kept: Vec<_> = fs::read_dir(place.path("log.jsonl.pictures")).unwrap().map(|f| f.unwrap()).collect();
    assert!(!kept.is_empty());
    let log = fs::read_to_string(log).unwrap();
    assert_eq!(mode(&place.path("log.jsonl.pictures")), 0o700, "pictures of patients");
    for file in kept {
        assert_eq!(mode(file.path().to_str().unwrap()), 0o600);
        let name = file.file_name().into_string().unwrap();
        assert!(log.contains(name.trim_end_matches(".png")), "{name}");
    }

    let refused = place.run(["run", "--config", &config]);
    assert_ne!(refused.code, Some(0));
    assert_contains(&refused.stderr, &["site.toml"]);
}

/// The shipped network, in a file that says how common the disease was where its score was fitted.
fn of_prevalence(share: &str) -> Vec<u8> {
    model::with_property(&shipped(), FITTED_PREVALENCE, share)
}

#[test]
fn a_prevalence_moves_score_and_thresholds_together_and_is_told_everywhere() {
    let (place, log) = place();
    (0..6).for_each(|seed| film(place.path("films"), Label::Pneumonia, seed));
    (6..12).for_each(|seed| film(place.path("films"), Label::Normal, seed));
    place.file("model.onnx", of_prevalence("0.75"));
    let config = |site: &str| {
        let text = format!(
            "[model]\nfile = \"model.onnx\"\n{site}\n[capture]\nsource = \"replay:films\"\n[log]\nfile = \"log.jsonl\"\n"
        );
        place.file("device.toml", text)
    };
    let answers =
        |site: &str| run(program().args(["run", "--json", "--config", &config(site)])).ended(0).json();
    let (own, here) = (answers(""), answers("[site]\nprevalence = 0.1"));
    let number = |line: &Value, key: &str| line[key].as_f64().unwrap();
    let odds = |share: f64| share / (1.0 - share);
    // Bayes: the odds change by those of 10 % over those of 75 %.
    let ratio = odds(0.1) / odds(0.75);
    assert_eq!((own.len(), here.len()), (12, 12));
    let mut between = 0;
    for (own, here) in own.iter().zip(&here) {
        assert_eq!(own["logit"], here["logit"]);
        assert_eq!(own["state"], here["state"], "what was promised of the states stays");
        for key in ["score", "negative_below", "positive_above"] {
            let (before, after) = (number(own, key), number(here, key));
            if (0.001..0.999).contains(&before) {
                assert!(
                    (odds(after) / odds(before) / ratio - 1.0).abs() < 1e-2,
                    "{key}: {before} to {after}"
                );
                between += 1;
            }
        }
        assert_eq!(own["prior"], Value::Null);
        assert_eq!(here["prior"], serde_json::json!({"prevalence": 0.1, "fitted_prevalence": 0.75}));
    }
    assert!(between >= 24, "the thresholds at least: {between}");
    let logged = decisions(&log);
    assert!(logged.last().unwrap().prior.is_some_and(|prior| prior.prevalence == 0.1));

    let check = |site: &str| run(program().args(["check-config", &config(site)]));
    let refused = |site: &str, why: &str| assert_contains(&check(site).ended(5).stdout, &[why]);
    let said = check("[site]\nprevalence = 0.1").ended(0).stdout;
    assert_contains(&said, &["prevalence", "0.1 here, 0.75 where the score was fitted: -3.296"]);
    refused("[site]\nprevalence = 1.0", "expected a share from 0.0001 to 0.9999");
    // A model that does not say where it was fitted cannot be moved.
    place.file("model.onnx", model::small(1));
    refused("[site]\nprevalence = 0.1", "the model does not say how common the disease was");
    let device = run(program().args(["run", "--config", &config("[site]\nprevalence = 0.1")]));
    device.refused(1, "the model does not say how common the disease was");
    for wrong in ["0", "1", "-0.5", "nan", "often"] {
        place.file("model.onnx", of_prevalence(wrong));
        refused("", "a share between 0 and 1");
    }
}

/// A damaged model: with lights it is a FAULT that is shown for a while, without them the program
/// ends at once; the log says why.
#[test]
fn a_device_that_cannot_begin_says_so_before_it_ends() {
    let (place, log) = place();
    place.file("broken.onnx", "nonsense");
    let device = |lights: &str| {
        let text = format!(
            "[model]\nfile = \"broken.onnx\"\n[capture]\nsource = \"replay:films\"\n[log]\nfile = \"log.jsonl\"\n{lights}"
        );
        place.file("device.toml", text)
    };
    run(program().args(["run", "--config", &device("")])).ended(4);
    let events = events(&log);
    assert_eq!(events[0]["reason"]["code"], 41);
    assert_contains(events[1]["why"].as_str().unwrap(), &["broken.onnx"]);

    fs::remove_file(&log).unwrap();
    let lines = "[lights]\nred = { name = \"r\" }\namber = { name = \"a\" }\ngreen = { name = \"g\" }\n";
    let mut process = start(&["--config", &device(lines)]);
    wait_for(&log, "broken.onnx");
    std::thread::sleep(Duration::from_millis(300));
    assert!(process.try_wait().unwrap().is_none(), "it shows FAULT");
    terminate(&process);
    assert_eq!(process.wait().unwrap().code(), Some(4));
}

#[test]
fn what_no_device_can_start_with_is_refused_at_once() {
    let cases: [(&[&str], &str); 3] = [
        (&["run"], "--config"),
        (&["run", "--source", "replay:/no/such/folder", "--log", "log.jsonl"], "/no/such/folder"),
        (&["run", "--config", "/no/such.toml"], "/no/such.toml"),
    ];
    let (place, _) = place();
    for (arguments, expected) in cases {
        let refused = run(program().args(arguments).current_dir(&place.folder));
        assert_ne!(refused.code, Some(0), "{arguments:?}");
        assert_contains(&refused.stderr, &[expected]);
    }
}
