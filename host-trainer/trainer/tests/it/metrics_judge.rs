//! The metrics and the calibration against scikit-learn and numpy (tests/metrics.py), over random
//! pictures with ties and tiny classes.

use crate::metrics::scored_picture;
use serde_json::{Value, json};
use std::collections::HashMap;
use test_support::{python, random};
use trainer::evaluate::metrics::{Bootstrap, ScoredPicture, measure};
use trainer::export::calibrate;
use trainer::random::{Purpose, SeededRng};

/// Up to `most` pictures of patients with one to three each, on a grid of few scores, of which none
/// is an edge of a bin; at times with a single picture of one class, or none.
fn pictures(state: &mut u64, most: u64) -> Vec<ScoredPicture> {
    let mut below = |n: u64| random(state) % n;
    let (count, levels) = (2 + below(most - 1), [7, 11, 41, 1009][below(4) as usize]);
    let (positives, each) = ([0, 1, 1 + count / 10, count / 2, count - 1][below(5) as usize], 1 + below(3));
    let one = |i: u64| {
        // The ill score higher, and not always.
        let level = if i < positives { below(levels).max(below(levels)) } else { below(levels) };
        let score = (level as f64 + 0.5) / levels as f64;
        scored_picture(&format!("p{}", (i * 7919 % count) / each), i < positives, score)
    };
    (0..count).map(one).collect()
}

/// What was given and what was found, with the draws of the resamples.
fn measured(pictures: &[ScoredPicture], bootstrap: &Bootstrap) -> Value {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let patients: Vec<usize> = pictures
        .iter()
        .map(|p| {
            let next = numbers.len();
            *numbers.entry(&p.patient).or_insert(next)
        })
        .collect();
    let draw = |number: u32| {
        let mut rng = SeededRng::new(bootstrap.seed, Purpose::Resample, 0, u64::from(number));
        let mut drawn = vec![0; numbers.len()];
        (0..numbers.len()).for_each(|_| drawn[rng.below(numbers.len())] += 1);
        drawn
    };
    // One patient says nothing of the spread between patients: no resamples.
    let resamples = if numbers.len() < 2 { 0 } else { bootstrap.resamples };
    let column = |of: fn(&ScoredPicture) -> Value| pictures.iter().map(of).collect::<Vec<_>>();
    json!({
        "kind": "measured",
        "given": {
            "labels": column(|p| u8::from(p.label).into()),
            "scores": column(|p| p.score.into()),
            "logits": column(|p| p.logit.into()),
            "states": column(|p| p.state.name().into()),
            "patients": patients,
            "draws": (0..resamples).map(draw).collect::<Vec<_>>(),
        },
        "found": measure(pictures, bootstrap),
    })
}

/// Two pictures of each of 20 patients, every second one ill; no answer is wrong.
fn all_right() -> Vec<ScoredPicture> {
    let one = |i: usize| {
        let score = if i / 2 % 2 == 1 { 0.9 } else { 0.1 };
        scored_picture(&(i / 2).to_string(), score > 0.5, score + i as f64 / 1000.0)
    };
    (0..40).map(one).collect()
}

fn platt(state: &mut u64) -> Value {
    let count = 20 + random(state) % 200;
    let mut unit = || (random(state) >> 11) as f64 / (1u64 << 53) as f64;
    let (slope, bias) = (0.2 + 2.0 * unit(), 4.0 * unit() - 2.0);
    let logits: Vec<f32> = (0..count).map(|_| (12.0 * unit() - 6.0) as f32).collect();
    let ill = |z: &f32| unit() < 1.0 / (1.0 + (-(slope * f64::from(*z) + bias)).exp());
    let labels: Vec<bool> = logits.iter().map(ill).collect();
    let found = calibrate::fit(&logits, &labels);
    let numbers: Vec<u8> = labels.into_iter().map(u8::from).collect();
    json!({
        "kind": "platt",
        "given": { "logits": logits, "labels": numbers },
        "found": { "temperature": found.temperature, "bias": found.bias },
    })
}

fn judge(statements: &[Value]) -> Vec<Option<String>> {
    let judged = python::judge_metrics(&serde_json::to_string(statements).unwrap());
    serde_json::from_str(&judged).unwrap()
}

