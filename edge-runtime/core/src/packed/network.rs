//! A network in ONNX's terms: what is to be packed.

use crate::kernels::pool::ClassifierHead;
use crate::kernels::{Shape, Window};
use crate::model::MetadataView;
use core::fmt;

/// A network in ONNX's terms, ready to be packed.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    /// SHA-256 of the ONNX file.
    pub onnx_sha256: [u8; 32],
    /// What the model says of itself.
    pub metadata: MetadataView<'a>,
    /// The input, then what each layer makes.
    pub values: &'a [NetworkValue<'a>],
    /// In order of execution.
    pub layers: &'a [NetworkLayer<'a>],
    /// Reads the last value.
    pub head: ClassifierHead<'a>,
}

/// A value of 8 bits.
#[derive(Clone, Copy, Debug)]
pub struct NetworkValue<'a> {
    /// Its name in the ONNX graph.
    pub name: &'a str,
    /// Rows, columns, channels; the batch is 1.
    pub shape: Shape,
    /// Real units a step.
    pub scale: f32,
    /// The step that stands for 0.
    pub zero: u8,
}

/// A layer, which makes the next value.
#[derive(Clone, Copy, Debug)]
pub enum NetworkLayer<'a> {
    /// A QLinearConv with a bias.
    Convolution {
        /// Value that it reads.
        input: usize,
        /// Kernel, strides, dilations and pads.
        window: Window,
        /// ONNX's `group`.
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
        /// Numbers of the two values; the sum may overwrite either.
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
#[non_exhaustive]
#[allow(missing_docs)] // fields: the variant says what they are
pub enum WriteError {
    /// A layer, from 0, breaks a rule.
    Layer { layer: usize, what: &'static str },
    /// The network as a whole does.
    Network { what: &'static str },
    /// The output slice has too few bytes.
    Space { expected: usize, got: usize },
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
