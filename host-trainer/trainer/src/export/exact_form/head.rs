//! Rule 7: the float head, whose sum is exact in any order.

use super::graph::{Graph, ShapeMap};
use super::violation::{Violation, breaks_rule};
use crate::quantize::params::HEAD_MAX;
use tract_onnx::pb::NodeProto;

/// Checks the chain around a GlobalAveragePool.
pub(crate) fn check(graph: &Graph, pool: &NodeProto, shapes: &ShapeMap) -> Result<(), Violation> {
    let before = match graph.maker(&pool.input[0]) {
        Some(n) if n.op_type == "DequantizeLinear" && n.input.len() == 3 => n,
        _ => return breaks_rule(7, "expected DequantizeLinear before the pooling"),
    };
    if graph.scale_and_zero(&before.input[1], &before.input[2])? != (1.0 / 256.0, 0) {
        return breaks_rule(7, "expected a scale of 2^-8 and zero point 0 before the pooling");
    }
    let Some(shape) = shapes.get(&before.input[0]) else {
        return breaks_rule(7, "the pooled value has no known shape");
    };
    let positions = shape.side * shape.side;
    if positions.count_ones() != 1 {
        // The mean is a division: only by a power of two is it exact, and only then does the order
        // of sums not matter.
        return breaks_rule(7, format!("expected to pool a power of two of positions, got {positions}"));
    }
    let flatten = next(graph, pool, "Flatten")?;
    let matmul = next(graph, flatten, "MatMul")?;
    let mul = next(graph, matmul, "Mul")?;
    let add = next(graph, mul, "Add")?;
    if !graph.readers(&add.output[0]).is_empty() {
        return breaks_rule(7, "expected nothing after the last Add");
    }
    for node in [matmul, mul, add] {
        if node.input.len() != 2 {
            return breaks_rule(7, format!("{}: expected two inputs", node.name));
        }
    }
    let (dims, weights) = graph.floats(&matmul.input[1])?;
    if dims != [shape.channels, 1] || weights.len() as i64 != shape.channels {
        return breaks_rule(7, format!("expected head weights of {} x 1, got {dims:?}", shape.channels));
    }
    if weights.iter().any(|w| w.fract() != 0.0 || w.abs() > HEAD_MAX) {
        return breaks_rule(7, format!("expected whole head weights of at most {HEAD_MAX}"));
    }
    let sum: f64 = weights.iter().map(|w| f64::from(w.abs())).sum();
    let largest = sum * (255 * positions) as f64;
    if largest >= f64::from(1 << 24) {
        return breaks_rule(7, format!("the head's sum reaches {largest} steps, at most 2^24"));
    }
    for constant in [&mul.input[1], &add.input[1]] {
        if graph.floats(constant)?.1.len() != 1 {
            return breaks_rule(7, format!("{constant}: expected one number"));
        }
    }
    Ok(())
}

/// The only reader of a node's output, which must be of this operator.
fn next<'m>(graph: &Graph<'m>, node: &NodeProto, operator: &str) -> Result<&'m NodeProto, Violation> {
    match graph.readers(&node.output[0])[..] {
        [n] if n.op_type == operator => Ok(n),
        _ => breaks_rule(7, format!("expected {operator} and nothing else after {}", node.name)),
    }
}
