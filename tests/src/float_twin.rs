//! The float twin of an int8 model: the same network with 32-bit floats, for comparing latencies.
//!
//! Every QLinearConv becomes a Conv with the dequantized weights and bias, followed by a Clip to
//! 0..6 where the exact form absorbed a ReLU6 (output zero point 0); residuals and head stay. The
//! twin computes what the int8 model approximates, so its logits are near the int8 model's, not
//! equal to them.

use std::collections::HashMap;

use anyhow::{Context, bail, ensure};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, ValueInfoProto, type_proto,
};

/// A float model and how its input is made from the int8 model's.
#[derive(Clone, Debug)]
pub struct FloatTwin {
    /// The model: input `image` of f32, output `logit`.
    pub proto: ModelProto,
    /// What one step of the int8 model's input is worth.
    scale: f32,
    /// The step that is worth 0.
    zero: u8,
}

impl FloatTwin {
    /// Makes the twin of a model in the exact form.
    pub fn of(int8: &ModelProto) -> anyhow::Result<Self> {
        let graph = int8.graph.as_ref().context("expected a model with a graph")?;
        let [input] = &graph.input[..] else { bail!("expected one input, got {}", graph.input.len()) };
        let mut twin = Builder::new(graph);
        for node in &graph.node {
            twin.node(node).with_context(|| format!("node {}", node.name))?;
        }
        ensure!(twin.factor == 1.0, "expected a Mul in the head, which takes up the features' other scale");
        let (scale, zero) = twin.constants.grid(&input.name)?;
        let mut made = twin.made;
        made.name = format!("{} as floats", graph.name);
        made.input = vec![as_float(input)?];
        made.output = graph.output.clone();
        let opset = OperatorSetIdProto { domain: String::new(), version: 13 };
        let proto = ModelProto {
            ir_version: 8,
            opset_import: vec![opset],
            graph: Some(made),
            ..ModelProto::default()
        };
        Ok(Self { proto, scale, zero })
    }

    /// The twin's input for an input of the int8 model.
    pub fn input(&self, frame: &[u8]) -> Vec<f32> {
        frame.iter().map(|&step| (f32::from(step) - f32::from(self.zero)) * self.scale).collect()
    }
}

/// The int8 graph's initializers by name.
struct Constants<'g>(HashMap<&'g str, &'g TensorProto>);

impl Constants<'_> {
    fn tensor(&self, name: &str, kind: DataType) -> anyhow::Result<&TensorProto> {
        let tensor = self.0.get(name).with_context(|| format!("there is no constant {name}"))?;
        ensure!(
            tensor.data_type == kind as i32,
            "{name}: expected {}, got type {}",
            kind.as_str_name(),
            tensor.data_type
        );
        Ok(tensor)
    }

    fn floats(&self, name: &str) -> anyhow::Result<Vec<f32>> {
        Ok(words(self.tensor(name, DataType::Float)?).map(f32::from_le_bytes).collect())
    }

    fn scalar(&self, name: &str) -> anyhow::Result<f32> {
        match self.floats(name)?[..] {
            [value] => Ok(value),
            ref values => bail!("{name}: expected one number, got {}", values.len()),
        }
    }

    /// Scale and zero point of an 8-bit value, as the exporter names them.
    fn grid(&self, value: &str) -> anyhow::Result<(f32, u8)> {
        let zero = self.tensor(&format!("{value}.zero_point"), DataType::Uint8)?;
        let zero = *zero.raw_data.first().with_context(|| format!("{value}.zero_point is empty"))?;
        Ok((self.scalar(&format!("{value}.scale"))?, zero))
    }
}

struct Builder<'g> {
    constants: Constants<'g>,
    made: GraphProto,
    /// Values that are another one in the twin, where quantizing and dequantizing fall away.
    same: HashMap<String, String>,
    /// The head reads its features with another scale than they were written with, which its
    /// weights make up for; the ratio, until the head's Mul has taken it up.
    factor: f32,
}

impl<'g> Builder<'g> {
    fn new(graph: &'g GraphProto) -> Self {
        let constants = Constants(graph.initializer.iter().map(|t| (t.name.as_str(), t)).collect());
        let mut new = Self { constants, made: GraphProto::default(), same: HashMap::new(), factor: 1.0 };
        new.put("relu6.low", &[], &[0.0]);
        new.put("relu6.high", &[], &[6.0]);
        new
    }

