//! A model of 7-bit weights made of one of 8 bits, and the other way round.

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
    change(model, [halve_weights, double_scales, halve_biases]);
}

/// Doubles every convolution's weights and biases and halves the weights' scales: all exact, so the
/// same numbers come out wherever nothing saturates. The seal does not fit any more.
///
/// # Panics
/// Where the graph is not of the exact form, or weights have more than 7 bits.
pub fn widen(model: &mut ModelProto) {
    change(model, [double_weights, halve_scales, double_biases]);
}

/// Changes weights, their scales and biases of all convolutions.
fn change(model: &mut ModelProto, [weight, scale, bias]: [fn(&mut TensorProto); 3]) {
    let graph = model.graph.as_mut().unwrap();
    let convolutions = graph.node.iter().filter(|node| node.op_type == "QLinearConv");
    let names: Vec<[String; 3]> =
        convolutions.map(|node| [3, 4, 8].map(|at| node.input[at].clone())).collect();
    let mut done = Vec::new();
    for (name, change) in names
        .iter()
        .flat_map(|[weights, scales, biases]| [(weights, weight), (scales, scale), (biases, bias)])
    {
        // Two convolutions may share a scale.
        if !done.contains(&name) {
            change(graph.initializer.iter_mut().find(|tensor| tensor.name == *name).unwrap());
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

fn double_weights(tensor: &mut TensorProto) {
    assert_eq!(tensor.data_type, DataType::Int8 as i32, "{}", tensor.name);
    for byte in &mut tensor.raw_data {
        let weight = *byte as i8;
        assert!(weight.unsigned_abs() <= NARROW_MAX as u8, "{}: {weight}", tensor.name);
        *byte = (2 * weight) as u8;
    }
}

fn halve_scales(tensor: &mut TensorProto) {
    for bytes in tensor.raw_data.as_chunks_mut::<4>().0 {
        *bytes = (f32::from_le_bytes(*bytes) / 2.0).to_le_bytes();
    }
}

fn double_biases(tensor: &mut TensorProto) {
    for bytes in tensor.raw_data.as_chunks_mut::<4>().0 {
        *bytes = (2 * i32::from_le_bytes(*bytes)).to_le_bytes();
    }
}
