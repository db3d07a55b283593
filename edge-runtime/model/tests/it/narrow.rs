//! Weights of 7 bits, as the shipped model has them, and of 8, which are its own doubled: the same
//! features and logits with every engine and set of kernels.

use edge_core::kernels::{ALL, Set, WeightBits};
use edge_model::engine::{Engine, EngineKind};
use edge_model::infer_tract::{Operators, TractEngine};
use edge_model::model_file::{ModelFile, seal};
use edge_model::pack::pack;
use prost::Message;
use test_support::narrow::widen;

/// Inputs at the limits of a byte, and others.
fn inputs(side: u16) -> Vec<Vec<u8>> {
    let pixels = usize::from(side).pow(2);
    let mut state = 7;
    let random = (0..pixels).map(|_| test_support::random(&mut state) as u8).collect();
    let limits = (0..pixels).map(|i| if i % 3 == 0 { 255 } else { 0 }).collect();
    let slope = (0..pixels).map(|i| (i * 255 / pixels) as u8).collect();
    vec![random, limits, slope, vec![255; pixels]]
}

#[test]
fn every_engine_and_set_gives_the_same_features_and_logits() {
    let shipped = ModelFile::from_bytes(include_bytes!("../../../../models/pneumonia/model.onnx")).unwrap();
    let mut proto = shipped.proto().clone();
    widen(&mut proto);
    seal(&mut proto);
    let wide = ModelFile::from_bytes(&proto.encode_to_vec()).unwrap();
    let bits = |model| pack(model).unwrap().plan().unwrap().weight_bits();
    assert_eq!((bits(&shipped), bits(&wide)), (Ok(WeightBits::Seven), Ok(WeightBits::Eight)));

    let inputs = inputs(shipped.metadata().input_side);
    let outputs = |engine: &mut dyn Engine| -> Vec<(u32, Vec<u8>)> {
        let run = |input: &Vec<u8>| {
            let logit = engine.infer(input).unwrap().to_bits();
            (logit, engine.features().unwrap().to_vec())
        };
        inputs.iter().map(run).collect()
    };
    let expected = outputs(&mut TractEngine::load_with(Operators::Stock, &shipped).unwrap());
    assert!(expected.iter().any(|(logit, _)| *logit != expected[0].0), "the inputs say nothing");
    for kernels in ALL.iter().filter_map(Set::kernels) {
        for kind in [EngineKind::Core, EngineKind::Tract] {
            for model in [&shipped, &wide] {
                let mut engine = kind.load_with(kernels, model).unwrap();
                assert!(outputs(&mut *engine) == expected, "{kind}, {kernels:?}, {:?}", bits(model));
            }
        }
    }
}