#[test]
#[ignore = "needs Python with scikit-learn: `cargo xtask test metrics` fetches it and runs this test"]
fn metrics_and_calibration_are_those_of_scikit_learn() {
    let state = &mut 1;
    let mut statements = Vec::new();
    for _ in 0..300 {
        statements.push(measured(&pictures(state, 60), &Bootstrap { resamples: 0, seed: 1 }));
    }
    for seed in 0..8 {
        statements.push(measured(&pictures(state, 40), &Bootstrap { resamples: 60, seed }));
    }
    statements.push(measured(&all_right(), &Bootstrap { resamples: 60, seed: 1 }));
    statements.extend((0..100).map(|_| platt(state)));
    let wrong: Vec<String> = judge(&statements)
        .into_iter()
        .zip(&statements)
        .filter_map(|(text, statement)| Some(format!("{}\nof {statement}", text?)))
        .collect();
    assert!(wrong.is_empty(), "{} of {}; the first is {}", wrong.len(), statements.len(), wrong[0]);
}

/// The interval that tails of 16 and 84 % would give.
fn narrow_tails(found: &mut Value) {
    let accuracy = &mut found["statistics"]["accuracy"];
    let value = accuracy["value"].as_f64().unwrap();
    for end in ["low", "high"] {
        accuracy[end] = (value + (accuracy[end].as_f64().unwrap() - value) * 0.994 / 1.96).into();
    }
}

/// The area where a tie is lost.
fn lost_ties(found: &mut Value) {
    let points: Vec<[f64; 2]> = found["roc"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| ["fpr", "tpr"].map(|k| p[k].as_f64().unwrap()))
        .collect();
    let area: f64 = points.windows(2).map(|pair| (pair[1][0] - pair[0][0]) * pair[0][1]).sum();
    found["statistics"]["auc"]["value"] = area.into();
}

/// Changes what was found.
type Plant = fn(&mut Value);

/// Each with the name that the judge must say.
const PLANTED: [(&str, Plant); 7] = [
    ("accuracy low", narrow_tails),
    ("auc value", lost_ties),
    ("precision", |found| {
        let statistics = &mut found["statistics"];
        let other = statistics["precision"].clone();
        statistics["precision"] = statistics["negative_precision"].clone();
        statistics["negative_precision"] = other;
    }),
    ("roc length", |found| drop(found["roc"].as_array_mut().unwrap().remove(2))),
    ("precision_recall 1", |found| {
        let points = found["precision_recall"].as_array_mut().unwrap();
        points[1]["precision"] = points[0]["precision"].clone();
    }),
    ("reliability", |found| found["reliability"].as_array_mut().unwrap().rotate_left(1)),
    ("roc_band 50", |found| found["roc_band"][50]["high"] = 2.0.into()),
];

#[test]
#[ignore = "needs Python with scikit-learn: `cargo xtask test metrics` fetches it and runs this test"]
fn metrics_that_are_wrong_are_noticed() {
    // Pictures on seven scores, so that both classes share some.
    let score = |i: usize| ((i * 5 % 7 + i % 2) as f64 + 0.5) / 8.0;
    let pictures: Vec<_> =
        (0..40).map(|i| scored_picture(&(i / 2).to_string(), i % 2 == 1, score(i))).collect();
    let right = measured(&pictures, &Bootstrap { resamples: 50, seed: 1 });
    let mut statements: Vec<Value> = vec![right.clone(), platt(&mut 2)];
    for (_, plant) in PLANTED {
        let mut statement = right.clone();
        plant(&mut statement["found"]);
        statements.push(statement);
    }
    // An interval without a width.
    let mut sure = measured(&all_right(), &Bootstrap { resamples: 50, seed: 1 });
    assert!(sure["found"]["statistics"]["sensitivity"]["low"].as_f64() < Some(0.75));
    sure["found"]["statistics"]["sensitivity"]["low"] = 1.0.into();
    statements.push(sure);
    let mut other = platt(&mut 2);
    other["found"]["temperature"] = (other["found"]["temperature"].as_f64().unwrap() * 1.01).into();
    statements.push(other);
    let judged = judge(&statements);
    assert_eq!(judged[..2], [None, None]);
    let names = PLANTED.iter().map(|(name, _)| *name).chain(["sensitivity low", "slope"]);
    for (name, text) in names.zip(&judged[2..]) {
        let text = text.as_deref().unwrap_or_default();
        assert!(text.starts_with(name), "planted in {name}, noticed: {text:?}");
    }
}
