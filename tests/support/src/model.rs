//! A small random model: QLinearConv (plain, depthwise, pointwise), a residual, a float head. Its
//! weights mean nothing.
//!
//! All scales are powers of two, so that every engine's arithmetic is exact on it: requantization,
//! the residual sum and the head's average give one possible result.

use crate::network::OwnedMetadata;
use edge_core::Metadata;
use edge_core::gate::GateThresholds;
use edge_model::model_file;
use prost::Message;
use tract_onnx::pb;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};

const SCALE: f32 = 1.0 / 32.0;
const WEIGHT_SCALE: f32 = 1.0 / 1024.0;

pub fn metadata(side: u16) -> OwnedMetadata {
    let metadata = crate::network::metadata(side);
    Metadata { gate: GateThresholds { max_elongation_permille: 3000, ..metadata.gate }, ..metadata }
}

/// The model with metadata and seal; `side` is a multiple of 4, a power of two for an exact
/// average.
pub fn sealed(side: u16, seed: u64) -> pb::ModelProto {
    let mut proto = unsealed(side, seed);
    model_file::seal(&mut proto);
    proto
}

pub fn unsealed(side: u16, seed: u64) -> pb::ModelProto {
    let mut props = Vec::new();
    metadata(side).write_props(|key, value| {
        props.push(pb::StringStringEntryProto { key: key.to_owned(), value: value.to_string() });
    });
    pb::ModelProto {
        ir_version: 8,
        opset_import: vec![pb::OperatorSetIdProto { domain: String::new(), version: 13 }],
        graph: Some(graph(i64::from(side), seed)),
        metadata_props: props,
        ..Default::default()
    }
}

pub fn bytes(proto: &pb::ModelProto) -> Vec<u8> {
    proto.encode_to_vec()
}

/// The file of a small model, of 32 x 32.
pub fn small(seed: u64) -> Vec<u8> {
    bytes(&sealed(32, seed))
}

/// The file of a small model that was changed and sealed again, as a faulty exporter would.
pub fn changed(change: impl FnOnce(&mut pb::ModelProto)) -> Vec<u8> {
    let mut proto = unsealed(32, 1);
    change(&mut proto);
    model_file::seal(&mut proto);
    bytes(&proto)
}

/// The file of a model with one more property, sealed again.
pub fn with_property(model: &model_file::ModelFile, key: &str, value: &str) -> Vec<u8> {
    let mut proto = model.proto().clone();
    proto.metadata_props.retain(|entry| entry.key != key);
    let (key, value) = (key.to_owned(), value.to_owned());
    proto.metadata_props.push(pb::StringStringEntryProto { key, value });
    model_file::seal(&mut proto);
    bytes(&proto)
}

fn graph(side: i64, seed: u64) -> pb::GraphProto {
    let mut g = Graph::new(seed);
    g.graph.name = "random".to_owned();
    g.scale("scale", SCALE);
    g.scale("weight_scale", WEIGHT_SCALE);
    g.zero("zero", false, 0);
    g.zero("zero_point", false, 128);
    g.zero("weight_zero", true, 0);
    g.conv("stem", "image", "zero_point", [8, 1, 3, 3], 2, 1);
    g.conv("depthwise", "stem", "zero", [8, 1, 3, 3], 2, 8);
    g.conv("expand", "depthwise", "zero", [8, 8, 1, 1], 1, 1);
    g.node("DequantizeLinear", &["depthwise", "scale", "zero"], "a");
    g.node("DequantizeLinear", &["expand", "scale", "zero"], "b");
    g.node("Add", &["a", "b"], "sum");
    g.node("QuantizeLinear", &["sum", "scale", "zero"], "residual");
    g.conv("last", "residual", "zero", [16, 8, 1, 1], 1, 1);
    g.node("DequantizeLinear", &["last", "scale", "zero"], "features");
    g.node("GlobalAveragePool", &["features"], "pooled");
    g.node("Flatten", &["pooled"], "flat");
    let head: Vec<u8> = (0..16).flat_map(|_| ((g.random() % 63) as f32 - 31.0).to_le_bytes()).collect();
    g.tensor("head", DataType::Float, &[16, 1], head);
    g.scale("head_scale", 1.0 / 64.0);
    g.scale("head_bias", 0.25);
    g.node("MatMul", &["flat", "head"], "product");
    g.node("Mul", &["product", "head_scale"], "scaled");
    g.node("Add", &["scaled", "head_bias"], "logit");
    g.graph.input = vec![value("image", DataType::Uint8, &[1, 1, side, side])];
    g.graph.output = vec![value("logit", DataType::Float, &[1, 1])];
    g.graph
}

