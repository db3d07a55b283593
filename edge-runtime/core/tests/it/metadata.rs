//! A model's metadata: what is written is read back exactly; whatever is missing or wrong is
//! refused by its name.

use edge_core::MetadataError;
use edge_core::decide::{Calibration, Thresholds};
use edge_core::gate::{GateThresholds, LinearDetector};
use edge_core::model::key;
use proptest::prelude::*;
use std::collections::BTreeMap;
use test_support::network::OwnedMetadata as Metadata;

type Props = BTreeMap<String, String>;

fn write(metadata: &Metadata) -> Props {
    let mut props = Props::new();
    metadata.write_props(|key, value| {
        assert!(props.insert(key.to_owned(), value.to_string()).is_none(), "{key} written twice");
    });
    props
}

fn read(props: &Props) -> Result<Metadata, MetadataError> {
    Metadata::from_props(|name| props.get(name).map(String::as_str))
}

fn text(value: &str) -> String {
    value.to_owned()
}

fn valid() -> Metadata {
    Metadata {
        name: text("pneumonia"),
        version: text("1.2.3"),
        input_side: 128,
        label_negative: text("normal"),
        label_positive: text("pneumonia"),
        calibration: Calibration { temperature: 1.25, bias: -0.5 },
        fitted_on: "validation".into(),
        score_deciles_ppm: [1, 20, 300, 4000, 50_000, 600_000, 700_000, 800_000, 1_000_000],
        thresholds: Thresholds { negative_below: 0.2, positive_above: 0.8 },
        chosen_for: "sensitivity .95".into(),
        gate: GateThresholds {
            min_mean: 1,
            max_mean: 2,
            min_deviation: 3,
            max_elongation_permille: 3000,
            max_black_permille: 600,
            max_white_permille: 400,
            min_sharpness: 180,
            layout: likeness(256, 70_000),
            features: likeness(32, -5),
            familiar: likeness(48, 9),
        },
        intended_use: "children".into(),
        training_data_sha256: text(&"0123456789abcdef".repeat(4)),
        seeds: text("1, 2"),
        made_by: text("host-trainer 0.1.0"),
        metrics: "AUC .98".into(),
    }
}

fn likeness(weights: usize, least: i32) -> LinearDetector<Vec<i8>> {
    LinearDetector { weights: (0..weights).map(|i| (i * 37) as u8 as i8).collect(), least }
}

prop_compose! {
    fn likenesses()(
        layout in prop::collection::vec(any::<i8>(), 256),
        features in (0usize..=128).prop_flat_map(|channels| prop::collection::vec(any::<i8>(), 16 * channels)),
        (least_layout, least_features) in (any::<i32>(), any::<i32>()),
    ) -> (LinearDetector<Vec<i8>>, LinearDetector<Vec<i8>>) {
        let least = if features.is_empty() { 0 } else { least_features };
        (
            LinearDetector { weights: layout, least: least_layout },
            LinearDetector { weights: features, least },
        )
    }
}

prop_compose! {
    fn texts()(value in "[ -~äß\u{2265}]{1,60}".prop_filter("64 bytes", |v| v.len() <= 64)) -> String { text(&value) }
}

prop_compose! {
    fn long_texts()(value in "[ -~]{1,256}") -> String { value }
}

fn finite() -> impl Strategy<Value = f32> {
    any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |value| value.is_finite())
}

