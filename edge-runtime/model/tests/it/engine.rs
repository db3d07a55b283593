//! The engine against QLinearConv written out plainly: the same integers in every layer, the same
//! logit.

use edge_core::{State, kernels};
use edge_model::classify::Classifier;
use edge_model::decode::decode;
use edge_model::engine::{Engine, EngineError, EngineKind};
use edge_model::infer_tract::{Operators, TractEngine};
use edge_model::model_file::ModelFile;
use std::collections::BTreeMap;
use test_support::intermediates::{Intermediate, TractIntermediates, Values};
use test_support::loaded::small;
use test_support::model::{tensor, tensor_mut};
use test_support::picture;
use tract_onnx::pb;

const SIDE: usize = 32;

fn input(seed: u8) -> Vec<u8> {
    (0..SIDE * SIDE).map(|i| ((i * i * 31 + i * 7) as u8).wrapping_mul(seed)).collect()
}

/// A layer's activations: channels of `side` x `side`.
type Layer = Vec<Vec<Vec<i32>>>;

/// QLinearConv of the test model's graph: square, padded, scales as in `test_support::model`, zero
/// points 0 but the image's.
fn convolve(
    graph: &pb::GraphProto,
    name: &str,
    x: &Layer,
    x_zero: i32,
    stride: usize,
    groups: usize,
) -> Layer {
    let weights = tensor(graph, &format!("{name}.weight"));
    let bias = &tensor(graph, &format!("{name}.bias")).raw_data;
    let [out, per_group, kernel, _] = [0, 1, 2, 3].map(|i| weights.dims[i] as usize);
    let (side, pad) = (x[0].len(), kernel / 2);
    let after = side / stride;
    let one = |channel: usize, y: usize, column: usize| {
        let mut sum = i32::from_le_bytes(bias[4 * channel..4 * channel + 4].try_into().unwrap());
        for (i, ky, kx) in
            (0..per_group * kernel * kernel).map(|i| (i / kernel / kernel, i / kernel % kernel, i % kernel))
        {
            let (from_y, from_x) = (y * stride + ky, column * stride + kx);
            if (pad..side + pad).contains(&from_y) && (pad..side + pad).contains(&from_x) {
                let value = x[channel / (out / groups) * per_group + i][from_y - pad][from_x - pad];
                let weight = weights.raw_data[((channel * per_group + i) * kernel + ky) * kernel + kx] as i8;
                sum += (value - x_zero) * i32::from(weight);
            }
        }
        // Scale 1/32 times 1/1024 over 1/32.
        (f64::from(sum) / 1024.0).round_ties_even().clamp(0.0, 255.0) as i32
    };
    (0..out).map(|c| (0..after).map(|y| (0..after).map(|x| one(c, y, x)).collect()).collect()).collect()
}

/// Every integer layer and the logit, by name.
fn reference(graph: &pb::GraphProto, input: &[u8]) -> (BTreeMap<&'static str, Layer>, f32) {
    let image = vec![input.chunks(SIDE).map(|row| row.iter().map(|&v| v.into()).collect()).collect()];
    let stem = convolve(graph, "stem", &image, 128, 2, 1);
    let depthwise = convolve(graph, "depthwise", &stem, 0, 2, 8);
    let expand = convolve(graph, "expand", &depthwise, 0, 1, 1);
    let mut residual = depthwise.clone();
    for (a, b) in residual.iter_mut().flatten().flatten().zip(expand.iter().flatten().flatten()) {
        *a = (*a + b).min(255);
    }
    let last = convolve(graph, "last", &residual, 0, 1, 1);
    let head = tensor(graph, "head")
        .raw_data
        .chunks(4)
        .map(|w| f64::from(f32::from_le_bytes(w.try_into().unwrap())));
    let mean = |channel: &Vec<Vec<i32>>| {
        f64::from(channel.iter().flatten().sum::<i32>()) / 32.0 / channel.len().pow(2) as f64
    };
    let logit = last.iter().map(mean).zip(head).map(|(a, b)| a * b).sum::<f64>() / 64.0 + 0.25;
    let names = ["stem", "depthwise", "expand", "residual", "last"];
    (names.into_iter().zip([stem, depthwise, expand, residual, last]).collect(), logit as f32)
}

