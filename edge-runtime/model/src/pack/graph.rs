//! The ONNX graph as a list of layers.

use super::constants::Constants;
use super::error::PackError;
use crate::model_file::ModelFile;
use edge_core::kernels::pool::ClassifierHead;
use edge_core::kernels::{Shape, Window};
use edge_core::packed::{NetworkLayer, NetworkValue};
use std::collections::HashMap;
use tract_onnx::pb::NodeProto;

/// A network in ONNX's terms, owning its numbers.
pub(super) struct Graph {
    pub sha256: [u8; 32],
    values: Vec<Value>,
    layers: Vec<Layer>,
    head_weights: Vec<i8>,
    head_step: f32,
    head_scale: f32,
    head_bias: f32,
}

struct Value {
    name: String,
    shape: Shape,
    scale: f32,
    zero: u8,
}

enum Layer {
    Convolution(Convolution),
    Add([usize; 2]),
}

struct Convolution {
    input: usize,
    window: Window,
    groups: usize,
    weights: Vec<i8>,
    biases: Vec<i32>,
    multipliers: Vec<f32>,
}

impl Graph {
    pub fn values(&self) -> Vec<NetworkValue<'_>> {
        let value = |v: &'_ Value| (v.shape, v.scale, v.zero);
        let each = self.values.iter().map(|v| (v.name.as_str(), value(v)));
        each.map(|(name, (shape, scale, zero))| NetworkValue { name, shape, scale, zero }).collect()
    }

    pub fn layers(&self) -> Vec<NetworkLayer<'_>> {
        let layer = |layer| match layer {
            &Layer::Add(inputs) => NetworkLayer::Add { inputs },
            Layer::Convolution(c) => NetworkLayer::Convolution {
                input: c.input,
                window: c.window,
                groups: c.groups,
                weights: &c.weights,
                biases: &c.biases,
                multipliers: &c.multipliers,
            },
        };
        self.layers.iter().map(layer).collect()
    }

    pub fn head(&self) -> ClassifierHead<'_> {
        ClassifierHead {
            weights: &self.head_weights,
            positions: self.values.last().map_or(1, |v| v.shape.positions() as u32),
            step: self.head_step,
            scale: self.head_scale,
            bias: self.head_bias,
        }
    }
}

pub(super) fn read(model: &ModelFile) -> Result<Graph, PackError> {
    let graph = model.graph();
    let input = graph.input.first().map(|i| i.name.clone()).unwrap_or_default();
    let side = usize::from(model.metadata().input_side);
    let mut reader = Reader {
        constants: Constants::new(graph),
        known: HashMap::from([(input.clone(), 0)]),
        reals: HashMap::new(),
        sums: HashMap::new(),
        floats: HashMap::new(),
        out: Graph {
            sha256: hash(model.sha256()),
            values: vec![Value {
                name: input,
                shape: Shape { height: side, width: side, channels: 1 },
                scale: 0.0,
                zero: 0,
            }],
            layers: vec![],
            head_weights: vec![],
            head_step: 1.0,
            head_scale: 1.0,
            head_bias: 0.0,
        },
    };
    for node in &graph.node {
        if !node.domain.is_empty() {
            return Err(wrong(name(node), "expected an operator of the standard domain"));
        }
        reader.node(node)?;
    }
    let output = graph.output.first().map(|o| o.name.as_str()).unwrap_or_default();
    match reader.floats.get(output) {
        Some(Stage::Logit) => Ok(reader.out),
        _ => Err(wrong(output, "expected the float head's result as the output")),
    }
}

/// What the float head has come to.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Pooled,
    Flat,
    Product,
    Scaled,
    Logit,
}

struct Reader<'m> {
    constants: Constants<'m>,
    /// Values of 8 bits by name.
    known: HashMap<String, usize>,
    /// Dequantized values by name: value, scale, zero point.
    reals: HashMap<String, (usize, f32, u8)>,
    /// Sums of two dequantized values by name.
    sums: HashMap<String, [(usize, f32, u8); 2]>,
    floats: HashMap<String, Stage>,
    out: Graph,
}

