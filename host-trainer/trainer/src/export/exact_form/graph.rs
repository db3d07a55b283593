//! An ONNX graph as the rules look at it: initializers by name, who makes and who reads a value.

use super::violation::{Violation, breaks_rule};
use std::collections::HashMap;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto, type_proto};

/// Channels and side of a square value; batches are of one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub channels: i64,
    pub side: i64,
}

pub(crate) type ShapeMap = HashMap<String, Shape>;

pub(crate) struct Graph<'m> {
    graph: &'m GraphProto,
    tensors: HashMap<&'m str, &'m TensorProto>,
}

impl<'m> Graph<'m> {
    /// Rule 1 on what is not a node: opset, domains, and node inputs and outputs that the rules may
    /// index.
    pub fn read(model: &'m ModelProto) -> Result<Self, Violation> {
        let opsets: Vec<_> = model.opset_import.iter().map(|o| (o.domain.as_str(), o.version)).collect();
        if opsets != [("", 13)] {
            return breaks_rule(1, format!("expected opset 13 of the standard domain alone, got {opsets:?}"));
        }
        let Some(graph) = &model.graph else { return breaks_rule(1, "no graph") };
        for node in &graph.node {
            if !node.domain.is_empty() {
                return breaks_rule(1, format!("{}: operator of domain {}", node.name, node.domain));
            }
            if node.input.is_empty() || node.output.len() != 1 {
                return breaks_rule(1, format!("{}: expected inputs and one output", node.name));
            }
        }
        let tensors = graph.initializer.iter().map(|t| (t.name.as_str(), t)).collect();
        Ok(Self { graph, tensors })
    }

    pub fn nodes(&self) -> &'m [NodeProto] {
        &self.graph.node
    }

    /// Rules 1 and 5: one input, unsigned 8 bits, static, 1 x 1 x side x side, read by one
    /// convolution.
    pub fn input_shape(&self) -> Result<ShapeMap, Violation> {
        let [input] = &self.graph.input[..] else { return breaks_rule(5, "expected one input") };
        let tensor = match input.r#type.as_ref().and_then(|t| t.value.as_ref()) {
            Some(type_proto::Value::TensorType(tensor)) => tensor,
            _ => return breaks_rule(5, "the input is not a tensor"),
        };
        if tensor.elem_type != DataType::Uint8 as i32 {
            return breaks_rule(5, "expected an input of unsigned 8 bits");
        }
        let dims = tensor.shape.iter().flat_map(|s| &s.dim).map(|d| match d.value {
            Some(Value::DimValue(n)) => n,
            _ => -1,
        });
        let [1, channels, side, width] = dims.collect::<Vec<_>>()[..] else {
            return breaks_rule(1, "expected a static input of 1 x channels x side x side");
        };
        if side != width || side < 1 || channels < 1 {
            return breaks_rule(1, format!("expected a static square input, got {side} x {width}"));
        }
        match self.readers(&input.name)[..] {
            [node] if node.op_type == "QLinearConv" => {}
            _ => return breaks_rule(5, "expected the input to go straight into one QLinearConv"),
        }
        Ok(HashMap::from([(input.name.clone(), Shape { channels, side })]))
    }

    pub fn maker(&self, value: &str) -> Option<&'m NodeProto> {
        self.graph.node.iter().find(|n| n.output.iter().any(|o| o == value))
    }

    pub fn readers(&self, value: &str) -> Vec<&'m NodeProto> {
        self.graph.node.iter().filter(|n| n.input.iter().any(|i| i == value)).collect()
    }

    /// Whether an Add belongs to the float head: its second input is a constant.
    pub fn is_float_head(&self, node: &NodeProto) -> bool {
        node.input.get(1).is_some_and(|i| self.tensors.contains_key(i.as_str()))
    }

    /// Whether a QuantizeLinear follows an Add.
    pub fn quantizes_add(&self, node: &NodeProto) -> bool {
        self.maker(&node.input[0]).is_some_and(|n| n.op_type == "Add")
    }

    /// Whether a convolution's output is read by a padded convolution or by the head: padding
    /// stands for 0 and the head knows no zero point, so its zero point must be 0.
    pub fn feeds_padded_or_head(&self, node: &NodeProto) -> bool {
        self.readers(&node.output[0]).iter().any(|n| {
            let padded = n.op_type == "QLinearConv" && self.attribute(n, "pads").unwrap_or(0) > 0;
            let head = n.op_type == "DequantizeLinear"
                && self.readers(&n.output[0]).iter().any(|m| m.op_type == "GlobalAveragePool");
            padded || head
        })
    }

    /// First of a node's whole numbers of that name.
    pub fn attribute(&self, node: &NodeProto, name: &str) -> Option<i64> {
        node.attribute.iter().find(|a| a.name == name).and_then(|a| a.ints.first().copied())
    }

    fn tensor(&self, name: &str, data_type: DataType) -> Result<&'m TensorProto, Violation> {
        match self.tensors.get(name) {
            Some(t) if t.data_type == data_type as i32 => Ok(t),
            Some(_) => breaks_rule(2, format!("{name}: expected numbers of type {data_type:?}")),
            None => breaks_rule(2, format!("{name}: expected a constant")),
        }
    }

    /// A scalar scale above 0 and an unsigned 8-bit zero point.
    pub fn scale_and_zero(&self, scale: &str, zero: &str) -> Result<(f32, u8), Violation> {
        let zero = &self.tensor(zero, DataType::Uint8)?.raw_data;
        match (&self.floats(scale)?.1[..], &zero[..]) {
            (&[s], &[z]) if s > 0.0 && s.is_finite() => Ok((s, z)),
            _ => breaks_rule(2, format!("{scale}: expected one scale above 0 and one zero point")),
        }
    }

    pub fn floats(&self, name: &str) -> Result<(Vec<i64>, Vec<f32>), Violation> {
        let t = self.tensor(name, DataType::Float)?;
        Ok((t.dims.clone(), t.raw_data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()))
    }

    pub fn int8(&self, name: &str) -> Result<(Vec<i64>, Vec<i8>), Violation> {
        let t = self.tensor(name, DataType::Int8)?;
        Ok((t.dims.clone(), t.raw_data.iter().map(|&b| b as i8).collect()))
    }

    pub fn int32(&self, name: &str) -> Result<(Vec<i64>, Vec<i32>), Violation> {
        let t = self.tensor(name, DataType::Int32)?;
        Ok((t.dims.clone(), t.raw_data.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b)).collect()))
    }
}