/// A graph that is being made, and the numbers for it.
pub struct Graph {
    pub graph: pb::GraphProto,
    random: u64,
}

impl Graph {
    pub fn new(seed: u64) -> Self {
        Self { graph: pb::GraphProto::default(), random: seed }
    }

    pub fn random(&mut self) -> u64 {
        crate::random(&mut self.random)
    }

    pub fn tensor(&mut self, name: &str, kind: DataType, dims: &[i64], raw_data: Vec<u8>) {
        let (name, dims, data_type) = (name.to_owned(), dims.to_vec(), kind as i32);
        let tensor = pb::TensorProto { name, dims, data_type, raw_data, ..Default::default() };
        self.graph.initializer.push(tensor);
    }

    pub fn ints(&mut self, name: &str, values: &[i64]) {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, DataType::Int64, &[values.len() as i64], raw);
    }

    pub fn scale(&mut self, name: &str, value: f32) {
        self.tensor(name, DataType::Float, &[], value.to_le_bytes().to_vec());
    }

    pub fn zero(&mut self, name: &str, signed: bool, value: u8) {
        self.tensor(name, byte(signed), &[], vec![value]);
    }

    pub fn node(&mut self, op_type: &str, inputs: &[&str], output: &str) -> &mut pb::NodeProto {
        self.graph.node.push(pb::NodeProto {
            op_type: op_type.to_owned(),
            name: output.to_owned(),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![output.to_owned()],
            ..Default::default()
        });
        self.graph.node.last_mut().unwrap()
    }

    /// A QLinearConv with random weights `[out, in / groups, height, width]`, padded to keep the
    /// size at stride 1.
    fn conv(&mut self, name: &str, x: &str, x_zero: &str, dims: [i64; 4], stride: i64, groups: i64) {
        let size = dims.iter().product::<i64>();
        let weights = (0..size).map(|_| (self.random() % 255) as u8).map(|w| w.wrapping_sub(127)).collect();
        let bias =
            (0..dims[0]).flat_map(|_| ((self.random() % 40_000) as i32 - 10_000).to_le_bytes()).collect();
        let scales = WEIGHT_SCALE.to_le_bytes().repeat(dims[0] as usize);
        let [weight_name, scale_name, bias_name] =
            ["weight", "scale", "bias"].map(|part| format!("{name}.{part}"));
        self.tensor(&weight_name, DataType::Int8, &dims, weights);
        self.tensor(&scale_name, DataType::Float, &dims[..1], scales);
        self.tensor(&bias_name, DataType::Int32, &dims[..1], bias);
        let inputs =
            [x, "scale", x_zero, &weight_name, &scale_name, "weight_zero", "scale", "zero", &bias_name];
        self.node("QLinearConv", &inputs, name).attribute = vec![
            attribute("kernel_shape", &dims[2..]),
            attribute("strides", &[stride; 2]),
            attribute("pads", &[dims[2] / 2; 4]),
            integer("group", groups),
        ];
    }
}

/// The tensor of that name.
pub fn tensor<'g>(graph: &'g pb::GraphProto, name: &str) -> &'g pb::TensorProto {
    graph.initializer.iter().find(|tensor| tensor.name == name).unwrap()
}

/// The tensor of that name, to be changed.
pub fn tensor_mut<'g>(graph: &'g mut pb::GraphProto, name: &str) -> &'g mut pb::TensorProto {
    graph.initializer.iter_mut().find(|tensor| tensor.name == name).unwrap()
}

pub fn byte(signed: bool) -> DataType {
    if signed { DataType::Int8 } else { DataType::Uint8 }
}

pub fn attribute(name: &str, ints: &[i64]) -> pb::AttributeProto {
    let (name, ints) = (name.to_owned(), ints.to_vec());
    pb::AttributeProto { name, r#type: AttributeType::Ints as i32, ints, ..Default::default() }
}

pub fn integer(name: &str, i: i64) -> pb::AttributeProto {
    pb::AttributeProto { name: name.to_owned(), r#type: AttributeType::Int as i32, i, ..Default::default() }
}

/// A graph's input or output.
pub fn value(name: &str, kind: DataType, shape: &[i64]) -> pb::ValueInfoProto {
    let dim = |&size| Dimension { value: Some(dimension::Value::DimValue(size)), ..Default::default() };
    let shape = Some(pb::TensorShapeProto { dim: shape.iter().map(dim).collect() });
    let tensor = pb::type_proto::Tensor { elem_type: kind as i32, shape };
    let kind = pb::TypeProto { value: Some(pb::type_proto::Value::TensorType(tensor)), ..Default::default() };
    pb::ValueInfoProto { name: name.to_owned(), r#type: Some(kind), ..Default::default() }
}