impl Reader<'_> {
    fn node(&mut self, node: &NodeProto) -> Result<(), PackError> {
        let output = node.output.first().cloned().unwrap_or_default();
        match (node.op_type.as_str(), node.input.len()) {
            ("QLinearConv", 8 | 9) => self.convolution(node, output),
            ("DequantizeLinear", 3) => {
                let value = self.value(node, 0)?;
                let (scale, zero) = self.constants.grid(&node.input[1], &node.input[2])?;
                self.reals.insert(output, (value, scale, zero));
                Ok(())
            }
            ("Add", 2) if !self.constants.contains(&node.input[1]) => {
                match [0, 1].map(|i| self.reals.get(&node.input[i]).copied()) {
                    [Some(a), Some(b)] => {
                        self.sums.insert(output, [a, b]);
                        Ok(())
                    }
                    _ => Err(wrong(name(node), "expected DequantizeLinear before both inputs")),
                }
            }
            ("QuantizeLinear", 3) => self.residual(node, output),
            _ => self.head(node, output),
        }
    }

    fn value(&self, node: &NodeProto, input: usize) -> Result<usize, PackError> {
        let found = node.input.get(input).and_then(|name| self.known.get(name));
        found.copied().ok_or_else(|| wrong(name(node), "expected an 8-bit value made by an earlier node"))
    }

    fn push(&mut self, name: String, layer: Layer, shape: Shape, scale: f32, zero: u8) {
        self.known.insert(name.clone(), self.out.values.len());
        self.out.values.push(Value { name, shape, scale, zero });
        self.out.layers.push(layer);
    }

    fn convolution(&mut self, node: &NodeProto, output: String) -> Result<(), PackError> {
        let name = name(node);
        let input = self.value(node, 0)?;
        let (x_scale, x_zero) = self.constants.grid(&node.input[1], &node.input[2])?;
        let (y_scale, y_zero) = self.constants.grid(&node.input[6], &node.input[7])?;
        let (dims, weights) = self.constants.int8(&node.input[3])?;
        let (zero_dims, zero) = self.constants.int8(&node.input[5])?;
        if !zero_dims.is_empty() || zero != [0] {
            return Err(wrong(name, "expected a scalar weight zero point of 0"));
        }
        let x = &mut self.out.values[input];
        if input == 0 {
            (x.scale, x.zero) = (x_scale, x_zero); // the input's grid is written at its reader only
        } else if (x.scale, x.zero) != (x_scale, x_zero) {
            return Err(wrong(name, "expected the scale and zero point that its input was made with"));
        }
        let [outputs, _, height, width] = dims.iter().map(|&d| d as usize).collect::<Vec<_>>()[..] else {
            return Err(wrong(name, "expected weights of four dimensions"));
        };
        let window = window(node, [height, width])?;
        let [rows, columns] = window
            .output(x.shape.height, x.shape.width)
            .ok_or_else(|| wrong(name, "the window does not fit the input"))?;
        let scales = self.constants.floats(&node.input[4])?;
        let biases = match node.input.get(8) {
            Some(bias) => self.constants.int32(bias)?,
            None => vec![0; outputs],
        };
        if scales.len() != outputs || biases.len() != outputs {
            return Err(wrong(name, "expected a weight scale and a bias an output channel"));
        }
        // The order of onnxruntime's arithmetic: rule 8 of the exact form.
        let multipliers = scales.iter().map(|&w| (x_scale * w) / y_scale).collect();
        let groups = integer(node, "group").unwrap_or(1);
        let groups =
            usize::try_from(groups).map_err(|_| wrong(name, "expected a positive number of groups"))?;
        let layer = Layer::Convolution(Convolution { input, window, groups, weights, biases, multipliers });
        let shape = Shape { height: rows, width: columns, channels: outputs };
        self.push(output, layer, shape, y_scale, y_zero);
        Ok(())
    }

    fn residual(&mut self, node: &NodeProto, output: String) -> Result<(), PackError> {
        let Some([a, b]) = self.sums.get(&node.input[0]).copied() else {
            return Err(wrong(name(node), "expected the Add of a residual before it"));
        };
        let (scale, zero) = self.constants.grid(&node.input[1], &node.input[2])?;
        if [a, b].iter().any(|&(_, s, z)| (s, z) != (scale, zero)) {
            return Err(wrong(name(node), "expected one scale and zero point around a residual"));
        }
        let shape = self.out.values[a.0].shape;
        self.push(output, Layer::Add([a.0, b.0]), shape, scale, zero);
        Ok(())
    }

    /// One node of the chain DequantizeLinear, GlobalAveragePool, Flatten, MatMul, Mul, Add.
    fn head(&mut self, node: &NodeProto, output: String) -> Result<(), PackError> {
        let unknown =
            || wrong(name(node), &format!("operator {} is not expected here", node.op_type.escape_debug()));
        let first = node.input.first().ok_or_else(unknown)?;
        let before = self.floats.get(first).copied();
        let stage = match (node.op_type.as_str(), before) {
            ("GlobalAveragePool", None) => {
                let &(value, scale, zero) = self.reals.get(first).ok_or_else(unknown)?;
                if value + 1 != self.out.values.len() || zero != 0 {
                    return Err(wrong(name(node), "expected the last value with zero point 0"));
                }
                self.out.head_step = scale;
                Stage::Pooled
            }
            ("Flatten", Some(Stage::Pooled)) => Stage::Flat,
            ("MatMul", Some(Stage::Flat)) => {
                let weights = self.constants.floats(node.input.get(1).ok_or_else(unknown)?)?;
                if weights.iter().any(|w| w.fract() != 0.0 || w.abs() > 127.0) {
                    return Err(wrong(name(node), "expected whole head weights of at most 127"));
                }
                self.out.head_weights = weights.iter().map(|&w| w as i8).collect();
                Stage::Product
            }
            ("Mul", Some(Stage::Product)) => {
                self.out.head_scale = self.constants.float(node.input.get(1).ok_or_else(unknown)?)?;
                Stage::Scaled
            }
            ("Add", Some(Stage::Scaled)) => {
                self.out.head_bias = self.constants.float(node.input.get(1).ok_or_else(unknown)?)?;
                Stage::Logit
            }
            _ => return Err(unknown()),
        };
        self.floats.insert(output, stage);
        Ok(())
    }
}

