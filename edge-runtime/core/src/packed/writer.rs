//! Writes a packed model from a network in ONNX's terms.

use super::emit::{Out, compose};
use super::numbers;
use super::plan::{Plan, Step, plan};
use super::record::{header, kind};
use super::{CRC, MAX_FEATURES, MAX_LAYERS};
use crate::kernels::convolution::Convolution;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::first::First;
use crate::kernels::layout::{self, DEPTH};
use crate::kernels::pool::Head;
use crate::kernels::{Shape, Window};
use crate::model::Metadata;
use crate::preprocess;
use core::fmt;
use heapless::Vec;

/// A network in ONNX's terms, ready to be packed.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    /// SHA-256 of the ONNX file.
    pub onnx_sha256: [u8; 32],
    /// What the model says of itself.
    pub metadata: &'a Metadata,
    /// The input, then what each layer makes.
    pub values: &'a [NetworkValue<'a>],
    /// In order of execution.
    pub layers: &'a [NetworkLayer<'a>],
    /// Reads the last value.
    pub head: Head<'a>,
}

/// A value of 8 bits.
#[derive(Clone, Copy, Debug)]
pub struct NetworkValue<'a> {
    /// Its name in the ONNX graph.
    pub name: &'a str,
    /// Its size.
    pub shape: Shape,
    /// Real units a step.
    pub scale: f32,
    /// The step that stands for 0.
    pub zero: u8,
}

/// A layer.
#[derive(Clone, Copy, Debug)]
pub enum NetworkLayer<'a> {
    /// A QLinearConv.
    Convolution {
        /// Value that it reads.
        input: usize,
        /// Its window.
        window: Window,
        /// Groups.
        groups: usize,
        /// Signed weights: output, input of the group, row, column.
        weights: &'a [i8],
        /// One a channel, as in the ONNX file.
        biases: &'a [i32],
        /// `(x_scale * w_scale) / y_scale` of each channel.
        multipliers: &'a [f32],
    },
    /// The sum of two values of one shape, scale and zero point.
    Add {
        /// The two values.
        inputs: [usize; 2],
    },
}

impl NetworkLayer<'_> {
    pub(super) fn inputs(&self) -> [usize; 2] {
        match *self {
            NetworkLayer::Convolution { input, .. } => [input; 2],
            NetworkLayer::Add { inputs } => inputs,
        }
    }
}

/// Why a network cannot be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// A layer breaks a rule.
    Layer {
        /// Its number, from 0.
        layer: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The network as a whole does.
    Network {
        /// What is wrong.
        what: &'static str,
    },
    /// The output slice is too short.
    Space {
        /// Bytes needed.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layer { layer, what } => {
                write!(f, "layer {layer} cannot be packed: {what}; export the model again with host-trainer")
            }
            Self::Network { what } => {
                write!(f, "the network cannot be packed: {what}; export the model again with host-trainer")
            }
            Self::Space { expected, got } => write!(f, "expected room for {expected} bytes, got {got}"),
        }
    }
}

impl core::error::Error for WriteError {}

/// How a layer is computed, and how large what it needs is.
pub(super) struct Form {
    pub kind: u16,
    /// Rows of the channels' numbers.
    pub rows: usize,
    /// Bytes of weights.
    pub weights: usize,
    /// Bytes of scratch memory.
    pub scratch: usize,
    /// Whether the output may overwrite an input.
    pub in_place: bool,
}

/// Bytes that [`write`] needs.
///
/// # Errors
/// [`WriteError`] where the network breaks a rule.
pub fn packed_len(network: &Network) -> Result<usize, WriteError> {
    let mut out = Out { bytes: &mut [], at: 0 };
    compose(network, &mut out)?;
    Ok(out.at)
}

/// Writes the model into `out`; returns its length.
///
/// # Errors
/// [`WriteError`].
pub fn write(network: &Network, out: &mut [u8]) -> Result<usize, WriteError> {
    let expected = packed_len(network)?;
    let got = out.len();
    let bytes = out.get_mut(..expected).ok_or(WriteError::Space { expected, got })?;
    bytes.fill(0);
    compose(network, &mut Out { bytes, at: 0 })?;
    let checksum = CRC.checksum(bytes.get(header::COVERED..).unwrap_or(&[]));
    Out { bytes, at: 0 }.put(header::CHECKSUM.start, &checksum.to_le_bytes());
    Ok(expected)
}

