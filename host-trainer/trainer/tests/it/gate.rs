//! The gate's fit on drawings, for a small model with random weights: what it lets through, what it
//! refuses, and the deciles of the scores.

use crate::support::drawn;
use edge_core::Decision;
use edge_core::decide::Calibration;
use edge_core::gate::{GateThresholds, LinearDetector};
use edge_model::classify::Classifier;
use edge_model::engine::EngineKind;
use edge_model::model_file::ModelFile;
use std::collections::BTreeSet;
use std::sync::Arc;
use trainer::dataset::{PictureSource, Sample, WORKING_SIDE, phantoms, prepare};
use trainer::gate::compare::{DetectorComparison, SetResult, compare};
use trainer::gate::not_chests::{CHANGES, picture};
use trainer::gate::others::{Halves, Others};
use trainer::gate::{bind, check_training, fit_limits, measure_gate, measure_others, score_deciles};

const SIDE: u16 = 32;
/// Codes of the reasons of the two linear figures.
const LAYOUT: u8 = 17;
const FEATURES: u8 = 18;

/// A model whose gate lets everything through.
fn open_model(calibration: Calibration) -> ModelFile {
    let model = ModelFile::from_bytes(&test_support::model::small(1)).unwrap();
    let metadata = edge_model::model_file::OwnedMetadata { calibration, ..model.metadata().clone() };
    let model = ModelFile::from_bytes(&model.with_metadata(&metadata).unwrap()).unwrap();
    ModelFile::from_bytes(&bind(&model, GateThresholds::open(), [0; 9], None).unwrap()).unwrap()
}

#[test]
fn a_fitted_gate_passes_chests_and_refuses_what_is_none() {
    let model = open_model(Calibration { temperature: 1.0, bias: 0.0 });
    let data = &drawn(SIDE)[..120];
    let (train, held_out): (Vec<usize>, Vec<usize>) = (0..120).partition(|i| i % 3 != 0);
    let limits = fit_limits(&model, data, &train, &Others::default(), 1).unwrap();
    let gated = ModelFile::from_bytes(&bind(&model, limits, [0; 9], Some("9.9.9")).unwrap()).unwrap();
    assert_eq!(gated.metadata().version, "9.9.9");
    check_training(&gated, data, &train).unwrap();

    let report = measure_gate(&gated, data, &held_out).unwrap();
    let refused = |name: &str| report.0.iter().find(|group| group.name == name).unwrap().refused;
    assert!(refused("as they are") <= 1, "{report}");
    for (other, _) in CHANGES {
        assert!(refused(other) * 10 >= held_out.len() * 7, "{report}");
    }
    let reasons: BTreeSet<u8> = report.0.iter().flat_map(|group| group.reasons.keys().copied()).collect();
    assert!(reasons.contains(&LAYOUT) && reasons.contains(&FEATURES), "both figures refuse: {report}");
    // The model before the fit refuses none of them: it is the limits that do.
    let before = measure_gate(&model, data, &held_out[..10]).unwrap();
    assert!(before.0.iter().all(|group| group.refused == 0), "{before}");
    assert!(
        fit_limits(&model, data, &train[..19], &Others::default(), 1)
            .unwrap_err()
            .to_string()
            .contains("at least 20")
    );
}

/// A tenth is the smallest score that at least so many tenths of the pictures do not exceed.
#[test]
fn deciles_cut_the_scores_of_devices_into_ten_parts() {
    let data = &drawn(SIDE)[..40];
    let decisions = |model: &ModelFile| -> Vec<Decision> {
        let mut classifier = Classifier::new(model, EngineKind::default().load(model).unwrap());
        let pictures = data.iter().map(|sample| sample.original.open().unwrap());
        pictures.map(|picture| classifier.classify(&picture.frame()).unwrap().decision).collect()
    };
    // Random weights give logits close to each other: a calibration that draws their scores apart.
    let logit = decisions(&open_model(Calibration { temperature: 1.0, bias: 0.0 }))[0].logit.unwrap();
    let model = open_model(Calibration { temperature: 0.003, bias: -logit / 0.003 });
    let all: Vec<f32> = decisions(&model).iter().map(|decision| decision.score.unwrap()).collect();
    for count in [1, 9, 10, 25, 40] {
        let indices: Vec<usize> = (0..count).rev().collect();
        let mut scores = all[..count].to_vec();
        scores.sort_by(f32::total_cmp);
        assert!(
            count < 25 || scores[count - 1] - scores[0] > 0.01,
            "scores that can be told apart: {scores:?}"
        );
        let expected = std::array::from_fn(|i| {
            let enough = |s: &&f32| scores.iter().filter(|other| other <= s).count() * 10 >= (i + 1) * count;
            (scores.iter().find(enough).unwrap() * 1e6).round() as u32
        });
        assert_eq!(score_deciles(&model, data, &indices).unwrap(), expected, "{count} pictures");
    }
    assert!(score_deciles(&model, data, &[]).is_err());
}

/// Chests of another kind: drawn ones behind a grating, which changes what the network finds and
/// not where light and dark lie.
const GRATING: u8 = 9;

fn behind_a_grating(chests: &[Sample]) -> Vec<Sample> {
    let behind = |sample: &Sample| {
        let side = usize::from(WORKING_SIDE);
        let bar = |(at, pixel): (usize, &u8)| match at % side / 7 % 2 {
            0 => pixel.saturating_sub(GRATING),
            _ => pixel.saturating_add(GRATING),
        };
        let working: Vec<u8> = sample.working.iter().enumerate().map(bar).collect();
        let picture = picture(&working).expect("a square");
        let input = prepare(&working, side as u32, SIDE);
        let original = PictureSource::Memory(Arc::new(picture));
        Sample { original, working: working.into(), input, ..sample.clone() }
    };
    chests.iter().map(behind).collect()
}

