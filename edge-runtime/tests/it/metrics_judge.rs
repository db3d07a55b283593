//! A threshold's rates and their intervals against scipy and scikit-learn (tests/metrics.py).

use edge_model::intervals::wilson;
use edge_runtime::site::Operating;
use serde_json::{Value, json};
use test_support::{python, random};

/// What was given and what was found, of so many true positives, false negatives, false positives
/// and true negatives.
fn operating([tp, fn_, fp, tn]: [usize; 4], prevalence: f64) -> Value {
    let case = |score: f32, label, n| std::iter::repeat_n((score, label), n);
    let ill = case(0.9, true, tp).chain(case(0.1, true, fn_));
    let cases: Vec<_> = ill.chain(case(0.9, false, fp)).chain(case(0.1, false, tn)).collect();
    json!({
        "kind": "operating",
        "given": {
            "true_positives": tp, "false_negatives": fn_, "false_positives": fp, "true_negatives": tn,
            "prevalence": prevalence,
        },
        "found": Operating::new(0.5, &cases, prevalence, |score| score > 0.5).unwrap(),
    })
}

fn judge(statements: &[Value]) -> Vec<Option<String>> {
    let judged = python::judge_metrics(&serde_json::to_string(statements).unwrap());
    serde_json::from_str(&judged).unwrap()
}

/// The interval of one standard error.
fn one_error(found: &mut Value) {
    let [count, other] =
        ["true_positives", "false_negatives"].map(|key| found[key].as_u64().unwrap() as usize);
    let (low, high) = wilson(count, count + other, 1.0).unwrap();
    found["sensitivity"]["low"] = low.into();
    found["sensitivity"]["high"] = high.into();
}

/// Changes what was found.
type Plant = fn(&mut Value);

/// Each with the name that the judge must say.
const PLANTED: [(&str, Plant); 4] = [
    ("sensitivity low", one_error),
    ("ppv estimate", |found| {
        let ppv = found["ppv"].clone();
        found["ppv"] = found["npv"].clone();
        found["npv"] = ppv;
    }),
    ("ppv high", |found| found["ppv"]["high"] = found["ppv"]["estimate"].clone()),
    ("npv given", |found| drop(found.as_object_mut().unwrap().remove("npv"))),
];

#[test]
#[ignore = "needs Python with scipy: `cargo xtask test metrics` fetches it and runs this test"]
fn metrics_of_a_threshold_are_those_of_scipy() {
    let state = &mut 1;
    let mut statements = Vec::new();
    for _ in 0..400 {
        // Often none, one or a few; at least one of each class.
        let mut count = |least: u64| {
            let most = [1, 2, 10, 300][(random(state) % 4) as usize];
            (least + random(state) % most) as usize
        };
        let counts = [count(1), count(0), count(0), count(1)];
        statements.push(operating(counts, (1 + random(state) % 999) as f64 / 1000.0));
    }
    let right = operating([90, 10, 40, 160], 0.1);
    for (_, plant) in PLANTED {
        let mut statement = right.clone();
        plant(&mut statement["found"]);
        statements.push(statement);
    }
    let judged = judge(&statements);
    let (judged, planted) = judged.split_at(400);
    for (text, statement) in judged.iter().zip(&statements) {
        assert_eq!(*text, None, "of {statement}");
    }
    for ((name, _), text) in PLANTED.iter().zip(planted) {
        let text = text.as_deref().unwrap_or_default();
        assert!(text.starts_with(name), "planted in {name}, noticed: {text:?}");
    }
}
