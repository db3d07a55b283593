//! Writes the int8 network as one ONNX file in the exact form, with its metadata bound in and
//! sealed.

pub mod calibrate;
pub mod exact_form;
pub mod footprint;
pub mod metadata;

use crate::quantize::integer::{IntegerNet, IntegerParams};
use crate::quantize::params::TensorScale;
use crate::train::net::{Conv, Node};
use anyhow::{Context, Result};
use edge_model::files;
use edge_model::model_file::{FITTED_PREVALENCE, ModelFile, OwnedMetadata, seal};
use prost::Message;
use std::path::Path;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TypeProto, ValueInfoProto, type_proto,
};

/// What is bound into a model beside its network.
#[derive(Clone, Debug)]
pub struct Bound {
    pub metadata: OwnedMetadata,
    /// Share of pneumonia at which the score is a probability, between 0 and 1.
    pub prevalence: f64,
    /// Ids of validation pictures that score and thresholds were fitted on, sorted; they are not to be
    /// reported on.
    pub held_apart: Vec<String>,
}

/// Writes the file; returns its SHA-256.
pub fn export(network: &IntegerNet, integers: &IntegerParams, bound: &Bound, path: &Path) -> Result<String> {
    let model = model(network, integers, bound)?;
    let bytes = model.encode_to_vec();
    // Read back as a runtime would before anybody relies on it.
    let read =
        ModelFile::from_bytes(&bytes).context("the exported model does not pass the runtime's own checks")?;
    files::write(path, &bytes)?;
    Ok(read.sha256().to_owned())
}

/// The sealed model, checked against the exact form.
pub fn model(network: &IntegerNet, integers: &IntegerParams, bound: &Bound) -> Result<ModelProto> {
    bound.metadata.check().context("metadata")?;
    let mut model = ModelProto {
        ir_version: 8,
        producer_name: "pneumoscope host-trainer".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 13 }],
        graph: Some(graph(network, integers)),
        ..Default::default()
    };
    let mut put = |key: &str, value: String| {
        model.metadata_props.push(StringStringEntryProto { key: key.into(), value });
    };
    bound.metadata.write_props(|key, value| put(key, value.to_string()));
    // Of one class alone there is no odds to move.
    if bound.prevalence > 0.0 && bound.prevalence < 1.0 {
        put(FITTED_PREVALENCE, bound.prevalence.to_string());
    }
    exact_form::check(&model)?;
    seal(&mut model);
    Ok(model)
}

/// Name of value `index`: the input, or the output of node `index - 1`.
pub fn value_name(network: &IntegerNet, index: usize) -> String {
    match index.checked_sub(1).and_then(|i| network.net.nodes.get(i)) {
        Some(Node::Conv(conv)) => conv.name.clone(),
        // The addition that ends block "c2" follows "c2.project".
        Some(Node::Add(_, last)) => value_name(network, *last).replace(".project", ".sum"),
        None => "image".into(),
    }
}

fn graph(network: &IntegerNet, integers: &IntegerParams) -> GraphProto {
    let mut build = GraphBuilder(GraphProto { name: "pneumonia".into(), ..Default::default() });
    build.put("weight_zero_point", DataType::Int8, &[], vec![0]);
    for (value, scale) in network.quant.values.iter().enumerate() {
        build.scale(&value_name(network, value), *scale);
    }
    let name = |value| value_name(network, value);
    let mut index = 0;
    for (node, output) in network.net.nodes.iter().zip(1..) {
        match node {
            Node::Conv(conv) => {
                let numbers = &integers.convs[index];
                let weights = numbers.weights.iter().map(|&w| w as u8).collect();
                build.put(&format!("{}.weight", conv.name), DataType::Int8, &conv.weight_shape(), weights);
                let biases = numbers.biases.iter().flat_map(|b| b.to_le_bytes()).collect();
                build.put(&format!("{}.bias", conv.name), DataType::Int32, &[conv.cout], biases);
                build.floats(
                    &format!("{}.weight_scale", conv.name),
                    &[conv.cout],
                    &network.quant.weights[index],
                );
                build.convolution(conv, &name(conv.input));
                index += 1;
            }
            Node::Add(a, b) => build.residual(&name(*a), &name(*b), &name(output)),
        }
    }
    let last = network.net.nodes.len();
    build.head(&name(last), integers);
    build.0.input.push(value_info("image", DataType::Uint8, &[1, 1, network.net.side, network.net.side]));
    build.0.output.push(value_info("logit", DataType::Float, &[1, 1]));
    build.0
}

