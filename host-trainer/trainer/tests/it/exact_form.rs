//! The exporter's check bites: for each of the nine rules a model that breaks it is refused by that
//! rule's number. The shipped model is what is changed.
use edge_model::model_file::ModelFile;
use tract_onnx::pb::tensor_shape_proto::dimension;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{ModelProto, NodeProto, TensorProto};
use trainer::export::exact_form::check;
use trainer::quantize::params::engines_agree;

fn shipped() -> ModelProto {
    ModelFile::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pneumonia/model.onnx"))
        .unwrap()
        .proto()
        .clone()
}

fn tensor<'m>(model: &'m mut ModelProto, name: &str) -> &'m mut TensorProto {
    model.graph.as_mut().unwrap().initializer.iter_mut().find(|t| t.name == name).unwrap()
}

fn node<'m>(model: &'m mut ModelProto, name: &str) -> &'m mut NodeProto {
    model.graph.as_mut().unwrap().node.iter_mut().find(|n| n.name == name).unwrap()
}

fn set_float(model: &mut ModelProto, name: &str, at: usize, change: impl Fn(f32) -> f32) {
    let bytes = &mut tensor(model, name).raw_data[4 * at..4 * at + 4];
    let value = f32::from_le_bytes(bytes.try_into().unwrap());
    bytes.copy_from_slice(&change(value).to_le_bytes());
}

/// Makes the input `side` x `side`; the graph's other shapes follow from it.
fn set_side(model: &mut ModelProto, side: i64) {
    let input = &mut model.graph.as_mut().unwrap().input[0];
    let Some(Value::TensorType(tensor)) = input.r#type.as_mut().unwrap().value.as_mut() else { panic!() };
    for dim in &mut tensor.shape.as_mut().unwrap().dim[2..] {
        dim.value = Some(dimension::Value::DimValue(side));
    }
}

/// Which rule refuses the shipped model after `change`; 0 for none.
fn rule(change: impl Fn(&mut ModelProto)) -> u8 {
    let mut model = shipped();
    change(&mut model);
    check(&model).map_or_else(|violation| violation.rule, |()| 0)
}

#[test]
fn the_shipped_model_is_in_the_exact_form() {
    assert_eq!(rule(|_| ()), 0);
}

#[test]
fn rule_1_opset_operators_static_shapes() {
    assert_eq!(rule(|m| m.opset_import[0].version = 17), 1);
    assert_eq!(rule(|m| node(m, "stem").op_type = "QLinearAdd".into()), 1);
    assert_eq!(rule(|m| node(m, "stem").domain = "com.microsoft".into()), 1);
}

#[test]
fn rule_2_weights_and_zero_points() {
    assert_eq!(rule(|m| tensor(m, "stem.weight").raw_data[3] = -128i8 as u8), 2);
    assert_eq!(rule(|m| tensor(m, "weight_zero_point").raw_data[0] = 1), 2);
    assert_eq!(rule(|m| tensor(m, "weight_zero_point").dims = vec![1]), 2);
    assert_eq!(rule(|m| drop(node(m, "stem").input.pop())), 2);
}

#[test]
fn rule_3_relu6_is_in_the_scale() {
    assert_eq!(rule(|m| tensor(m, "stem.zero_point").raw_data[0] = 3), 3);
    assert_eq!(rule(|m| node(m, "stem").op_type = "Clip".into()), 3);
    // A scale beyond 6 / 255; the factor is a power of two, so that rule 4 holds on.
    assert_eq!(rule(|m| set_float(m, "stem.scale", 0, |s| s * 64.0)), 3);
}

#[test]
fn rule_4_engines_agree_on_every_accumulator() {
    let breaks = |ulps: u32| {
        rule(|m| {
            for channel in 0..16 {
                set_float(m, "stem.weight_scale", channel, |s| f32::from_bits(s.to_bits() + ulps));
            }
        })
    };
    assert!((1..40).any(|ulps| breaks(ulps) == 4), "under some neighbouring scales engines differ");
    // The two ways to differ, by numbers: a reciprocal that is not exact, and a product that f32
    // makes a tie.
    assert!(engines_agree(0.25, 0.5, 0));
    let one_way =
        (1..1000u32).map(|i| (i as f32 * 1e-6, 0.0235)).find(|(p, y)| p / y != p * (1.0 / y)).unwrap();
    assert!(!engines_agree(one_way.0, one_way.1, 0));
    let tie = (1..4_000_000u32).map(|i| f32::from_bits(0x3b80_0000 + i)).find(|&m| {
        let acc = (71.5 / f64::from(m)).round();
        acc as f32 * m == 71.5 && acc * f64::from(m) < 71.5
    });
    assert!(!engines_agree(tie.unwrap(), 1.0, 0));
    // A way out is near: that is what the quantizer's nudging relies on.
    let near = (1..200).find(|ulps| engines_agree(f32::from_bits(tie.unwrap().to_bits() + ulps), 1.0, 0));
    assert!(near.is_some());
}

#[test]
fn rule_5_input_is_eight_bits() {
    assert_eq!(rule(|m| node(m, "a1.pointwise").input[0] = "image".into()), 5);
    assert_eq!(rule(|m| m.graph.as_mut().unwrap().input.clear()), 5);
}

#[test]
fn rule_6_residuals_share_one_scale() {
    assert_eq!(rule(|m| node(m, "c2.sum.left").input[1] = "c2.expand.scale".into()), 6);
    assert_eq!(rule(|m| node(m, "c2.sum.real").input[0] = "c2.project".into()), 6);
}

#[test]
fn rule_7_the_head_is_exact() {
    assert_eq!(rule(|m| set_float(m, "head.weight", 0, |w| w + 0.5)), 7);
    assert_eq!(rule(|m| set_float(m, "head.weight", 0, |_| 32.0)), 7);
    assert_eq!(rule(|m| (0..128).for_each(|i| set_float(m, "head.weight", i, |_| 31.0))), 7);
    assert_eq!(rule(|m| set_float(m, "features.scale", 0, |s| s * 2.0)), 7);
    // 96 pixels a side end in 6 x 6 positions: a mean over 36 is not exact.
    assert_eq!(rule(|m| set_side(m, 96)), 7);
    assert_eq!(rule(|m| set_side(m, 64)), 0);
    assert_eq!(rule(|m| node(m, "pooled").op_type = "Flatten".into()), 7);
}

#[test]
fn rule_8_accumulators_stay_exact() {
    let bias = (1i32 << 24).to_le_bytes();
    assert_eq!(rule(|m| tensor(m, "stem.bias").raw_data[..4].copy_from_slice(&bias)), 8);
}

#[test]
fn rule_9_weights_have_7_bits() {
    assert_eq!(rule(|m| tensor(m, "stem.weight").raw_data[3] = 63), 0);
    assert_eq!(rule(|m| tensor(m, "stem.weight").raw_data[3] = -63i8 as u8), 0);
    assert_eq!(rule(|m| tensor(m, "stem.weight").raw_data[3] = 64), 9);
    assert_eq!(rule(|m| tensor(m, "stem.weight").raw_data[3] = -64i8 as u8), 9);
    let mut wide = shipped();
    tensor(&mut wide, "stem.weight").raw_data[3] = 64;
    let refused = check(&wide).unwrap_err();
    assert!(refused.to_string().contains("expected weights of at most 63, got "), "{refused}");
}
