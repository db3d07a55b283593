//! The exact form: nine rules under which one ONNX file gives identical integers in every engine.
//! [`check`] holds a model against them; the exporter refuses to write what does not pass.
//!
//! 1. Opset 13, standard operators only, static shapes, normalisation folded.
//! 2. Unsigned 8-bit activations; signed per-channel weights in -127..=127 with a scalar zero point
//!    0; 32-bit biases.
//! 3. ReLU6 is absorbed into the output's scale (at most 6/255) and zero point 0; no Clip.
//! 4. Engines that divide by the output's scale or multiply by its reciprocal, and that round the
//!    f32 or the exact product, give the same steps for every accumulator
//!    ([`crate::quantize::params::engines_agree`]).
//! 5. The graph's input is unsigned 8 bits, straight into the first convolution.
//! 6. A residual is DequantizeLinear twice, Add, QuantizeLinear, all with one scale and zero point.
//! 7. The head is float and exact in any order: scale 2^-8, GlobalAveragePool over a power of two
//!    of positions, Flatten, MatMul by whole numbers of at most 31, Mul, Add, and all sums of steps
//!    below 2^24.
//! 8. Accumulators stay below 2^24, and below 2^22 after scaling.
//! 9. No weight is beyond 63 either way: 7 bits. x86 processors without VNNI add two products of an
//!    unsigned and a signed byte in 16 bits and saturate there, which `2 * 255 * 63 = 32,130` does
//!    not reach. So onnxruntime gives the same integers on every processor, and the kernels may add
//!    in 16 bits too.
//!
//! Rule 9 is the exporter's: the runtimes, whose kernels choose by the weights, run models of 8 bits
//! as well.

mod graph;
mod head;
mod violation;

pub use violation::Violation;

use crate::quantize::params::{WEIGHT_MAX, engines_agree};
use graph::{Graph, Shape};
use tract_onnx::pb::{ModelProto, NodeProto};
use violation::breaks_rule;

const OPERATORS: [&str; 8] = [
    "QLinearConv",
    "QuantizeLinear",
    "DequantizeLinear",
    "Add",
    "GlobalAveragePool",
    "Flatten",
    "MatMul",
    "Mul",
];

/// Holds a model against the nine rules; the error is the first that is broken.
pub fn check(model: &ModelProto) -> Result<(), Violation> {
    let graph = Graph::read(model)?;
    for node in graph.nodes() {
        if !OPERATORS.contains(&node.op_type.as_str()) {
            let rule = if node.op_type == "Clip" { 3 } else { 1 };
            return breaks_rule(rule, format!("{}: operator {} is not of the form", node.name, node.op_type));
        }
    }
    let mut shapes = graph.input_shape()?;
    for node in graph.nodes() {
        let shape = match node.op_type.as_str() {
            "QLinearConv" => convolution(&graph, node, &shapes.get(&node.input[0]).copied())?,
            "Add" if graph.is_float_head(node) => continue,
            "Add" => residual(&graph, node, &shapes)?,
            "GlobalAveragePool" => {
                head::check(&graph, node, &shapes)?;
                continue;
            }
            // These are looked at from the Add or the head that they belong to; they keep their
            // input's shape.
            "QuantizeLinear" | "DequantizeLinear" => match shapes.get(&node.input[0]) {
                Some(&shape) => shape,
                None => return breaks_rule(1, format!("{}: input of unknown shape", node.name)),
            },
            _ => continue,
        };
        shapes.insert(node.output[0].clone(), shape);
    }
    if graph.nodes().iter().filter(|n| n.op_type == "GlobalAveragePool").count() != 1 {
        return breaks_rule(7, "expected one GlobalAveragePool");
    }
    if let Some(node) =
        graph.nodes().iter().find(|n| n.op_type == "QuantizeLinear" && !graph.quantizes_add(n))
    {
        return breaks_rule(6, format!("{}: QuantizeLinear without an Add before it", node.name));
    }
    Ok(())
}

