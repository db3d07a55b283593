//! Local calibration: known answers, too few pictures, lists with wrong rows, site files of other
//! models.

use crate::support::log::{context, decision, record};
use crate::support::{Bench, assert_contains, picture, small};
use edge_core::decide::Thresholds;
use edge_model::model_file::{ModelFile, sha256_hex};
use edge_runtime::log::{Log, Options, Record};
use edge_runtime::site::{ChooseError, Rule, Site, SiteError, Targets, choose, read};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::fs;

const TARGETS: Targets = Targets { max_missed: 0.1, max_false_alarms: 0.1, rule: Rule::Estimate };

/// Scores in thousandths: 100 healthy from 0.001 to 0.1 and 100 ill from 0.901 to 1.0, moved
/// together by `overlap` each.
fn cases(overlap: usize) -> Vec<(f32, bool)> {
    let score = |thousandths: usize| thousandths as f32 / 1000.0;
    let healthy = (1..=100).map(|i| (score(i + overlap), false));
    healthy.chain((901..=1000).map(|i| (score(i - overlap), true))).collect()
}

fn list(cases: &[(f32, bool)]) -> String {
    let mut text = "name,label,score\n".to_owned();
    for (i, (score, label)) in cases.iter().enumerate() {
        writeln!(text, "{i},{},{score}", if *label { "PNEUMONIA" } else { "normal" }).unwrap();
    }
    text
}

#[test]
fn thresholds_are_the_order_statistics() {
    // Well apart: ten of each may be wrong, so the lights widen to the eleventh of the others and then
    // change places.
    let t = choose(&cases(0), &TARGETS).unwrap();
    assert_eq!(t, Thresholds { negative_below: 0.09, positive_above: 0.911 });
    // Overlapping by a half: ill from 0.451 on, healthy up to 0.55.
    let t = choose(&cases(450), &TARGETS).unwrap();
    assert_eq!(t, Thresholds { negative_below: 0.461, positive_above: 0.54 });
    let wrong =
        |of: &dyn Fn(f32) -> bool, label| cases(450).iter().filter(|(s, l)| *l == label && of(*s)).count();
    assert_eq!((wrong(&|s| s < t.negative_below, true), wrong(&|s| s > t.positive_above, false)), (10, 10));
    // The bound is stricter: its upper end must keep to a tenth.
    let t = choose(&cases(450), &Targets { rule: Rule::Bound, ..TARGETS }).unwrap();
    assert_eq!(wrong(&|s| s < t.negative_below, true), 4);
}

#[test]
fn too_few_pictures_are_refused_with_the_number_needed() {
    let error = choose(&cases(0)[..110], &TARGETS).unwrap_err();
    assert_eq!(error, ChooseError::TooFew { label: "positive", got: 10, needed: 29, target: 0.1 });
    assert!(error.to_string().contains("at least 29 are needed"), "{error}");
    assert_eq!(choose(&[], &Targets { max_missed: 0.0, ..TARGETS }), Err(ChooseError::Target(0.0)));
    assert!(matches!(choose(&[(f32::NAN, true)], &TARGETS), Err(ChooseError::Score(_))));
}

#[test]
fn wrong_rows_are_named_by_line() {
    let error = |text: &str| read(text.as_bytes()).unwrap_err().to_string();
    for (text, expected) in [
        ("", "expected a column `path`"),
        ("path,score\na,0.1\n", "expected a column `label`"),
        (
            "path,label\na,NORMAL\nb,maybe\n",
            "line 3: expected a label NORMAL or PNEUMONIA, or 0 or 1, got `maybe`",
        ),
        ("path,label\n\n,1\n", "line 3: expected the path or name of a picture"),
        ("path,label\r\na,1\r\n\r\nb,x\r\n", "line 4: expected a label"),
        ("path,label,score\na,1,1.5\n", "line 2: expected a score of 0 to 1, got `1.5`"),
        ("path,label,score\na,1,NaN\n", "line 2: expected a score of 0 to 1, got `NaN`"),
        ("path,label,score\na,1,\n", "line 2: expected a score of 0 to 1, got ``"),
        ("path,label\na,1\nb,0\na,1\n", "line 4: `a` is in line 2 already"),
        ("path,label\na,1\n\nb\n", "line 4: expected as many fields as in the first line, got `b`"),
        ("path,label\n\"a\nb\",1\nc,x\n", "line 4: expected a label"),
    ] {
        assert!(error(text).contains(expected), "{text:?}: {}", error(text));
    }
    let read = read("\u{feff}Label, NAME\n1,\"a, b\"\nnormal,c\n".as_bytes()).unwrap();
    let read: Vec<_> = read.iter().map(|case| (case.name.as_str(), case.label)).collect();
    assert_eq!(read, [("a, b", true), ("c", false)]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_list_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300), rows in "[a-c,\"\n01.]{0,80}") {
        let _ = read(&bytes[..]);
        if let Ok(cases) = read(format!("path,label,score\n{rows}").as_bytes()) {
            let scored: Vec<_> = cases.iter().map(|case| (case.score.unwrap(), case.label)).collect();
            let _ = choose(&scored, &TARGETS);
        }
    }

    #[test]
    fn any_text_is_a_site_file_or_an_error(text in "\\PC{0,200}") {
        prop_assert!(Site::from_text(&text, "").is_err());
    }

    #[test]
    fn thresholds_keep_both_promises(cases in prop::collection::vec((0u16..200, any::<bool>()), 80..400)) {
        let cases: Vec<_> = cases.iter().map(|(s, l)| (f32::from(*s) / 200.0, *l)).collect();
        let Ok(t) = choose(&cases, &TARGETS) else { return Ok(()) };
        prop_assert!(0.0 <= t.negative_below && t.negative_below <= t.positive_above && t.positive_above <= 1.0);
        let share = |of: &dyn Fn(f32) -> bool, label| {
            let all = cases.iter().filter(|(_, l)| *l == label).count();
            cases.iter().filter(|(s, l)| *l == label && of(*s)).count() as f64 / all as f64
        };
        prop_assert!(share(&|s| s < t.negative_below, true) <= 0.1 && share(&|s| s > t.positive_above, false) <= 0.1);
    }
}