fn intermediates(model: &ModelFile, input: &[u8]) -> Vec<Intermediate> {
    let operators = Operators::Kernels(kernels::best());
    TractIntermediates::load(operators, model).unwrap().run(input).unwrap()
}

fn assert_same(got: &[Intermediate], layers: &BTreeMap<&str, Layer>) {
    for (name, layer) in layers {
        let tensor = got.iter().find(|tensor| tensor.name == *name).unwrap();
        assert_eq!(tensor.shape, [1, layer.len(), layer[0].len(), layer[0].len()], "{name}");
        let expected: Vec<u8> = layer.iter().flatten().flatten().map(|&v| v as u8).collect();
        assert_eq!(tensor.values, Values::U8(expected), "{name}");
    }
}

#[test]
fn every_layer_and_the_logit_equal_the_plain_computation() {
    for seed in 1..=4 {
        let model = small(seed);
        let input = input(seed as u8 * 2 + 1);
        let (layers, logit) = reference(model.graph(), &input);
        for (name, layer) in &layers {
            let values: Vec<_> = layer.iter().flatten().flatten().collect();
            let inner = values.iter().filter(|&&&v| v > 0 && v < 255).count();
            assert!(inner * 10 > values.len(), "{name}: too much is clipped for this to be a test");
        }
        let got = intermediates(&model, &input);
        let names: Vec<_> = got.iter().map(|tensor| tensor.name.as_str()).collect();
        let nodes: Vec<_> = model.graph().node.iter().map(|n| n.output[0].as_str()).collect();
        assert_eq!(names, nodes);
        assert_same(&got, &layers);
        assert_eq!(got.last().unwrap().values, Values::F32(vec![logit]));
        // Optimised as a whole, with nothing to be read but the logit, it is the same.
        assert_eq!(TractEngine::load(&model).unwrap().infer(&input), Ok(logit));
    }
}

/// The comparison bites: one weight off by one step is seen.
#[test]
#[should_panic(expected = "stem")]
fn a_planted_fault_is_seen() {
    let model = small(1);
    let got = intermediates(&model, &input(3));
    let mut graph = model.graph().clone();
    let weight = &mut tensor_mut(&mut graph, "stem.weight").raw_data[4];
    *weight = weight.wrapping_add(1);
    assert_same(&got, &reference(&graph, &input(3)).0);
}

#[test]
fn an_input_of_another_size_is_an_error_and_the_engine_goes_on() {
    for kind in EngineKind::ALL {
        let mut engine = kind.load(&small(1)).unwrap();
        let before = engine.infer(&input(1)).unwrap();
        assert_eq!(engine.infer(&[0; 7]), Err(EngineError::Input { expected: SIDE * SIDE, got: 7 }));
        assert_eq!(engine.features(), Err(EngineError::NoFeatures { engine: kind.name() }), "not the last's");
        assert_eq!(engine.infer(&input(1)), Ok(before));
    }
}

/// What is written as JSON reads as it is called everywhere else.
#[test]
fn names_in_json_are_the_names() {
    for state in State::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        assert_eq!(serde_json::from_value::<State>(state.name().into()).unwrap(), state);
    }
    for kind in EngineKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
}

#[test]
fn the_classifier_refuses_before_it_infers() {
    let model = small(1);
    let mut classifier = Classifier::new(&model, TractEngine::load(&model).unwrap());
    let black = classifier.classify(&decode(&picture::black_png(64, 64)).unwrap().frame()).unwrap();
    let decision = black.decision;
    assert_eq!((decision.state, decision.reason.code(), decision.logit), (State::Invalid, 13, None));
    assert!(black.infer.is_zero() && !black.preprocess.is_zero());

    let film = decode(&picture::png(64, 64)).unwrap();
    let first = classifier.classify(&film.frame()).unwrap();
    assert_eq!(first.latency(), first.preprocess + first.infer);
    let logit = first.decision.logit.unwrap();
    assert_eq!(TractEngine::load(&model).unwrap().infer(classifier.input()), Ok(logit));
    // Nothing of one picture stays for the next.
    classifier.classify(&decode(&picture::png(100, 50)).unwrap().frame()).unwrap();
    assert_eq!(classifier.classify(&film.frame()).unwrap().decision, first.decision);
}
