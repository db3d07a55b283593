//! Every engine against onnxruntime's golden vectors: every 8-bit tensor and the logit, byte by
//! byte.

use crate::{shipped, with_a_wrong_weight};
use conformance::frames::GoldenFrame;
use conformance::golden::{Golden, sha256};
use edge_core::kernels::{ALL, Kernels, Set};
use edge_model::engine::{Engine, EngineKind};
use edge_model::infer_tract::Operators;
use edge_model::model_file::ModelFile;
use std::collections::HashMap;
use test_support::intermediates::{TractIntermediates, Values};

fn sets() -> impl Iterator<Item = Kernels> {
    ALL.iter().filter_map(Set::kernels)
}

/// The first difference between tract's tensors and the golden ones, as text; none if identical.
fn first_difference(
    operators: Operators,
    model: &ModelFile,
    golden: &Golden,
    frames: &[GoldenFrame],
    every: usize,
) -> Option<String> {
    let mut tract = TractIntermediates::load(operators, model).expect("tract loads the model");
    crate::first_difference(golden, frames, every, |input| {
        let (mut tensors, mut bits) = (HashMap::new(), "no logit".to_owned());
        for result in tract.run(input).expect("tract runs the model") {
            match result.values {
                Values::U8(bytes) => drop(tensors.insert(result.name, bytes)),
                Values::F32(v) if result.name == "logit" && v.len() == 1 => {
                    bits = format!("{:08x}", v[0].to_bits());
                }
                _ => {}
            }
        }
        (tensors, bits)
    })
}

#[test]
fn golden_vectors_are_of_the_shipped_model_and_of_these_frames() {
    let (model, golden, frames) = shipped();
    assert_eq!(golden.model, model.sha256(), "made of another model; run `cargo xtask golden`");
    assert!(golden.frames.len() >= 50, "at least 50 frames");
    assert_eq!(golden.frames.len(), frames.len());
    for (frame, entry) in frames.iter().zip(&golden.frames) {
        assert_eq!(frame.name, entry.name);
        assert_eq!(sha256(&frame.input), entry.input, "{}: the drawn frame has changed", frame.name);
        assert_eq!(entry.tensors.len(), golden.tensors.len());
    }
    let quantized = model.graph().node.iter();
    let count = quantized.filter(|n| matches!(n.op_type.as_str(), "QLinearConv" | "QuantizeLinear")).count();
    assert_eq!(golden.tensors.len(), count, "every 8-bit tensor of the graph is compared");
    assert!(golden.frames.iter().any(|f| !f.whole.is_empty()), "some tensors are kept whole");
}

/// Without kernels a frame takes tract half a second, so a commit looks at some.
#[test]
fn stock_tract_gives_identical_tensors_and_logits() {
    let (model, golden, frames) = shipped();
    assert_eq!(first_difference(Operators::Stock, model, golden, frames, 4), None);
}

#[test]
#[ignore = "takes a while: cargo xtask test flow"]
fn flow_stock_tract_gives_identical_tensors_and_logits_on_every_frame() {
    let (model, golden, frames) = shipped();
    assert_eq!(first_difference(Operators::Stock, model, golden, frames, 1), None);
}

#[test]
fn tract_with_every_set_of_kernels_gives_identical_tensors_and_logits() {
    let (model, golden, frames) = shipped();
    for operators in sets().map(Operators::Kernels) {
        let tract = TractIntermediates::load(operators, model).expect("tract loads the model");
        let convolutions = tract.convolutions().expect("tract with kernels says who computes what");
        assert_eq!(convolutions.by_tract, [], "the kernels cover the whole shipped model");
        assert!(convolutions.by_kernels.len() > 20, "{convolutions}");
        assert_eq!(first_difference(operators, model, golden, frames, 1), None, "{operators:?}");
    }
}

#[test]
fn every_engine_gives_identical_logits() {
    let (model, golden, frames) = shipped();
    // Stock tract has no kernels to choose. All its tensors are compared above, and it takes its
    // time: here is only its way through the engine.
    let is_stock = |kind| kind == EngineKind::TractStock;
    let choices = |kind| if is_stock(kind) { 1 } else { usize::MAX };
    let each = |kind| sets().take(choices(kind)).map(move |kernels| (kind, kernels));
    for (kind, kernels) in EngineKind::ALL.into_iter().flat_map(each) {
        let mut engine = kind.load_with(kernels, model).expect("it loads");
        let each = if is_stock(kind) { 8 } else { 1 };
        for (frame, entry) in frames.iter().zip(&golden.frames).step_by(each) {
            let logit = engine.infer(&frame.input).expect("it runs");
            let bits = format!("{:08x}", logit.to_bits());
            assert_eq!(bits, entry.logit_bits, "{kind}, {kernels:?}, {}", frame.name);
        }
    }
}

/// The suite bites: one weight of one convolution changed by one step is found.
#[test]
fn a_planted_wrong_weight_is_found() {
    let (model, golden, frames) = shipped();
    let planted = with_a_wrong_weight(model);
    for operators in sets().map(Operators::Kernels).chain([Operators::Stock]) {
        let found = first_difference(operators, &planted, golden, frames, 1);
        let found = found.expect("the wrong weight is found");
        assert!(
            found.contains("d2.project differs"),
            "{operators:?}: found at the convolution that was changed, not later: {found}"
        );
    }
}