struct GraphBuilder(GraphProto);

impl GraphBuilder {
    fn put(&mut self, name: &str, data_type: DataType, dims: &[i64], raw_data: Vec<u8>) {
        let data_type = data_type as i32;
        self.0.initializer.push(TensorProto {
            name: name.into(),
            data_type,
            dims: dims.to_vec(),
            raw_data,
            ..Default::default()
        });
    }

    fn floats(&mut self, name: &str, dims: &[i64], values: &[f32]) {
        self.put(name, DataType::Float, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect());
    }

    fn scale(&mut self, value: &str, scale: TensorScale) {
        self.floats(&format!("{value}.scale"), &[], &[scale.scale]);
        self.put(&format!("{value}.zero_point"), DataType::Uint8, &[], vec![scale.zero_point]);
    }

    fn node(&mut self, operator: &str, inputs: Vec<String>, output: &str) -> &mut NodeProto {
        let at = self.0.node.len();
        self.0.node.push(NodeProto {
            op_type: operator.into(),
            name: output.into(),
            input: inputs,
            output: vec![output.into()],
            ..Default::default()
        });
        &mut self.0.node[at]
    }

    fn convolution(&mut self, conv: &Conv, x: &str) {
        let y = &conv.name;
        let mut inputs = with_scale(x, x);
        inputs.extend([format!("{y}.weight"), format!("{y}.weight_scale"), "weight_zero_point".into()]);
        inputs.extend([format!("{y}.scale"), format!("{y}.zero_point"), format!("{y}.bias")]);
        let (k, s, p) = (conv.kernel, conv.stride, conv.kernel / 2);
        let node = self.node("QLinearConv", inputs, y);
        node.attribute = vec![
            list_attribute("kernel_shape", &[k, k]),
            list_attribute("strides", &[s, s]),
            list_attribute("pads", &[p, p, p, p]),
            list_attribute("dilations", &[1, 1]),
            scalar_attribute("group", conv.groups),
        ];
    }

    fn residual(&mut self, a: &str, b: &str, sum: &str) {
        for (value, real) in [(a, format!("{sum}.left")), (b, format!("{sum}.right"))] {
            self.node("DequantizeLinear", with_scale(value, value), &real);
        }
        let real = format!("{sum}.real");
        self.node("Add", vec![format!("{sum}.left"), format!("{sum}.right")], &real);
        self.node("QuantizeLinear", with_scale(&real, sum), sum);
    }

    fn head(&mut self, last: &str, integers: &IntegerParams) {
        self.floats("features.scale", &[], &[1.0 / 256.0]);
        self.put("features.zero_point", DataType::Uint8, &[], vec![0]);
        let weights: Vec<f32> = integers.head.iter().map(|&w| f32::from(w)).collect();
        self.floats("head.weight", &[weights.len() as i64, 1], &weights);
        self.floats("head.scale", &[1], &[integers.head_scale]);
        self.floats("head.bias", &[1], &[integers.head_bias]);
        let of = |names: &[&str]| names.iter().map(|n| n.to_string()).collect::<Vec<_>>();
        self.node("DequantizeLinear", with_scale(last, "features"), "features");
        self.node("GlobalAveragePool", of(&["features"]), "pooled");
        self.node("Flatten", of(&["pooled"]), "flat").attribute = vec![scalar_attribute("axis", 1)];
        self.node("MatMul", of(&["flat", "head.weight"]), "head.sum");
        self.node("Mul", of(&["head.sum", "head.scale"]), "head.scaled");
        self.node("Add", of(&["head.scaled", "head.bias"]), "logit");
    }
}

/// A value and the scale and zero point of `of`.
fn with_scale(value: &str, of: &str) -> Vec<String> {
    vec![value.into(), format!("{of}.scale"), format!("{of}.zero_point")]
}

fn scalar_attribute(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: AttributeType::Int as i32, i, ..Default::default() }
}

fn list_attribute(name: &str, values: &[i64]) -> AttributeProto {
    let r#type = AttributeType::Ints as i32;
    AttributeProto { name: name.into(), r#type, ints: values.to_vec(), ..Default::default() }
}

fn value_info(name: &str, element: DataType, dims: &[i64]) -> ValueInfoProto {
    let dim = |&n: &i64| Dimension { value: Some(dimension::Value::DimValue(n)), ..Default::default() };
    let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type: element as i32, shape };
    let r#type = Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() });
    ValueInfoProto { name: name.into(), r#type, ..Default::default() }
}