/// Rules 2, 3, 4, 5, 8 and 9 on one convolution; returns its output's shape.
fn convolution(graph: &Graph, node: &NodeProto, input: &Option<Shape>) -> Result<Shape, Violation> {
    let name = &node.name;
    let Some(input) = *input else {
        return breaks_rule(5, format!("{name}: reads a value that is not 8 bits"));
    };
    if node.input.len() != 9 {
        return breaks_rule(2, format!("{name}: expected 9 inputs, bias included, got {}", node.input.len()));
    }
    let (x_scale, x_zero) = graph.scale_and_zero(&node.input[1], &node.input[2])?;
    let (y_scale, y_zero) = graph.scale_and_zero(&node.input[6], &node.input[7])?;
    let (dims, weights) = graph.int8(&node.input[3])?;
    let (_, scales) = graph.floats(&node.input[4])?;
    let (zero_dims, zero) = graph.int8(&node.input[5])?;
    let (_, biases) = graph.int32(&node.input[8])?;
    let [cout, per_group, kernel, kernel_width] = dims[..] else {
        return breaks_rule(2, format!("{name}: expected weights of four dimensions, got {dims:?}"));
    };
    if kernel != kernel_width || cout <= 0 || weights.len() as i64 != cout * per_group * kernel * kernel {
        return breaks_rule(2, format!("{name}: weights of shape {dims:?} do not fit their data"));
    }
    if weights.contains(&-128) {
        return breaks_rule(2, format!("{name}: a weight of -128"));
    }
    if let Some(weight) = weights.iter().find(|w| w.unsigned_abs() > WEIGHT_MAX.unsigned_abs()) {
        return breaks_rule(9, format!("{name}: expected weights of at most {WEIGHT_MAX}, got {weight}"));
    }
    if !zero_dims.is_empty() || zero != [0] {
        return breaks_rule(2, format!("{name}: the weights' zero point must be a scalar 0"));
    }
    if scales.len() as i64 != cout || biases.len() as i64 != cout {
        return breaks_rule(2, format!("{name}: expected {cout} weight scales and biases"));
    }
    if graph.feeds_padded_or_head(node) && y_zero != 0 {
        return breaks_rule(3, format!("{name}: expected zero point 0 after ReLU6, got {y_zero}"));
    }
    if y_zero == 0 && y_scale > 6.0 / 255.0 {
        return breaks_rule(3, format!("{name}: an output scale of {y_scale} reaches beyond 6"));
    }
    let widest = i64::from(x_zero).max(255 - i64::from(x_zero));
    for ((row, &scale), &bias) in
        weights.chunks_exact(weights.len() / cout as usize).zip(&scales).zip(&biases)
    {
        let product = x_scale * scale;
        if !engines_agree(product, y_scale, y_zero) {
            return breaks_rule(
                4,
                format!("{name}: under a weight scale of {scale} engines give different steps"),
            );
        }
        let sum: i64 = row.iter().map(|&w| i64::from(w).abs()).sum();
        let largest = sum * widest + i64::from(bias).abs();
        if largest >= 1 << 24 || largest as f32 * (product / y_scale) >= (1 << 22) as f32 {
            return breaks_rule(8, format!("{name}: accumulators up to {largest}"));
        }
    }
    let stride = graph.attribute(node, "strides").unwrap_or(1);
    let pad = graph.attribute(node, "pads").unwrap_or(0);
    let side = (input.side + 2 * pad - kernel) / stride.max(1) + 1;
    Ok(Shape { channels: cout, side })
}

/// Rule 6 on one addition; returns its output's shape.
fn residual(graph: &Graph, node: &NodeProto, shapes: &graph::ShapeMap) -> Result<Shape, Violation> {
    let name = &node.name;
    let mut all = Vec::new();
    for input in &node.input {
        match graph.maker(input) {
            Some(n) if n.op_type == "DequantizeLinear" && n.input.len() == 3 => {
                all.push(graph.scale_and_zero(&n.input[1], &n.input[2])?)
            }
            _ => return breaks_rule(6, format!("{name}: expected DequantizeLinear before both inputs")),
        }
    }
    match graph.readers(&node.output[0])[..] {
        [n] if n.op_type == "QuantizeLinear" && n.input.len() == 3 => {
            all.push(graph.scale_and_zero(&n.input[1], &n.input[2])?)
        }
        _ => return breaks_rule(6, format!("{name}: expected QuantizeLinear and nothing else after it")),
    }
    if all.len() != 3 || all.iter().any(|s| *s != all[0]) {
        return breaks_rule(6, format!("{name}: expected one scale and zero point, got {all:?}"));
    }
    let [a, b] = [&node.input[0], &node.input[1]].map(|input| shapes.get(input).copied());
    match (a, b) {
        (Some(a), Some(b)) if a == b => Ok(a),
        _ => breaks_rule(6, format!("{name}: expected two inputs of one shape")),
    }
}