#[test]
fn chests_of_another_kind_are_referred_once_some_were_seen() {
    let model = open_model(Calibration { temperature: 1.0, bias: 0.0 });
    let data = &drawn(SIDE)[..120];
    let (train, held_out): (Vec<usize>, Vec<usize>) = (0..120).partition(|i| i % 3 != 0);
    // Few are fitted on, because each is shown in forty ways.
    let (fitted, measured) = (&drawn(SIDE)[120..140], &drawn(SIDE)[160..200]);
    let (fitted, measured) = (behind_a_grating(fitted), behind_a_grating(measured));
    let unfamiliar = vec![Halves { name: "grating".into(), fitted, measured }];
    let held_out = held_out.iter().map(|&i| data[i].clone()).collect();
    let chests = vec![Halves { name: "chests".into(), measured: held_out, ..Halves::default() }];
    let others = Others { unfamiliar, measured: chests, ..Others::default() };
    let limits = fit_limits(&model, data, &train, &others, 1).unwrap();
    let outcomes = |limits: GateThresholds<Vec<i8>>| {
        let gated = ModelFile::from_bytes(&bind(&model, limits, [0; 9], None).unwrap()).unwrap();
        let [grating, chests] = measure_others(&gated, &others).unwrap().0.try_into().unwrap();
        assert_eq!((chests.pictures, grating.pictures), (40, 40));
        (chests, grating)
    };
    let (chests, grating) = outcomes(limits.clone());
    assert!(grating.positive + grating.negative <= 4, "{grating:?}");
    assert!(grating.unfamiliar >= 15, "they are chests, and referred: {grating:?}");
    assert!(chests.unfamiliar <= 4, "{chests:?}");
    // It is this figure that refers them: the gate lets as many pass without it.
    let (without, answered) = outcomes(GateThresholds { familiar: LinearDetector::default(), ..limits });
    assert_eq!((without.unfamiliar, answered.unfamiliar), (0, 0));
    assert_eq!(answered.refused, grating.refused);
}

#[test]
#[ignore = "takes a while: cargo xtask test flow"]
fn flow_detectors_are_compared_at_one_price_on_what_none_was_fitted_on() {
    let open = open_model(Calibration { temperature: 1.0, bias: 0.0 });
    // Chests that nothing else of the test draws from.
    let all = phantoms::load(280, SIDE).samples;
    let (data, others) = all.split_at(200);
    let (train, validate): (Vec<usize>, Vec<usize>) = (0..200).partition(|i| i % 4 != 0);
    let (fitted, measured) = (behind_a_grating(&others[..40]), behind_a_grating(&others[40..]));
    let unfamiliar = vec![Halves { name: "grating".into(), fitted, measured }];
    let others = Others { unfamiliar, ..Others::default() };
    let found = compare(&open, data, (&train, &validate), &others, 1).unwrap();
    assert_eq!(found.fitted + found.limits, train.len());
    assert!(found.limits * 10 > train.len() && found.limits * 3 < train.len(), "a fifth: {}", found.limits);
    let of = |found: &DetectorComparison, name: &str, set: &str| -> SetResult {
        let detector = found.detectors.iter().find(|d| d.name == name).unwrap_or_else(|| panic!("no {name}"));
        detector.sets.iter().find(|s| s.name == set).unwrap_or_else(|| panic!("no {set}")).clone()
    };
    for detector in &found.detectors {
        let names: Vec<&str> = detector.sets.iter().map(|set| set.name.as_str()).collect();
        assert_eq!(names[..3], ["children, validation", "the same, shifted", "grating"], "{}", detector.name);
        for set in &detector.sets {
            let share = set.beyond as f64 / set.pictures as f64;
            assert!(set.interval.0 <= share && share <= set.interval.1, "{set:?}");
            assert!(set.positive + set.negative + set.beyond <= set.pictures, "{set:?}");
        }
        // Children as they are: the price, with the chance of 50 pictures.
        assert!(detector.sets[0].beyond <= 8, "{}: {:?}", detector.name, detector.sets[0]);
    }
    let linear = "linear, 4 x 4 cells";
    assert_eq!((of(&found, linear, "grating").pictures, found.against), (40, 40 * 40));
    assert!(of(&found, linear, "grating").beyond >= 30, "{found}");
    assert!(of(&found, "energy of the logit", "grating").beyond <= 20, "not everything finds it: {found}");
    assert!(of(&found, "linear and Mahalanobis, pooled", "grating").beyond >= 25, "{found}");

    // A model with a figure of its own is measured at its own limit, as its devices have it.
    let limits = fit_limits(&open, data, &train, &others, 1).unwrap();
    let gated = ModelFile::from_bytes(&bind(&open, limits, [0; 9], None).unwrap()).unwrap();
    let found = compare(&gated, data, (&train, &validate), &others, 1).unwrap();
    let own = of(&found, "the model's own, at its own limit", "grating");
    let device = measure_others(&gated, &others).unwrap().0.remove(0);
    assert_eq!((own.positive, own.negative), (device.positive, device.negative));
    assert!(own.beyond >= device.unfamiliar, "{own:?} {device:?}");

    let alone = compare(&open, data, (&train, &validate), &Others::default(), 1).unwrap();
    assert!(alone.detectors.iter().all(|detector| !detector.name.starts_with("linear")));
    let few = compare(&open, data, (&train[..19], &validate), &others, 1).unwrap_err();
    assert!(few.to_string().contains("at least 20"));
}
