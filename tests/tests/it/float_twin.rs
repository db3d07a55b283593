//! The float twin is the same network: its logits are near the int8 model's on every golden frame.

use crate::shipped;
use conformance::float_twin::FloatTwin;
use conformance::frames::GoldenFrame;
use conformance::golden::Entry;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;

/// The largest and the mean distance of the logits over all golden frames. Measured: 0.479 and 0.051.
const LARGEST: f32 = 0.6;
const MEAN: f32 = 0.1;

/// Distances between the twin's logits and the golden ones over every `each`th frame, largest and
/// mean.
fn distances(proto: &ModelProto, twin: &FloatTwin, each: usize) -> (f32, f32) {
    let (model, golden, frames) = shipped();
    let side = usize::from(model.metadata().input_side);
    let plan = tract_onnx::onnx().model_for_proto_model(proto).expect("tract takes the twin");
    let plan = plan.into_optimized().and_then(|p| p.into_runnable()).expect("tract takes the twin");
    let shape = [1, 1, side, side];
    let distance = |(frame, entry): (&GoldenFrame, &Entry)| {
        let input = Tensor::from_shape(&shape, &twin.input(&frame.input)).expect("a frame fits");
        let output = plan.run(tvec!(input.into())).expect("tract runs the twin");
        let logit = output[0].try_as_plain_ram().and_then(|t| Ok(t.as_slice::<f32>()?[0])).expect("one f32");
        let bits = u32::from_str_radix(&entry.logit_bits, 16).expect("hexadecimal");
        (logit - f32::from_bits(bits)).abs()
    };
    assert_eq!(frames.len(), golden.frames.len());
    let all: Vec<f32> = frames.iter().zip(&golden.frames).step_by(each).map(distance).collect();
    (all.iter().copied().fold(0.0, f32::max), all.iter().sum::<f32>() / all.len() as f32)
}

#[test]
fn the_twin_is_near_the_int8_model_on_every_golden_frame() {
    let (model, ..) = shipped();
    let twin = FloatTwin::of(model.proto()).expect("the shipped model has a twin");
    let (largest, mean) = distances(&twin.proto, &twin, 1);
    assert!(largest < LARGEST && mean < MEAN, "largest {largest}, mean {mean}");
}

/// The bounds bite: a twin in which one ReLU6 of seventeen does nothing is outside, as some frames of
/// each kind already say.
#[test]
fn a_planted_missing_relu6_is_found() {
    let (model, ..) = shipped();
    let twin = FloatTwin::of(model.proto()).expect("the shipped model has a twin");
    let mut planted = twin.proto.clone();
    let nodes = planted.graph.iter_mut().flat_map(|g| &mut g.node);
    let clip = nodes.into_iter().find(|n| n.name == "d2.depthwise.relu6").expect("a ReLU6 in the middle");
    clip.op_type = "Identity".to_owned();
    clip.input.truncate(1);
    let (largest, mean) = distances(&planted, &twin, 5);
    assert!(largest > LARGEST && mean > MEAN, "largest {largest}, mean {mean}");
}

#[test]
fn what_is_not_of_the_exact_form_is_refused_with_its_name() {
    let mut proto = shipped().0.proto().clone();
    let node = proto.graph.as_mut().map(|g| &mut g.node[3]).expect("a node");
    node.op_type = "ConvInteger".to_owned();
    let error = format!("{:#}", FloatTwin::of(&proto).expect_err("no such operator"));
    assert!(error.contains("b1.depthwise") && error.contains("ConvInteger"), "{error}");
    assert!(FloatTwin::of(&ModelProto::default()).is_err());
}
