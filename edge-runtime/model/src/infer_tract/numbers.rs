//! The numbers of one QLinearConv as edge-core's kernels read them, packed once when a model is
//! loaded.

use edge_core::kernels::convolution::Convolution;
use edge_core::kernels::depthwise::{Depthwise, Places};
use edge_core::kernels::pointwise::Pointwise;
use edge_core::kernels::single_channel::SingleChannelConv;
use edge_core::kernels::{Kernels, RequantParams, Shape, ShapeMismatch, WeightBits, Weights, Window};

/// Which of edge-core's operators computes a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Every pixel's channels times a matrix.
    Pointwise,
    SingleChannel,
    /// A small kernel for each channel.
    Depthwise,
    General,
}

/// Flipping this bit turns signed bytes into unsigned ones of the same order, and back.
pub const SIGN: u8 = 0x80;

/// A convolution over some pictures whose bytes may be signed.
#[derive(Debug)]
pub struct Batch {
    pub numbers: PackedConvolution,
    pub pictures: usize,
    /// The input is signed: the kernels read `q ^ 0x80`, with zero point plus 128.
    pub x_signed: bool,
    pub y_signed: bool,
}

impl Batch {
    /// Bytes of scratch memory for [`Batch::run`].
    pub fn scratch(&self) -> usize {
        self.numbers.scratch() + if self.x_signed { self.numbers.shape.bytes() } else { 0 }
    }

    /// Computes all pictures, NHWC.
    pub fn run(
        &self,
        kernels: &Kernels,
        x: &[u8],
        y: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), ShapeMismatch> {
        let wrong = ShapeMismatch { what: "pictures and scratch memory" };
        let (x_bytes, y_bytes) = (self.numbers.shape.bytes(), self.numbers.output.bytes());
        if x.len() != self.pictures * x_bytes || y.len() != self.pictures * y_bytes {
            return Err(wrong);
        }
        let (scratch, unsigned) = scratch.split_at_mut_checked(self.numbers.scratch()).ok_or(wrong)?;
        for (x, y) in x.chunks_exact(x_bytes).zip(y.chunks_exact_mut(y_bytes)) {
            if self.x_signed {
                unsigned.iter_mut().zip(x).for_each(|(to, &q)| *to = q ^ SIGN);
                self.numbers.run(kernels, unsigned, y, scratch)?;
            } else {
                self.numbers.run(kernels, x, y, scratch)?;
            }
            if self.y_signed {
                y.iter_mut().for_each(|q| *q ^= SIGN);
            }
        }
        Ok(())
    }
}

/// One convolution of one picture of unsigned bytes, ready to be computed.
#[derive(Debug)]
pub struct PackedConvolution {
    pub form: Form,
    pub shape: Shape,
    pub window: Window,
    pub groups: usize,
    pub output: Shape,
    /// Rows of the packed matrix: channels of the output, rounded up in every group for
    /// [`Form::General`].
    pub rows: usize,
    pub weights: Vec<i8>,
    /// What [`WeightBits::of`] finds in them.
    pub weight_bits: WeightBits,
    pub bias: Vec<i32>,
    pub signed_bias: Vec<i32>,
    pub multiplier: Vec<f32>,
    pub x_zero: u8,
    pub y_zero: u8,
}

impl PackedConvolution {
    /// Bytes of scratch memory for [`PackedConvolution::run`]; 0 for an operator that is too large,
    /// which its constructor refuses.
    fn scratch(&self) -> usize {
        let bytes = match self.form {
            Form::Pointwise => Some(0),
            Form::SingleChannel => SingleChannelConv::scratch(&self.shape, &self.window),
            Form::Depthwise => Depthwise::scratch(&self.shape, &self.window),
            Form::General => Convolution::scratch(&self.shape, &self.window, self.groups),
        };
        bytes.unwrap_or(0)
    }

    fn run(
        &self,
        kernels: &Kernels,
        x: &[u8],
        y: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), ShapeMismatch> {
        let Self { shape, window, groups, x_zero, .. } = self;
        let weights = Weights { values: &self.weights, bits: self.weight_bits };
        let outputs = self.output.channels;
        let channels =
            RequantParams::new(self.rows, &self.bias, &self.signed_bias, &self.multiplier, self.y_zero)?;
        match self.form {
            Form::Pointwise => {
                let op = Pointwise::new(shape.channels, outputs, weights, channels)?;
                op.run(kernels, x, shape.channels, y, outputs)
            }
            Form::SingleChannel => {
                SingleChannelConv::new(*shape, *window, outputs, weights, channels, *x_zero)?
                    .run(kernels, x, y, scratch)
            }
            Form::Depthwise => Depthwise::new(*shape, *window, weights, channels, *x_zero)?.run(
                kernels,
                Places::Apart(x, y),
                scratch,
            ),
            Form::General => Convolution::new(*shape, *window, outputs, *groups, weights, channels, *x_zero)?
                .run(kernels, x, y, scratch),
        }
    }
}
