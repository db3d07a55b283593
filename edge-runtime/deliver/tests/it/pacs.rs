//! What becomes of a line that an archive is to get, with an archive and a program that answer what a test
//! says; real ones are `delivery_pacs`.

use crate::support::archive::{Answering, film, judge, seen};
use crate::support::{Bench, comes, context};
use edge_core::agree::Indication;
use edge_core::{Decision, Reason, State};
use edge_runtime::log::Record;
use serde_json::Value;
use std::fs;

const OWN: [f32; 2] = [0.25, 0.75];

/// So many answers on files of the folder stand in the log.
fn logged(bench: &Bench, files: u64) {
    let mut log = bench.log();
    for number in 1..=files {
        let (state, reason) = (State::Refer, Reason::BetweenThresholds);
        let decision = Decision { state, reason, logit: Some(0.0), score: Some(0.5) };
        log.write(&Record {
            exam: None,
            context: &context(),
            source: "folder:inbox",
            name: &format!("{number}.dcm"),
            pictures: Some(1),
            frame: Some(seen()),
            decision: &decision,
            shown: Indication { state, reason },
            agreeing: 1,
            needed: 1,
            latency_us: 1234,
        })
        .unwrap();
    }
}

/// A device with these answers, and the program and archive that its delivery finds.
fn bench(files: u64, archive: &Answering, first: &str, thresholds: [f32; 2]) -> Bench {
    let bench = Bench::new("");
    logged(&bench, files);
    (1..=files).for_each(|number| drop(bench.write(&format!("inbox/{number}.dcm"), film(number))));
    let (program, port) = (judge(&bench, first, thresholds), archive.port);
    bench.configure(&format!(
        "[pacs]\nenabled = true\nhost = \"127.0.0.1\"\nport = {port}\nretry_max_s = 1\nprogram = \"{program}\"\n"
    ));
    bench
}

fn status(bench: &Bench) -> Value {
    let status: Value = serde_json::from_slice(&bench.output(&["status", "--json"]).stdout).unwrap();
    status["destinations"][1].clone()
}

#[track_caller]
fn all_sent(bench: &Bench) -> Value {
    assert!(comes(|| status(bench)["behind"] == 0), "{}", status(bench));
    status(bench)
}

fn why(status: &Value) -> &str {
    status["why"].as_str().unwrap_or_default()
}

#[test]
fn a_report_and_a_picture_are_sent_of_each() {
    let archive = Answering::with(&[]);
    let bench = bench(2, &archive, "", OWN);
    let _running = bench.run();
    assert_eq!(all_sent(&bench)["refused"], 0);
    let kinds: Vec<_> = archive.got().iter().map(|got| (got.is_report(), got.holds("A1"))).collect();
    assert_eq!(kinds, [(true, true), (false, true), (true, false), (false, false)]);
}

/// 0111, "duplicate SOP instance": it has the very instance, of an attempt whose answer was lost.
#[test]
fn an_archive_that_has_an_instance_already_has_got_it() {
    let archive = Answering::with(&[0x0111, 0x0111]);
    let bench = bench(2, &archive, "", OWN);
    let _running = bench.run();
    let said = all_sent(&bench);
    assert_eq!((&said["refused"], &said["why"]), (&Value::from(0), &Value::Null));
    let names: std::collections::BTreeSet<_> = archive.got().iter().map(|got| got.name.clone()).collect();
    assert_eq!((archive.got().len(), names.len()), (4, 4), "each was sent once");
}

#[test]
fn a_planted_refusal_for_good_is_passed_over_and_told() {
    let archive = Answering::with(&[0xA900]);
    let bench = bench(2, &archive, "", OWN);
    let _running = bench.run();
    assert_eq!(all_sent(&bench)["refused"], 1);
    assert_eq!(archive.got().len(), 4);
}

