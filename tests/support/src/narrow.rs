//! A model of 7-bit weights made of one of 8 bits.

use edge_core::kernels::NARROW_MAX;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{ModelProto, TensorProto};

/// Halves every convolution's weights and biases and doubles the weights' scales. Doubling is exact, so
/// what holds of all accumulators (rules 4 and 8 of the exact form) holds of the halved ones. The
/// seal does not fit any more.
///
/// # Panics
/// Where the graph is not of the exact form.
pub fn narrow(model: &mut ModelProto) {
    let graph = model.graph.as_mut().unwrap();
    let convolutions = graph.node.iter().filter(|node| node.op_type == "QLinearConv");
    let names: Vec<[String; 3]> =
        convolutions.map(|node| [3, 4, 8].map(|at| node.input[at].clone())).collect();
    let mut done = Vec::new();
    for (name, halve) in names.iter().flat_map(|[weights, scales, biases]| {
        [(weights, halve_weights as fn(&mut TensorProto)), (scales, double_scales), (biases, halve_biases)]
    }) {
        // Two convolutions may share a scale.
        if !done.contains(&name) {
            halve(graph.initializer.iter_mut().find(|tensor| tensor.name == *name).unwrap());
            done.push(name);
        }
    }
}

fn halve_weights(tensor: &mut TensorProto) {
    assert_eq!(tensor.data_type, DataType::Int8 as i32, "{}", tensor.name);
    for byte in &mut tensor.raw_data {
        let half = (f32::from(*byte as i8) / 2.0).round_ties_even() as i8;
        *byte = half.clamp(-NARROW_MAX, NARROW_MAX) as u8;
    }
}

fn double_scales(tensor: &mut TensorProto) {
    for bytes in tensor.raw_data.as_chunks_mut::<4>().0 {
        *bytes = (2.0 * f32::from_le_bytes(*bytes)).to_le_bytes();
    }
}

fn halve_biases(tensor: &mut TensorProto) {
    for bytes in tensor.raw_data.as_chunks_mut::<4>().0 {
        let half = (f64::from(i32::from_le_bytes(*bytes)) / 2.0).round_ties_even() as i32;
        *bytes = half.to_le_bytes();
    }
}
