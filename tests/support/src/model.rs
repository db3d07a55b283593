//! A small random model: QLinearConv (plain, depthwise, pointwise), a residual, a float head. Its weights mean nothing.
//!
//! All scales are powers of two, so that every engine's arithmetic is exact on it: requantization, the residual sum and
//! the head's average give one possible result.

use edge_core::decide::{Calibration, Thresholds};
use edge_core::gate::Limits;
use edge_core::{Metadata, model::Text};
use edge_runtime::model_file;
use prost::Message;
use tract_onnx::pb;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};

const SCALE: f32 = 1.0 / 32.0;
const WEIGHT_SCALE: f32 = 1.0 / 1024.0;

pub fn metadata(side: u16) -> Metadata {
    Metadata {
        name: text("random"),
        version: text("0.0.1"),
        input_side: side,
        label_negative: text("normal"),
        label_positive: text("pneumonia"),
        calibration: Calibration { temperature: 1.5, bias: -0.1 },
        fitted_on: "nothing".try_into().unwrap(),
        score_deciles_ppm: [0; 9],
        thresholds: Thresholds { negative_below: 0.3, positive_above: 0.7 },
        chosen_for: "nothing".try_into().unwrap(),
        gate: Limits {
            min_mean: 3000,
            max_mean: 62000,
            min_deviation: 1500,
            max_elongation_permille: 3000,
            ..Limits::OPEN
        },
        intended_use: "Tests only.".try_into().unwrap(),
        training_data_sha256: text(&"0".repeat(64)),
        seeds: text("1"),
        made_by: text("a test"),
        metrics: "none".try_into().unwrap(),
    }
}

fn text(value: &str) -> Text {
    value.try_into().unwrap()
}

/// The model with metadata and seal; `side` is a multiple of 4, a power of two for an exact average.
pub fn sealed(side: u16, seed: u64) -> pb::ModelProto {
    let mut proto = unsealed(side, seed);
    model_file::seal(&mut proto);
    proto
}

pub fn unsealed(side: u16, seed: u64) -> pb::ModelProto {
    let mut props = Vec::new();
    metadata(side).write_props(|key, value| {
        props.push(pb::StringStringEntryProto { key: key.to_owned(), value: value.to_owned() });
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

fn graph(side: i64, seed: u64) -> pb::GraphProto {
    let mut g =
        Builder { graph: pb::GraphProto { name: "random".to_owned(), ..Default::default() }, random: seed };
    g.scalar("scale", DataType::Float, &SCALE.to_le_bytes());
    g.scalar("weight_scale", DataType::Float, &WEIGHT_SCALE.to_le_bytes());
    g.scalar("zero", DataType::Uint8, &[0]);
    g.scalar("zero_point", DataType::Uint8, &[128]);
    g.scalar("weight_zero", DataType::Int8, &[0]);
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
    g.scalar("head_scale", DataType::Float, &(1.0f32 / 64.0).to_le_bytes());
    g.scalar("head_bias", DataType::Float, &0.25f32.to_le_bytes());
    g.node("MatMul", &["flat", "head"], "product");
    g.node("Mul", &["product", "head_scale"], "scaled");
    g.node("Add", &["scaled", "head_bias"], "logit");
    g.graph.input = vec![value("image", DataType::Uint8, &[1, 1, side, side])];
    g.graph.output = vec![value("logit", DataType::Float, &[1, 1])];
    g.graph
}

struct Builder {
    graph: pb::GraphProto,
    random: u64,
}

impl Builder {
    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn tensor(&mut self, name: &str, kind: DataType, dims: &[i64], raw_data: Vec<u8>) {
        let (name, dims) = (name.to_owned(), dims.to_vec());
        let data_type = kind as i32;
        self.graph.initializer.push(pb::TensorProto {
            name,
            dims,
            data_type,
            raw_data,
            ..Default::default()
        });
    }

    fn scalar(&mut self, name: &str, kind: DataType, raw: &[u8]) {
        self.tensor(name, kind, &[], raw.to_vec());
    }

    fn node(&mut self, op_type: &str, inputs: &[&str], output: &str) -> &mut pb::NodeProto {
        self.graph.node.push(pb::NodeProto {
            op_type: op_type.to_owned(),
            name: output.to_owned(),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![output.to_owned()],
            ..Default::default()
        });
        self.graph.node.last_mut().unwrap()
    }

    /// A QLinearConv with random weights `[out, in / groups, height, width]`, padded to keep the size at stride 1.
    fn conv(&mut self, name: &str, x: &str, x_zero: &str, dims: [i64; 4], stride: i64, groups: i64) {
        let size = dims.iter().product::<i64>();
        let weights = (0..size).map(|_| (self.random() % 255) as u8).map(|w| w.wrapping_sub(127)).collect();
        let bias =
            (0..dims[0]).flat_map(|_| ((self.random() % 40_000) as i32 - 10_000).to_le_bytes()).collect();
        let (weight_name, bias_name) = (format!("{name}.weight"), format!("{name}.bias"));
        self.tensor(&weight_name, DataType::Int8, &dims, weights);
        self.tensor(
            &format!("{name}.scale"),
            DataType::Float,
            &dims[..1],
            WEIGHT_SCALE.to_le_bytes().repeat(dims[0] as usize),
        );
        self.tensor(&bias_name, DataType::Int32, &dims[..1], bias);
        let scale_name = format!("{name}.scale");
        let inputs =
            [x, "scale", x_zero, &weight_name, &scale_name, "weight_zero", "scale", "zero", &bias_name];
        let node = self.node("QLinearConv", &inputs, name);
        node.attribute = vec![
            ints("kernel_shape", &dims[2..]),
            ints("strides", &[stride; 2]),
            ints("pads", &[dims[2] / 2; 4]),
            pb::AttributeProto {
                name: "group".to_owned(),
                r#type: AttributeType::Int as i32,
                i: groups,
                ..Default::default()
            },
        ];
    }
}

fn ints(name: &str, values: &[i64]) -> pb::AttributeProto {
    let (name, ints) = (name.to_owned(), values.to_vec());
    pb::AttributeProto { name, r#type: AttributeType::Ints as i32, ints, ..Default::default() }
}

/// A graph's input or output.
pub fn value(name: &str, kind: DataType, shape: &[i64]) -> pb::ValueInfoProto {
    let dim = |&size| Dimension { value: Some(dimension::Value::DimValue(size)), ..Default::default() };
    let shape = Some(pb::TensorShapeProto { dim: shape.iter().map(dim).collect() });
    let tensor = pb::type_proto::Tensor { elem_type: kind as i32, shape };
    let kind = pb::TypeProto { value: Some(pb::type_proto::Value::TensorType(tensor)), ..Default::default() };
    pb::ValueInfoProto { name: name.to_owned(), r#type: Some(kind), ..Default::default() }
}