#[test]
fn the_files_of_a_share_that_is_not_mounted_are_waited_for() {
    let archive = Answering::with(&[]);
    let bench = bench(2, &archive, "", OWN);
    fs::rename(bench.path("inbox"), bench.path("share")).unwrap();
    fs::create_dir(bench.path("inbox")).unwrap();
    let _running = bench.run();
    assert!(comes(|| why(&status(&bench)).contains("is its share mounted?")), "{}", status(&bench));
    assert_eq!((&status(&bench)["behind"], archive.got().len()), (&Value::from(2), 0));
    fs::remove_dir(bench.path("inbox")).unwrap();
    assert!(comes(|| why(&status(&bench)).contains("cannot list")), "{}", status(&bench));
    fs::rename(bench.path("share"), bench.path("inbox")).unwrap();
    assert_eq!(all_sent(&bench)["not_for_it"], 0);
    assert_eq!(archive.got().len(), 4);
}

/// As where a site's thresholds or prevalence decided: a drawing that says otherwise is not sent.
#[test]
fn an_answer_that_would_be_drawn_otherwise_is_reported_without_a_picture() {
    let archive = Answering::with(&[]);
    let bench = bench(1, &archive, "", [0.25, 0.5]);
    let _running = bench.run();
    let said = all_sent(&bench);
    assert!(why(&said).contains("the report was sent without a picture"), "{said}");
    let [report] = &archive.got()[..] else { panic!("{:?}", archive.got()) };
    assert!(report.is_report());
    for of_the_log in ["NEGATIVE below 0.2500, POSITIVE above 0.7500", "REFER", "0.5000"] {
        assert!(report.holds(of_the_log), "{of_the_log}");
    }
}

#[test]
fn a_program_that_is_killed_while_it_draws_leaves_the_report_alone() {
    let archive = Answering::with(&[]);
    let bench = bench(1, &archive, "test -n \"$out\" && kill -9 $$", OWN);
    let _running = bench.run();
    let said = all_sent(&bench);
    assert!(why(&said).contains("without a picture"), "{said}");
    assert_eq!(said["refused"], 1);
    let [report] = &archive.got()[..] else { panic!("{:?}", archive.got()) };
    assert!(report.is_report() && report.holds("A1"));
}

/// A full disk under the drawing, say: the file is as good as it was.
#[test]
fn what_cannot_be_drawn_is_reported_all_the_same() {
    let archive = Answering::with(&[]);
    let fails = r#"test -n "$out" && { echo '{"path":"-","error":"no space left","fault":true}'; exit 0; }"#;
    let bench = bench(1, &archive, fails, OWN);
    let _running = bench.run();
    let said = all_sent(&bench);
    assert!(why(&said).contains("the report was sent without a picture"), "{said}");
    let [report] = &archive.got()[..] else { panic!("{:?}", archive.got()) };
    assert!(report.is_report() && report.holds("A1"));
}

#[test]
fn a_program_that_gives_up_over_a_file_holds_up_no_other() {
    let archive = Answering::with(&[]);
    let gives_up =
        r#"grep -aq A1 && { echo '{"path":"-","error":"FAULT: internal error","fault":true}'; exit 3; }"#;
    let bench = bench(2, &archive, gives_up, OWN);
    let _running = bench.run();
    assert_eq!(all_sent(&bench)["refused"], 1);
    assert!(archive.got().iter().all(|got| got.holds("A2")), "{:?}", archive.got());
}

#[test]
fn a_program_that_is_killed_by_a_file_whatever_it_is_told_holds_up_no_other() {
    let archive = Answering::with(&[]);
    let bench = bench(2, &archive, "grep -aq A1 && kill -9 $$", OWN);
    let _running = bench.run();
    let said = all_sent(&bench);
    assert_eq!(said["refused"], 1, "{said}");
    let got = archive.got();
    assert!(got.len() == 2 && got.iter().all(|got| got.holds("A2")), "{got:?}");
}
