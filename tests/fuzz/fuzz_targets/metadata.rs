//! The properties bound into a model: valid ones with some replaced, left out or malformed become
//! checked metadata, which is written back exactly and decides on any logit, or an error of one
//! line.
#![no_main]

use arbitrary::Arbitrary;
use edge_core::model::key;
use edge_core::{Metadata, State, decide};
use fuzz::{assert_one_line, planted_fault};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

const VALID: [(&str, &str); 30] = [
    (key::FORMAT, "2"),
    (key::PREPROCESSING, edge_core::preprocess::NAME),
    (key::NAME, "name"),
    (key::VERSION, "1.0.0"),
    (key::INPUT_SIDE, "128"),
    (key::LABEL_NEGATIVE, "normal"),
    (key::LABEL_POSITIVE, "pneumonia"),
    (key::TEMPERATURE, "1.5"),
    (key::BIAS, "-0.25"),
    (key::FITTED_ON, "nothing"),
    (key::SCORE_DECILES, "0 1 2 3 4 5 6 7 1000000"),
    (key::NEGATIVE_BELOW, "0.25"),
    (key::POSITIVE_ABOVE, "0.75"),
    (key::CHOSEN_FOR, "nothing"),
    (key::MIN_MEAN, "3000"),
    (key::MAX_MEAN, "62000"),
    (key::MIN_DEVIATION, "1500"),
    (key::MAX_ELONGATION, "3000"),
    (key::MAX_BLACK, "600"),
    (key::MAX_WHITE, "400"),
    (key::MIN_SHARPNESS, "180"),
    (key::MIN_LAYOUT, "0"),
    (key::MIN_FEATURES, "-5"),
    (key::LAYOUT, "none"),
    // One channel.
    (key::FEATURES, "000102037f80ff10203040506070e0f0"),
    (key::INTENDED_USE, "fuzzing"),
    (key::TRAINING_DATA, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    (key::SEEDS, "1"),
    (key::MADE_BY, "a fuzz target"),
    (key::METRICS, "none"),
];

#[derive(Arbitrary, Debug)]
enum Value<'a> {
    Missing,
    Text(&'a str),
    Float(f32),
    Whole(i64),
    Small(u16),
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    logit: f32,
    changes: Vec<(u8, Value<'a>)>,
}

type Owned = Metadata<String, Vec<i8>>;

fuzz_target!(|input: Input| {
    let mut props: BTreeMap<&str, String> = VALID.map(|(key, value)| (key, value.to_owned())).into();
    for (index, value) in input.changes {
        let (key, _) = VALID[usize::from(index) % VALID.len()];
        let value = match value {
            Value::Missing => {
                props.remove(key);
                continue;
            }
            Value::Text(text) => text.to_owned(),
            Value::Float(number) => number.to_string(),
            Value::Whole(number) => number.to_string(),
            Value::Small(number) => number.to_string(),
        };
        props.insert(key, value);
    }
    let metadata = match Owned::from_props(|name| props.get(name).map(String::as_str)) {
        Ok(metadata) => metadata,
        Err(error) => return assert_one_line(&error),
    };
    assert_eq!(metadata.check(), Ok(()));

    let mut written = BTreeMap::new();
    metadata.write_props(|name, value| {
        assert!(written.insert(name, value.to_string()).is_none(), "`{name}` written twice");
    });
    if planted_fault() {
        written.insert(key::INPUT_SIDE, "1".to_owned());
    }
    let again = Owned::from_props(|name| written.get(name).map(String::as_str));
    assert_eq!(again.as_ref(), Ok(&metadata));

    let decision = decide(input.logit, &metadata.calibration, &metadata.thresholds);
    match (decision.state, decision.score) {
        (State::Fault, None) => {
            assert!(!input.logit.is_finite() || metadata.calibration.score(input.logit).is_nan())
        }
        (State::Positive, Some(score)) => assert!(score > metadata.thresholds.positive_above && score <= 1.0),
        (State::Negative, Some(score)) => assert!(score < metadata.thresholds.negative_below && score >= 0.0),
        (State::Refer, Some(score)) => assert!((0.0..=1.0).contains(&score)),
        _ => panic!("{decision:?}"),
    }
});
