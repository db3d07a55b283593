//! A packed model's bytes: a checked view whose every layer then computes, the same bits with every
//! kernel set and whatever the memory held before, or an error of one line.
//!
//! Nearly every changed byte breaks the checksum, which is checked first; so length and checksum
//! are put right before the second try.
#![no_main]

use edge_core::infer::Engine;
use edge_core::kernels::{ALL, Kernels, Set};
use edge_core::packed::{self, MAGIC, Packed, VERSION};
use edge_model::aligned::AlignedBytes;
use fuzz::{assert_one_line, planted_fault};
use libfuzzer_sys::fuzz_target;

/// Arenas above are not made, nor models of that size computed: a run would take seconds.
const MOST_ARENA: usize = 64 << 10;

fuzz_target!(|bytes: &[u8]| {
    check(bytes); // at whatever address it lies
    let mut repaired = AlignedBytes::copy_of(bytes);
    repair(repaired.as_mut());
    check(repaired.as_ref());
});

/// Puts right what would end the check early: magic, version, length and checksums, in this order
/// from the beginning.
fn repair(bytes: &mut [u8]) {
    let length = bytes.len() as u32;
    if let Some(head) = bytes.get_mut(..16) {
        head[..8].copy_from_slice(&MAGIC);
        head[8..12].copy_from_slice(&VERSION.to_le_bytes());
        head[12..16].copy_from_slice(&length.to_le_bytes());
    }
    packed::seal(bytes);
}

fn check(bytes: &[u8]) {
    let model = match Packed::new(bytes) {
        Ok(model) => model,
        Err(error) => return assert_one_line(&error),
    };
    let arena = model.arena_bytes();
    let plan = model.plan().expect("checked");
    assert!(plan.preprocess_range().expect("checked").end <= arena && plan.metadata().is_ok());
    for number in 0..plan.layers() {
        let layer = plan.layer(number).expect("below the number of layers");
        assert!(layer.input <= number && layer.output == number + 1 && layer.scratch.end <= arena);
        assert!(plan.value(layer.output).expect("checked").range().end <= arena);
    }
    if arena > MOST_ARENA {
        return;
    }
    let input: Vec<u8> =
        (0..plan.value(0).expect("checked").range().len()).map(|at| (at * 37 % 251) as u8).collect();
    let expected = compute(&model, Kernels::SCALAR, &input, 0x00);
    for kernels in ALL.iter().filter_map(Set::kernels) {
        let mut got = compute(&model, kernels, &input, 0xA5);
        if planted_fault() {
            got.0 ^= 1;
        }
        assert_eq!(got, expected, "`{}` and scalar kernels differ", kernels.name());
    }
}

/// Bits of the logit, every layer's output, bits of the class activation map; the arena is filled
/// with `before`.
fn compute(model: &Packed<&[u8]>, kernels: Kernels, input: &[u8], before: u8) -> (u32, Vec<u8>, Vec<u32>) {
    let engine = Engine::new(*model, kernels); // a view is copied, not its bytes
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    arena.as_mut().fill(before);
    let mut layers = Vec::new();
    let mut observe = |_, output: &[u8]| layers.extend_from_slice(output);
    let logit = engine.infer_observed(arena.as_mut(), input, &mut observe).expect("a checked model computes");
    let plan = model.plan().expect("checked");
    let gate = plan.metadata().expect("checked").gate;
    let features = engine.features(arena.as_ref()).expect("an arena of the model's size");
    assert_ne!(gate.features.of_features(features), i32::MIN, "weights that do not fit were let through");
    let features = plan.features().expect("checked").shape;
    let mut map = vec![0.0; features.height * features.width];
    engine.map(arena.as_ref(), &mut map).expect("a map of the features' size");
    (logit.to_bits(), layers, map.into_iter().map(f32::to_bits).collect())
}