fn calibrate(bench: &Bench, labels: &str, more: &[&str]) -> crate::support::Run {
    let labels = bench.file("site.csv", labels);
    let labels = ["calibrate", "--labels", &labels];
    bench.run([&labels[..], &["--max-missed", "0.1", "--max-false-alarms", "0.1"], more].concat())
}

#[test]
fn writes_a_site_file_that_only_its_model_takes() {
    let bench = Bench::new();
    let out = &*bench.path("site.toml");
    let more = ["--prevalence", "0.2", "--site", "A \"clinic\"", "--by", "N.N.", "--out", out];
    let text = calibrate(&bench, &list(&cases(450)), &more).ended(0).stdout;
    assert_contains(&text, &["NEGATIVE below 0.4610, POSITIVE above 0.5400", "20.0 %, as given"]);
    assert_contains(&text, &["10 of 100 ill NEGATIVE, 10 of 100 healthy POSITIVE"]);
    // Above 0.54 are a tenth of both.
    assert_contains(&text, &["10.0 (5.5 to 17.4)", "90.0 (82.6 to 94.5)"]);
    let model_file = ModelFile::load(&bench.model).unwrap();
    let site = Site::load(out, &model_file).unwrap();
    assert_eq!(site.thresholds(), Thresholds { negative_below: 0.461, positive_above: 0.54 });
    let file = site.file();
    assert_eq!((file.positives, file.negatives, file.site.as_str()), (100, 100, "A \"clinic\""));
    let text = fs::read_to_string(out).unwrap();
    assert_eq!(site.sha256(), sha256_hex(text.as_bytes()));
    // POSITIVE: 86 or more of the ill; PPV by hand from the file's own counts.
    let light = file.positive_light;
    let (se, fp) = (light.sensitivity.estimate, 1.0 - light.specificity.estimate);
    let ppv = light.ppv.unwrap();
    assert!((ppv.estimate - se * 0.2 / (se * 0.2 + fp * 0.8)).abs() < 1e-12);
    assert!(ppv.low < ppv.estimate && ppv.estimate < ppv.high);

    let other = small(2);
    let refused = Site::load(out, &other).unwrap_err();
    assert!(matches!(refused, SiteError::OtherModel { .. }));
    assert_contains(&refused.to_string(), &[other.sha256(), model_file.sha256()]);
    for (from, to, part) in [
        ("format = 1", "format = 2", "format 1, got 2"),
        ("negative_below = 0.461", "negative_below = 0.9", "0 <= negative_below"),
        ("negative_below = 0.461", "negative_below = nan", "0 <= negative_below"),
        ("positives = 100", "positives = 100\nextra = 1", "extra"),
        ("positives = 100", "", "positives"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from} is not in {text}");
        let error = Site::from_text(&changed, model_file.sha256()).unwrap_err();
        assert_contains(&error.to_string(), &[part]);
    }
}

#[test]
fn json_and_refusals() {
    let bench = Bench::new();
    let answer = calibrate(&bench, &list(&cases(450)), &["--json"]).answer();
    let thresholds = answer["table"].as_array().unwrap().iter().map(|row| row["threshold"].to_string());
    assert!(thresholds.eq((1..20).map(|i| (i as f32 / 20.0).to_string())), "{answer}");
    assert_eq!((&answer["chosen"]["prevalence"], &answer["out"]), (&0.5.into(), &serde_json::Value::Null));
    calibrate(&bench, &list(&cases(0)[..110]), &[]).refused(1, "at least 29 are needed");
    calibrate(&bench, "path,label\nx,2\n", &[]).refused(1, "site.csv cannot be used: line 2");
    calibrate(&bench, &list(&cases(0)), &["--prevalence", "1.5"]).refused(1, "got 1.5");
    // Before anything is said of the pictures.
    let one = "path,label,score\nx,1,0.5\n";
    calibrate(&bench, one, &["--widen-familiar", "0.05"]).refused(1, "expected --choose bound");
}