prop_compose! {
    fn metadatas()(
        (name, version, label_negative, label_positive) in (texts(), texts(), texts(), texts()),
        (fitted_on, chosen_for, intended_use, metrics) in (long_texts(), long_texts(), long_texts(), long_texts()),
        mut deciles in prop::array::uniform9(0u32..=1_000_000),
        (seeds, made_by, sha) in (texts(), texts(), "[0-9a-f]{64}"),
        input_side in 1u16..=224,
        (temperature, bias) in (finite().prop_filter("above 0", |t| *t > 0.0), finite()),
        (a, b) in (0f32..=1.0, 0f32..=1.0),
        (c, d, min_deviation) in (any::<u16>(), any::<u16>(), any::<u16>()),
        (max_elongation_permille, max_black_permille, max_white_permille, min_sharpness)
            in (1000u32.., 0u16..=1000, 0u16..=1000, any::<u16>()),
        (layout, features) in likenesses(),
        (_, familiar) in likenesses(),
    ) -> Metadata {
        Metadata {
            name, version, input_side, label_negative, label_positive,
            calibration: Calibration { temperature, bias },
            fitted_on,
            score_deciles_ppm: { deciles.sort_unstable(); deciles },
            thresholds: Thresholds { negative_below: a.min(b), positive_above: a.max(b) },
            chosen_for,
            gate: GateThresholds {
                min_mean: c.min(d), max_mean: c.max(d), min_deviation, max_elongation_permille,
                max_black_permille, max_white_permille, min_sharpness, layout, features, familiar,
            },
            intended_use, training_data_sha256: text(&sha), seeds, made_by, metrics,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_exactly(metadata in metadatas()) {
        prop_assert_eq!(metadata.check(), Ok(()));
        prop_assert_eq!(read(&write(&metadata)), Ok(metadata));
    }

    #[test]
    fn any_value_of_any_property_is_read_or_refused_by_name(index in 0usize..32, value in any::<String>()) {
        let mut props = write(&valid());
        let key = props.keys().nth(index).unwrap().clone();
        props.insert(key.clone(), value);
        match read(&props) {
            Ok(metadata) => prop_assert_eq!(metadata.check(), Ok(())),
            Err(error) => prop_assert!(error.to_string().contains("`pneumoscope."), "{error}"),
        }
    }
}

#[test]
fn every_property_is_needed_and_named_where_it_is_missing() {
    let props = write(&valid());
    assert_eq!(props.len(), 32);
    for key in props.keys() {
        let mut without = props.clone();
        without.remove(key);
        let error = read(&without).unwrap_err();
        assert!(matches!(error, MetadataError::Missing { key: named } if named == key), "{key}: {error}");
        let expected = format!("metadata `{key}` is missing; export the model again with host-trainer");
        assert_eq!(error.to_string(), expected);
    }
}

/// Files of before there were unfamiliar chests go on as they were.
#[test]
fn a_file_of_the_version_before_knows_no_unfamiliar_chest() {
    let mut props = write(&valid());
    props.insert(key::FORMAT.to_owned(), "2".to_owned());
    for key in [key::FAMILIAR, key::MIN_FAMILIAR] {
        props.remove(key).unwrap();
    }
    let mut expected = valid();
    expected.gate.familiar = LinearDetector::default();
    assert_eq!(read(&props), Ok(expected));
}

#[test]
fn every_malformed_value_is_refused_by_name() {
    let (too_long, layout_of_257) = ("x".repeat(257), "00".repeat(257));
    let wrong = [
        (key::FORMAT, "one"),
        (key::FORMAT, "1"),
        (key::PREPROCESSING, "area-standardise/2"),
        (key::NAME, too_long.as_str()),
        (key::NAME, ""),
        (key::NAME, "two\nlines"),
        (key::VERSION, "\u{1b}[31m"),
        (key::LABEL_NEGATIVE, ""),
        (key::LABEL_POSITIVE, too_long.as_str()),
        (key::INPUT_SIDE, "0"),
        (key::INPUT_SIDE, "225"),
        (key::INPUT_SIDE, "128.0"),
        (key::TEMPERATURE, "0"),
        (key::TEMPERATURE, "-1"),
        (key::TEMPERATURE, "inf"),
        (key::TEMPERATURE, "NaN"),
        (key::BIAS, "inf"),
        (key::BIAS, "a"),
        (key::FITTED_ON, too_long.as_str()),
        (key::SCORE_DECILES, "1 2 3 4 5 6 7 8"),
        (key::SCORE_DECILES, "1 2 3 4 5 6 7 9 8"),
        (key::SCORE_DECILES, "1 2 3 4 5 6 7 8 1000001"),
        (key::NEGATIVE_BELOW, "-0.1"),
        (key::NEGATIVE_BELOW, "NaN"),
        (key::NEGATIVE_BELOW, "0.9"), // above positive_above
        (key::POSITIVE_ABOVE, "1.1"),
        (key::POSITIVE_ABOVE, "NaN"),
        (key::CHOSEN_FOR, too_long.as_str()),
        (key::MIN_MEAN, "65536"),
        (key::MIN_MEAN, "3"), // above max_mean
        (key::MAX_MEAN, "-1"),
        (key::MIN_DEVIATION, "3.5"),
        (key::MAX_ELONGATION, "999"),
        (key::MAX_BLACK, "1001"),
        (key::MAX_WHITE, "-1"),
        (key::MIN_SHARPNESS, "0.2"),
        (key::MIN_LAYOUT, "2147483648"),
        (key::MIN_FEATURES, ""),
        (key::LAYOUT, ""),
        (key::LAYOUT, "+1"),
        (key::LAYOUT, "0"),
        (key::LAYOUT, "0001"), // not 256
        (key::LAYOUT, layout_of_257.as_str()),
        (key::FEATURES, "0g"),
        (key::FEATURES, "000102"), // not 16 a channel
        (key::FEATURES, "None"),
        (key::MIN_FAMILIAR, "x"),
        (key::FAMILIAR, "0g"),
        (key::FAMILIAR, "000102"), // not 16 a channel
        (key::INTENDED_USE, ""),
        (key::TRAINING_DATA, "0123"),
        (key::TRAINING_DATA, &"g".repeat(64)),
        (key::SEEDS, too_long.as_str()),
        (key::MADE_BY, too_long.as_str()),
        (key::METRICS, too_long.as_str()),
    ];
    let mut tried: Vec<_> = wrong.iter().map(|(key, _)| *key).collect();
    tried.dedup();
    assert_eq!(tried.len(), 32, "every property is tried");
    for (key, value) in wrong {
        let mut props = write(&valid());
        assert!(props.insert(key.to_owned(), value.to_owned()).is_some());
        let error = read(&props).unwrap_err().to_string();
        // A contradiction between two properties may name either.
        let named = match (key, value) {
            (key::NEGATIVE_BELOW, "0.9") => key::POSITIVE_ABOVE,
            (key::MIN_MEAN, "3") => key::MAX_MEAN,
            _ => key,
        };
        assert!(error.starts_with(&format!("metadata `{named}`: expected ")), "{key}={value:?}: {error}");
    }
}

#[test]
fn texts_may_be_as_long_as_their_fields() {
    let mut props = write(&valid());
    props.insert(key::NAME.to_owned(), "n".repeat(64));
    props.insert(key::METRICS.to_owned(), "m".repeat(256));
    assert!(read(&props).is_ok());
    props.insert(key::NAME.to_owned(), "n".repeat(65));
    assert!(read(&props).is_err());
}

/// The exact comparison above bites: a value changed in the last place is not the same metadata.
#[test]
fn a_planted_fault_is_seen() {
    let metadata = valid();
    let mut props = write(&metadata);
    let next = metadata.calibration.temperature.next_up();
    props.insert(key::TEMPERATURE.to_owned(), next.to_string());
    assert_ne!(read(&props).unwrap(), metadata);
}