/// Chooses each layer's form, checks every rule, and plans the arena.
pub(super) fn arrange(network: &Network) -> Result<(Vec<Form, MAX_LAYERS>, Plan), WriteError> {
    let whole = |what| WriteError::Network { what };
    let (mut forms, mut steps) = (Vec::new(), Vec::<Step, MAX_LAYERS>::new());
    if network.layers.is_empty() || network.values.len() != network.layers.len() + 1 {
        return Err(whole("expected a value for the input and one for each layer"));
    }
    for (index, (net_layer, output)) in network.layers.iter().zip(network.values.iter().skip(1)).enumerate() {
        let wrong = |what| WriteError::Layer { layer: index, what };
        if net_layer.inputs().iter().any(|&input| input > index) {
            return Err(wrong("it reads a value that is not made before it"));
        }
        let form = form(network, net_layer, output).map_err(wrong)?;
        let step = Step {
            inputs: net_layer.inputs(),
            output: output.shape.bytes(),
            scratch: form.scratch,
            in_place: form.in_place,
        };
        let fits = steps.push(step).is_ok() && forms.push(form).is_ok();
        if !fits {
            return Err(whole("it has too many layers"));
        }
    }
    let features = network.values.last().map_or(0, |v| v.shape.channels);
    if network.head.weights.len() != features || features > MAX_FEATURES {
        return Err(whole("expected one head weight a channel of the last value, at most 256"));
    }
    numbers::check_head(&network.head).map_err(whole)?;
    let largest = network.values.iter().flat_map(|v| [v.shape.height, v.shape.width, v.shape.channels]).max();
    if largest.is_none_or(|n| n > usize::from(u16::MAX)) {
        return Err(whole("a value is larger than 65,535 along an axis"));
    }
    let side = network.metadata.input_side;
    let input = network.values.first().map_or(0, |v| v.shape.bytes());
    let plan =
        plan(input, preprocess::scratch_bytes(side), &steps).ok_or(whole("the arena cannot be planned"))?;
    Ok((forms, plan))
}

/// Chooses a layer's form and checks its numbers.
fn form(network: &Network, net_layer: &NetworkLayer, output: &NetworkValue) -> Result<Form, &'static str> {
    let value = |at: usize| network.values.get(at).ok_or("it reads a value that is not there");
    let NetworkLayer::Convolution { input, window, groups, weights, biases, multipliers } = net_layer else {
        for input in net_layer.inputs() {
            let v = value(input)?;
            if (v.shape, v.zero) != (output.shape, output.zero) || v.scale != output.scale {
                return Err("an addition's values must share shape, scale and zero point");
            }
        }
        let [a, b] = net_layer.inputs();
        return Ok(Form { kind: kind::ADD, rows: 0, weights: 0, scratch: 0, in_place: a != b });
    };
    let (x, outputs) = (value(*input)?, output.shape.channels);
    let shape = &x.shape;
    if *groups == 0 || shape.channels % groups != 0 || outputs % groups != 0 || outputs == 0 {
        return Err("its groups do not divide its channels");
    }
    let size = window.output(shape.height, shape.width).ok_or("its window does not fit its input")?;
    if size != [output.shape.height, output.shape.width] {
        return Err("its output has another size than its window gives");
    }
    let fan_in = shape.channels / groups * window.kernel[0] * window.kernel[1];
    if weights.len() != outputs * fan_in || biases.len() != outputs || multipliers.len() != outputs {
        return Err("weights, biases and multipliers do not fit its channels");
    }
    check_numbers(x.zero, fan_in, weights, biases, multipliers)?;
    Ok(if *groups == 1 && First::covers(shape, window) {
        let weights = layout::block_bytes(outputs, window.kernel[0] * DEPTH);
        Form {
            kind: kind::FIRST,
            rows: outputs,
            weights,
            scratch: First::scratch(shape, window),
            in_place: false,
        }
    } else if *groups == 1 && *window == Window::POINT {
        let weights = layout::block_bytes(outputs, shape.channels);
        Form { kind: kind::POINTWISE, rows: outputs, weights, scratch: 0, in_place: false }
    } else if *groups == shape.channels && outputs == shape.channels && Depthwise::covers(window) {
        Form {
            kind: kind::DEPTHWISE,
            rows: outputs,
            weights: layout::tap_bytes(outputs, window.kernel),
            scratch: Depthwise::scratch(shape, window),
            in_place: Depthwise::in_place(shape, window),
        }
    } else {
        Form {
            kind: kind::CONVOLUTION,
            rows: Convolution::padded_outputs(outputs, *groups),
            weights: Convolution::weight_bytes(shape, window, outputs, *groups),
            scratch: Convolution::scratch(shape, window, *groups),
            in_place: false,
        }
    })
}

/// Rules 2 and 8 of the exact form: what lets every kernel count without a check.
fn check_numbers(
    x_zero: u8,
    fan_in: usize,
    weights: &[i8],
    biases: &[i32],
    multipliers: &[f32],
) -> Result<(), &'static str> {
    let widest = i64::from(x_zero.max(255 - x_zero));
    for ((row, &bias), &multiplier) in weights.chunks(fan_in.max(1)).zip(biases).zip(multipliers) {
        if row.contains(&-128) {
            return Err("a weight of -128 (rule 2 of the exact form)");
        }
        let sum: i64 = row.iter().map(|w| i64::from(w.unsigned_abs())).sum();
        let largest = sum * widest + i64::from(bias).abs();
        let reach = largest as f32 * multiplier;
        if largest >= 1 << 24 || !(multiplier > 0.0 && reach < (1 << 22) as f32) {
            return Err("an accumulator could reach 2^24, or 2^22 when scaled (rule 8 of the exact form)");
        }
    }
    Ok(())
}