    fn node(&mut self, node: &NodeProto) -> anyhow::Result<()> {
        match (node.op_type.as_str(), &node.input[..]) {
            ("QLinearConv", [x, x_scale, _, weight, weight_scale, _, y_scale, y_zero, bias]) => {
                let x_scale = self.constants.scalar(x_scale)?;
                // Scales are positive; without this a broken file would give a twin of nothing.
                ensure!(self.constants.scalar(y_scale)? > 0.0, "expected a positive scale {y_scale}");
                self.weights(x_scale, weight, weight_scale, bias)?;
                let relu6 = self.constants.tensor(y_zero, DataType::Uint8)?.raw_data == [0];
                let y = node.output.first().context("no output")?;
                let linear = if relu6 { format!("{y}.linear") } else { y.clone() };
                let conv = NodeProto {
                    op_type: "Conv".to_owned(),
                    input: vec![self.name(x), weight.clone(), bias.clone()],
                    output: vec![linear.clone()],
                    ..node.clone()
                };
                self.made.node.push(conv);
                if relu6 {
                    self.made.node.push(NodeProto {
                        op_type: "Clip".to_owned(),
                        name: format!("{y}.relu6"),
                        input: vec![linear, "relu6.low".to_owned(), "relu6.high".to_owned()],
                        output: vec![y.clone()],
                        ..NodeProto::default()
                    });
                }
            }
            ("QuantizeLinear", [x, ..]) => self.alias(node, x)?,
            ("DequantizeLinear", [x, scale, _]) => {
                let (written, read) = (self.constants.grid(x)?.0, self.constants.scalar(scale)?);
                self.factor *= read / written;
                self.alias(node, x)?;
            }
            ("Mul", [x, scale]) => {
                let value = self.constants.scalar(scale)? * self.factor;
                self.factor = 1.0;
                self.put(scale, &[1], &[value]);
                self.keep(node, &[x, scale]);
            }
            ("Add" | "GlobalAveragePool" | "Flatten" | "MatMul", inputs) => {
                for input in inputs {
                    if let Some(tensor) = self.constants.0.get(input.as_str()) {
                        self.made.initializer.push((*tensor).clone());
                    }
                }
                self.keep(node, &inputs.iter().collect::<Vec<_>>());
            }
            (operator, inputs) => {
                bail!("{operator} with {} inputs is not of the exact form", inputs.len())
            }
        }
        Ok(())
    }

    fn weights(&mut self, x_scale: f32, weight: &str, scale: &str, bias: &str) -> anyhow::Result<()> {
        let scales = self.constants.floats(scale)?;
        let steps = self.constants.tensor(weight, DataType::Int8)?;
        let biases = self.constants.tensor(bias, DataType::Int32)?;
        ensure!(
            !scales.is_empty()
                && steps.raw_data.len() % scales.len() == 0
                && biases.raw_data.len() == 4 * scales.len(),
            "{weight} and {bias} do not fit {} scales",
            scales.len()
        );
        let row = (steps.raw_data.len() / scales.len()).max(1);
        let rows = steps.raw_data.chunks(row).zip(&scales);
        let weights: Vec<f32> =
            rows.flat_map(|(row, scale)| row.iter().map(move |&w| f32::from(w as i8) * scale)).collect();
        let sums = words(biases).map(i32::from_le_bytes).zip(&scales);
        let offsets: Vec<f32> = sums.map(|(b, scale)| b as f32 * (x_scale * scale)).collect();
        let dims = steps.dims.clone();
        self.put(weight, &dims, &weights);
        self.put(bias, &[offsets.len() as i64], &offsets);
        Ok(())
    }

    fn put(&mut self, name: &str, dims: &[i64], values: &[f32]) {
        self.made.initializer.push(TensorProto {
            name: name.to_owned(),
            data_type: DataType::Float as i32,
            dims: dims.to_vec(),
            raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            ..TensorProto::default()
        });
    }

    fn keep(&mut self, node: &NodeProto, inputs: &[&String]) {
        let input = inputs.iter().map(|name| self.name(name)).collect();
        self.made.node.push(NodeProto { input, ..node.clone() });
    }

    fn alias(&mut self, node: &NodeProto, x: &str) -> anyhow::Result<()> {
        let y = node.output.first().context("no output")?;
        let x = self.name(x);
        self.same.insert(y.clone(), x);
        Ok(())
    }

    fn name(&self, value: &str) -> String {
        self.same.get(value).map_or_else(|| value.to_owned(), Clone::clone)
    }
}

fn words(tensor: &TensorProto) -> impl Iterator<Item = [u8; 4]> {
    tensor.raw_data.chunks_exact(4).map(|word| [word[0], word[1], word[2], word[3]])
}

fn as_float(value: &ValueInfoProto) -> anyhow::Result<ValueInfoProto> {
    let mut value = value.clone();
    match value.r#type.as_mut().and_then(|t| t.value.as_mut()) {
        Some(type_proto::Value::TensorType(tensor)) => tensor.elem_type = DataType::Float as i32,
        _ => bail!("input {} has no tensor type", value.name),
    }
    Ok(value)
}