#[test]
fn scores_come_from_a_log_by_name_or_by_its_hash() {
    let bench = Bench::new();
    let sha256 = ModelFile::load(&bench.model).unwrap().sha256().to_owned();
    let cases = cases(450);
    for log_names in [false, true] {
        let path = bench.path(&format!("{log_names}.log"));
        let options = Options { log_names, sync_every: 1000, ..Options::default() };
        let mut log = Log::open(&path, options).unwrap();
        let ours = edge_runtime::log::Context { model_sha256: sha256.clone(), ..context() };
        for (i, (score, _)) in cases.iter().enumerate() {
            let name = format!("{i}.png");
            log.write(&record(&ours, &name, &decision(*score))).unwrap();
            // What another model says of it does not count.
            log.write(&record(&context(), &name, &decision(0.5))).unwrap();
        }
        drop(log);
        let mut labels = "path,label\n".to_owned();
        for (i, (_, label)) in cases.iter().enumerate() {
            writeln!(labels, "films/{i}.png,{}", u8::from(*label)).unwrap();
        }
        let chosen = &calibrate(&bench, &labels, &["--log", &path, "--json"]).ended(0).json()[0]["chosen"];
        let number = |key: &str| chosen[key].to_string().parse::<f32>().unwrap();
        assert_eq!((number("negative_below"), number("positive_above")), (0.461, 0.54));
        // A picture that was never shown to the device is told, and the rest counts.
        let more = calibrate(&bench, &format!("{labels}never.png,1\n"), &["--log", &path]);
        more.refused(3, "line 202: never.png: not in the log");
    }
}

/// Thresholds fitted on another child's label are worse than none.
#[test]
fn rows_and_pictures_that_do_not_fit_one_to_one_are_refused_by_name() {
    let bench = Bench::new();
    let sha256 = ModelFile::load(&bench.model).unwrap().sha256().to_owned();
    let ours = edge_runtime::log::Context { model_sha256: sha256, ..context() };
    let write = |log: &mut Log, name: &str, frame: Option<&str>| {
        let decision = decision(0.5);
        let frame = frame.map(|frame| edge_runtime::log::frame_hash(frame.as_bytes()));
        log.write(&Record { frame, ..record(&ours, name, &decision) }).unwrap();
    };
    for log_names in [false, true] {
        let path = bench.path(&format!("{log_names}.log"));
        let mut log = Log::open(&path, Options { log_names, ..Options::default() }).unwrap();
        for (name, frame) in [("0001.png", "a"), ("0002.png", "b"), ("0002.png", "c"), ("0003.png", "d")] {
            write(&mut log, name, Some(frame));
        }
        // The same picture again is no other one.
        write(&mut log, "0003.png", Some("d"));
        // Half a file, before the whole one and behind it: no picture that a person could have read.
        for frame in [None, Some("e"), None] {
            write(&mut log, "0004.png", frame);
        }
        drop(log);
        let calibrate = |rows: &str| calibrate(&bench, &format!("path,label\n{rows}"), &["--log", &path]);
        let frame = |text: &str| edge_runtime::log::frame_hash(text.as_bytes()).to_string()[..12].to_owned();
        let refused = calibrate("day1/0001.png,1\nday2/0001.png,0\n").ended(1).stderr;
        assert_contains(
            &refused,
            &["site.csv cannot be used", "lines 2 and 3: `day1/0001.png` and `day2/0001.png` fit one"],
        );
        let refused = calibrate("0001.png,1\n0002.png,0\n").ended(1).stderr;
        assert_contains(
            &refused,
            &["line 3: `0002.png` fits two", &frame("b"), &frame("c"), "line 1 of", "line 2 of"],
        );
        // Two pictures and labels are too few for thresholds, but nothing else is wrong with them.
        calibrate("day1/0001.png,1\n0003.png,0\n0004.png,0\n").refused(1, "are needed");
    }
}

#[test]
fn pictures_are_classified_where_there_is_no_score() {
    let bench = Bench::new();
    let mut labels = "path,label\n".to_owned();
    for i in 0..60u32 {
        bench.file(&format!("films/{i}.png"), picture::png(64 + i, 80));
        writeln!(labels, "films/{i}.png,{}", i % 2).unwrap();
    }
    bench.file("films/black.png", picture::black_png(64, 64));
    labels += "films/black.png,0\n";
    let answer = &calibrate(&bench, &labels, &["--json"]).ended(0).json()[0];
    assert_eq!((&answer["chosen"]["positives"], &answer["chosen"]["negatives"]), (&30.into(), &30.into()));
    let refused = answer["left_out"].as_array().unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!((&refused[0]["name"], &refused[0]["refused"]), (&"films/black.png".into(), &true.into()));
    // The thresholds are scores that this model gives.
    let scores: Vec<_> =
        bench.classify(&bench.path("films")).json().iter().map(|line| line["score"].clone()).collect();
    assert!(scores.contains(&answer["chosen"]["negative_below"]), "{answer}");
}
