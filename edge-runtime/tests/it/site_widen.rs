//! A site's widening of what is familiar: what it takes, what it is refused for, and what a device
//! makes of it.

use crate::support::log::{context, decision, decisions, record};
use crate::support::{Bench, assert_contains, film, picture, program, run, shipped};
use edge_core::decide::Thresholds;
use edge_core::{Decision, Reason, State};
use edge_model::model_file::ModelFile;
use edge_runtime::log::{Context, Log, Options};
use edge_runtime::site::{
    Familiarity, Judged, Rule, Site, SiteError, Targets, WidenError, choose, widen, widened_limit,
};
use phantoms::Label;
use std::fmt::Write as _;
use std::fs;

/// The limit of the model in these tests.
const OWN: i32 = 5000;
const TARGETS: Targets = Targets { max_missed: 0.02, max_false_alarms: 0.05, rule: Rule::Bound };
const SHARE: f64 = 0.05;

/// 200 ill and 100 healthy, all unfamiliar, with figures from 1000 on; `score` says how each scores.
fn pictures(score: impl Fn(usize, bool) -> f32) -> Vec<Judged> {
    let one = |i: usize| {
        let label = !i.is_multiple_of(3);
        let familiarity = Some(Familiarity::Is(1000 + i as i32));
        Judged { score: score(i, label), label, familiarity }
    };
    (0..300).map(one).collect()
}

fn good() -> Vec<Judged> {
    pictures(|_, label| if label { 0.9 } else { 0.1 })
}

const AT: Thresholds = Thresholds { negative_below: 0.3, positive_above: 0.6 };

fn refusal(pictures: &[Judged]) -> String {
    let limit = widened_limit(pictures, OWN, SHARE).unwrap();
    widen(pictures, (OWN, limit), SHARE, &AT, &TARGETS).unwrap_err().to_string()
}

#[test]
fn the_limit_leaves_the_share_unfamiliar_and_never_rises() {
    // 15 of 300 may stay: those below the sixteenth figure.
    assert_eq!(widened_limit(&good(), OWN, SHARE), Ok(1015));
    let found = widen(&good(), (OWN, 1015), SHARE, &AT, &TARGETS).unwrap();
    assert_eq!((found.pictures, found.unfamiliar_before, found.unfamiliar), (300, 300, 15));
    assert_eq!((found.positives, found.negatives, found.least, found.instead_of), (190, 95, 1015, OWN));
    assert_eq!((found.auc.estimate, found.missed.estimate, found.false_alarms.estimate), (1.0, 0.0, 0.0));
    // So few unfamiliar ones call for nothing.
    let mut most = good();
    most.iter_mut().skip(15).for_each(|p| p.familiarity = Some(Familiarity::AtLeast(OWN)));
    let not_needed = WidenError::NotNeeded { unfamiliar: 15, pictures: 300 };
    assert_eq!(widened_limit(&most, OWN, SHARE), Err(not_needed));
    // A log under an earlier widening to 900 does not tell what lies above.
    let mut earlier = good();
    earlier[299].familiarity = Some(Familiarity::AtLeast(900));
    assert_eq!(widened_limit(&earlier, OWN, SHARE), Ok(900));
    let mut unknown = good();
    unknown[7].familiarity = None;
    assert_eq!(widened_limit(&unknown, OWN, SHARE), Err(WidenError::Unknown(1)));
    for wrong in [0.0, 0.009, 0.51, f64::NAN] {
        assert!(matches!(widened_limit(&good(), OWN, wrong), Err(WidenError::Share { .. })), "{wrong}");
    }
}