/// The window of a convolution from its attributes; the kernel's size is that of the weights.
fn window(node: &NodeProto, kernel: [usize; 2]) -> Result<Window, PackError> {
    let name = name(node);
    if node.attribute.iter().any(|a| a.name == "auto_pad" && a.s != b"NOTSET") {
        return Err(wrong(name, "expected explicit pads"));
    }
    let numbers = |attribute: &str, default: usize, count: usize| -> Result<Vec<usize>, PackError> {
        let Some(found) = node.attribute.iter().find(|a| a.name == attribute) else {
            return Ok(vec![default; count]);
        };
        let all: Option<Vec<usize>> = found.ints.iter().map(|&n| usize::try_from(n).ok()).collect();
        all.filter(|all| all.len() == count)
            .ok_or_else(|| wrong(name, &format!("expected {count} whole numbers in {attribute}")))
    };
    let pair = |all: &[usize]| [all[0], all[1]];
    let pads = numbers("pads", 0, 4)?;
    Ok(Window {
        kernel,
        stride: pair(&numbers("strides", 1, 2)?),
        dilation: pair(&numbers("dilations", 1, 2)?),
        before: pair(&pads),
        after: pair(&pads[2..]),
    })
}

fn integer(node: &NodeProto, attribute: &str) -> Option<i64> {
    node.attribute.iter().find(|a| a.name == attribute).map(|a| a.i)
}

fn name(node: &NodeProto) -> &str {
    if node.name.is_empty() { node.output.first().map_or("", String::as_str) } else { &node.name }
}

fn wrong(node: &str, what: &str) -> PackError {
    PackError::Node { node: node.to_owned(), what: what.to_owned() }
}

/// 64 hexadecimal digits as bytes.
fn hash(hex: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
        let pair = str::from_utf8(pair).unwrap_or("0");
        *byte = u8::from_str_radix(pair, 16).unwrap_or(0);
    }
    bytes
}
