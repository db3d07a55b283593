//! The core engine with every kernel set of this machine against onnxruntime's golden vectors, and
//! the packed form of the shipped model: what it is, how large it is, and that it is what `pack`
//! gives.

use crate::{shipped, with_a_wrong_weight};
use conformance::frames::GoldenFrame;
use conformance::golden::{Golden, hex, planar};
use edge_core::kernels::{self, Kernels};
use edge_core::packed::Packed;
use edge_model::aligned::AlignedBytes;
use edge_model::engine::Engine;
use edge_model::infer_core::CoreEngine;
use edge_model::pack::pack;
use std::collections::HashMap;

/// Bytes of the packed model at most.
const PACKED_LIMIT: usize = 300_000;
/// Bytes of the arena at most.
const ARENA_LIMIT: usize = 192 * 1024;

/// The first difference between the core engine's tensors and the golden ones over all frames, as
/// text.
fn first_difference(
    packed: Packed<AlignedBytes>,
    kernels: Kernels,
    golden: &Golden,
    frames: &[GoldenFrame],
) -> Option<String> {
    let checked = packed.clone();
    let plan = checked.plan().expect("it was checked");
    let mut engine = CoreEngine::new(packed, kernels);
    crate::first_difference(golden, frames, 1, |input| {
        let mut seen = HashMap::new();
        let mut observe = |layer: usize, bytes: &[u8]| {
            let channels = plan.value(layer + 1).expect("it was checked").shape.channels;
            seen.insert(plan.name(layer + 1).expect("it was checked").to_owned(), planar(bytes, channels));
        };
        let logit = engine.run(input, &mut observe).expect("it runs");
        assert_eq!(seen.len(), golden.tensors.len(), "every tensor is compared");
        (seen, format!("{:08x}", logit.to_bits()))
    })
}

#[test]
fn every_kernel_set_gives_identical_tensors_and_logits() {
    let (model, golden, frames) = shipped();
    let mut compared = Vec::new();
    for kernels in kernels::ALL.iter().filter_map(|set| set.kernels()) {
        let packed = pack(model).expect("the shipped model can be packed");
        assert_eq!(first_difference(packed, kernels, golden, frames), None, "{}", kernels.name());
        compared.push(kernels.name());
    }
    println!("compared: {compared:?} of {:?}", kernels::ALL);
    assert!(compared.contains(&"scalar"));
}

/// The suite bites: one weight of one convolution changed by one step is found there and not later.
#[test]
fn a_planted_wrong_weight_is_found() {
    let (model, golden, frames) = shipped();
    let packed = pack(&with_a_wrong_weight(model)).expect("it can be packed");
    let found = first_difference(packed, kernels::best(), golden, frames).expect("the wrong weight is found");
    assert!(found.contains("d2.project differs"), "{found}");
}

#[test]
fn the_shipped_packed_model_is_what_pack_gives_and_within_its_bounds() {
    let (model, ..) = shipped();
    let fresh = pack(model).expect("the shipped model can be packed");
    let path = conformance::root().join("models/pneumonia/model.packed");
    let committed = std::fs::read(path).expect("committed; make it with `edge-runtime pack`");
    assert!(committed == fresh.bytes(), "pack it again: edge-runtime pack models/pneumonia/model.packed");
    assert!(fresh.bytes().len() <= PACKED_LIMIT, "{} bytes", fresh.bytes().len());
    assert!(fresh.arena_bytes() <= ARENA_LIMIT, "{} bytes", fresh.arena_bytes());
    let plan = fresh.plan().expect("it was checked");
    assert_eq!(hex(&plan.onnx_sha256()), model.sha256());
    assert_eq!(plan.metadata(), Ok(model.metadata().view()));
    println!("packed {} bytes, arena {} bytes", fresh.bytes().len(), fresh.arena_bytes());
}

#[test]
fn the_class_activation_map_adds_up_to_the_logit() {
    let (model, _, frames) = shipped();
    let mut engine = CoreEngine::load(model, kernels::best()).expect("it loads");
    let head = engine.model().plan().and_then(|plan| plan.head()).expect("it was checked");
    let (positions, bias) = (head.positions as usize, head.bias);
    let mut map = vec![0.0; positions];
    for frame in frames.iter().take(8) {
        let logit = engine.infer(&frame.input).expect("it runs");
        engine.map(&mut map).expect("a number a position");
        let mean = map.iter().map(|&m| f64::from(m)).sum::<f64>() / positions as f64;
        assert!((mean + f64::from(bias) - f64::from(logit)).abs() < 1e-3, "{mean} + {bias}, {logit}");
        let spread =
            map.iter().cloned().fold(f32::MIN, f32::max) - map.iter().cloned().fold(f32::MAX, f32::min);
        assert!(frame.name.starts_with("extreme") || spread > 0.1, "a map that says something");
    }
    assert!(engine.map(&mut map[1..]).is_err());
}