/// Each case breaks one condition and keeps to the others.
#[test]
fn a_widening_is_refused_for_each_thing_that_it_takes() {
    let letting_in = |label: bool, kept: usize| {
        let mut few = good();
        // Those below the limit are not let in.
        let mut seen = 0;
        few.retain(|p| {
            seen += usize::from(p.label == label);
            p.label != label || seen <= kept + if label { 10 } else { 5 }
        });
        widen(&few, (OWN, 1015), SHARE, &AT, &TARGETS)
    };
    // Of the ill 188 are let in, one too few; then of the healthy 72.
    for (label, kept, part) in [(true, 188, "188 of the pictures"), (false, 72, "at least 73 are needed")] {
        assert!(letting_in(label, kept + 1).is_ok());
        let found = letting_in(label, kept).unwrap_err();
        assert!(matches!(found, WidenError::TooFew { got, .. } if got == kept), "{found:?}");
        assert_contains(&found.to_string(), &[part]);
    }
    // One of 190 ill is NEGATIVE: the upper end of that share is above 2 %.
    let missed = refusal(&pictures(|i, label| if label && i != 100 { 0.9 } else { 0.1 }));
    assert_contains(&missed, &["ill called NEGATIVE is 0.005", "the upper end must be at most 0.02"]);
    // Two of 95 healthy are POSITIVE.
    let alarms = refusal(&pictures(|i, label| if label || i == 99 || i == 102 { 0.9 } else { 0.1 }));
    assert_contains(&alarms, &["healthy called POSITIVE is 0.021", "at most 0.05"]);
    // On a threshold a score is neither.
    let on_them = |i, label| match i {
        100 => 0.3,
        99 | 102 => 0.6,
        _ if label => 0.9,
        _ => 0.1,
    };
    assert!(widen(&pictures(on_them), (OWN, 1015), SHARE, &AT, &TARGETS).is_ok());
    // A score that says nothing, all of it REFER: both promises hold.
    let blind = refusal(&pictures(|i, _| 0.4 + (i * 7 % 100) as f32 / 1000.0));
    assert_contains(&blind, &["area under the ROC curve is 0.", "the lower end must be at least 0.9"]);
    // By estimates alone nothing is widened.
    let estimate = Targets { rule: Rule::Estimate, ..TARGETS };
    assert_eq!(widen(&good(), (OWN, 1015), SHARE, &AT, &estimate), Err(WidenError::Rule));
}

#[test]
fn thresholds_chosen_on_a_blind_score_keep_their_promises_and_are_refused_all_the_same() {
    let blind = pictures(|i, _| (i * 37 % 300) as f32 / 300.0);
    let scored: Vec<_> = blind.iter().map(|p| (p.score, p.label)).collect();
    let chosen = choose(&scored, &TARGETS).unwrap();
    assert!(chosen.negative_below < 0.05 && chosen.positive_above > 0.9, "{chosen:?}");
    let found = widen(&blind, (OWN, 1000), SHARE, &chosen, &TARGETS).unwrap_err();
    assert_contains(&found.to_string(), &["area under the ROC curve"]);
}

/// The shipped model as one that finds every chest unfamiliar.
fn strict() -> Vec<u8> {
    let model = shipped();
    let mut metadata = model.metadata().clone();
    metadata.gate.familiar.least = 1_000_000_000;
    model.with_metadata(&metadata).unwrap()
}

/// A log of the 300 pictures by that model, and the list of what they show.
fn logged(bench: &Bench, sha256: &str, pictures: &[Judged]) -> (String, String) {
    let path = bench.path("device.log");
    let mut log = Log::open(&path, Options { sync_every: 1000, ..Options::default() }).unwrap();
    let ours = Context { model_sha256: sha256.to_owned(), ..context() };
    let mut labels = "path,label\n".to_owned();
    for (i, picture) in pictures.iter().enumerate() {
        let Some(Familiarity::Is(got)) = picture.familiarity else { continue };
        let reason = Reason::Unfamiliar(got, 1_000_000_000);
        let referred = Decision { state: State::Refer, reason, ..decision(picture.score) };
        log.write(&record(&ours, &format!("{i}.png"), &referred)).unwrap();
        writeln!(labels, "{i}.png,{}", u8::from(picture.label)).unwrap();
    }
    (path, bench.file("site.csv", labels))
}

