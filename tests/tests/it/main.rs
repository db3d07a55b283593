//! Every engine and board against onnxruntime's golden vectors, in one program; `board.rs` beside
//! it is another, because each file of `tests/arm64/faults` is a test of its own there.

mod core;
mod documents;
mod drawings;
mod engines;
mod float_twin;
mod on_target;
mod onnxruntime;
mod structure;

use conformance::frames::{self, GoldenFrame};
use conformance::golden::{Golden, hex, tensor_hash};
use edge_model::model_file::{ModelFile, seal};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The shipped model, its golden vectors, and the frames that they are of: drawn once, because that
/// takes most of a second.
fn shipped() -> &'static (ModelFile, Golden, Vec<GoldenFrame>) {
    static SHIPPED: LazyLock<(ModelFile, Golden, Vec<GoldenFrame>)> = LazyLock::new(|| {
        let model = ModelFile::load(conformance::shipped_model()).expect("the shipped model loads");
        let golden = Golden::shipped().expect("committed; make them with `cargo xtask golden`");
        let frames = frames::all(model.metadata().input_side);
        (model, golden, frames)
    });
    &SHIPPED
}

/// The same model with one weight of one convolution changed by one step.
fn with_a_wrong_weight(model: &ModelFile) -> ModelFile {
    let mut proto = model.proto().clone();
    let mut weights = proto.graph.iter_mut().flat_map(|graph| &mut graph.initializer);
    let weight = weights.find(|t| t.name == "d2.project.weight").expect("a convolution's weight");
    weight.raw_data[1234] = (weight.raw_data[1234] as i8).wrapping_add(1) as u8;
    seal(&mut proto);
    ModelFile::from_bytes(&prost::Message::encode_to_vec(&proto)).expect("a sealed model")
}

/// The first difference between an engine and the golden vectors, of the frames `every` so many, as
/// text; none if identical. Of a frame, `run` gives the 8-bit tensors by name, and the logit's bits.
fn first_difference(
    golden: &Golden,
    frames: &[GoldenFrame],
    every: usize,
    mut run: impl FnMut(&[u8]) -> (HashMap<String, Vec<u8>>, String),
) -> Option<String> {
    for (frame, entry) in frames.iter().zip(&golden.frames).step_by(every) {
        let (tensors, bits) = run(&frame.input);
        for (name, expected) in golden.tensors.iter().zip(&entry.tensors) {
            let Some(got) = tensors.get(name) else {
                return Some(format!("{}: no 8-bit tensor {name}", frame.name));
            };
            if tensor_hash(got) != *expected {
                return Some(format!("{}: tensor {name} differs", frame.name));
            }
            if entry.whole.get(name).is_some_and(|whole| hex(got) != *whole) {
                return Some(format!("{}: tensor {name} differs from the one kept whole", frame.name));
            }
        }
        if bits != entry.logit_bits {
            return Some(format!("{}: logit {bits} instead of {}", frame.name, entry.logit_bits));
        }
    }
    None
}