#[test]
fn a_widened_site_is_answered_and_says_so_and_what_is_no_chest_stays_refused() {
    let bench = Bench::new();
    let model = bench.file("strict.onnx", strict());
    let loaded = ModelFile::load(&model).unwrap();
    let (log, labels) = logged(&bench, loaded.sha256(), &good());
    let out = bench.path("site.toml");
    let calibrate = |more: &[&str]| {
        bench.run_with(
            &model,
            [&["calibrate", "--labels", &labels, "--log", &log, "--out", &out], more].concat(),
        )
    };
    // What a device would refer is no ground for thresholds.
    calibrate(&[]).refused(1, "0 pictures are positive");
    calibrate(&["--widen-familiar", "0.05"]).refused(1, "expected --choose bound");
    assert!(!fs::exists(&out).unwrap(), "nothing is written");
    let text = calibrate(&["--widen-familiar", "0.05", "--choose", "bound"]).ended(0).stdout;
    assert_contains(
        &text,
        &["WIDENED: familiar from 1015 on instead of 1000000000", "15 refused by the gate or"],
    );
    assert_contains(
        &text,
        &["190 ill and 95 healthy ones", "AUC 1.000", "NEGATIVE of the ill 0.0 % (0.0 to 2.0)"],
    );

    let site = Site::load(&out, &loaded).unwrap();
    assert_eq!((site.familiar_widened_to(), site.file().positives), (Some(1015), 190));
    let text = fs::read_to_string(&out).unwrap();
    let narrower = text.replace("least = 1015", "least = 1000000000");
    let error = Site::from_text(&narrower, loaded.sha256()).unwrap_err();
    assert!(matches!(error, SiteError::Narrower { .. }), "{error}");
    // A widening of another limit than the model's would say of itself what does not hold.
    let other = bench.file("other.toml", text.replace("instead_of = 1000000000", "instead_of = 999999999"));
    let error = Site::load(&other, &loaded).unwrap_err();
    assert!(matches!(error, SiteError::OtherLimit { expected: 1_000_000_000, .. }), "{error}");
    assert!(matches!(Site::load(&out, &shipped()), Err(SiteError::OtherModel { .. })));

    let config = |name: &str, site: &str| {
        let log = format!("[capture]\nsource = \"replay:films\"\n[log]\nfile = \"{name}.jsonl\"\n");
        bench.file(&format!("{name}.toml"), format!("[model]\nfile = \"strict.onnx\"\n{site}{log}"))
    };
    fs::create_dir(bench.path("films")).unwrap();
    (0..3).for_each(|seed| film(bench.path("films"), Label::Pneumonia, seed));
    bench.file("films/black.png", picture::black_png(64, 64));
    let (without, with) = (config("without", ""), config("with", "site = \"site.toml\"\n"));
    let answers = |config: &str| run(program().args(["run", "--json", "--config", config])).ended(0).json();
    let (own, widened) = (answers(&without), answers(&with));
    assert_eq!((own.len(), widened.len()), (4, 4));
    for (own, widened) in own.iter().zip(&widened) {
        assert_eq!(own["logit"], widened["logit"]);
        assert_eq!(
            (&own["familiar_widened_to"], &widened["familiar_widened_to"]),
            (&().into(), &1015.into())
        );
        if own["state"] == "INVALID" {
            assert_eq!((&own["state"], &own["reason"]), (&widened["state"], &widened["reason"]));
        } else {
            assert_eq!((&own["state"], &own["reason_code"]), (&"REFER".into(), &19.into()));
            assert_ne!(widened["reason_code"], 19, "{widened}");
        }
    }
    assert_eq!(own.iter().filter(|line| line["reason_code"] == 19).count(), 3);
    let said = |name: &str| -> Vec<Option<i32>> {
        decisions(bench.path(name).as_ref()).iter().map(|line| line.familiar_widened_to).collect()
    };
    assert_eq!((said("without.jsonl"), said("with.jsonl")), (vec![None; 4], vec![Some(1015); 4]));
    // What a widened device has answered tells nothing of what another would refer.
    let mut films = "path,label\n".to_owned();
    for entry in fs::read_dir(bench.path("films")).unwrap() {
        writeln!(films, "{},1", entry.unwrap().file_name().display()).unwrap();
    }
    let (films, log) = (bench.file("films.csv", films), bench.path("with.jsonl"));
    let arguments = ["calibrate", "--labels", &films, "--log", &log, "--out", &bench.path("no.toml")];
    bench.run_with(&model, arguments.to_vec()).refused(1, "written under a widened limit");
    let checked = run(program().args(["check-config", &with])).ended(0).stdout;
    assert_contains(&checked, &["WIDENED: familiar from 1015"]);
    assert!(!run(program().args(["check-config", &without])).ended(0).stdout.contains("WIDENED"));
}
