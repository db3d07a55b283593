//! Pointwise convolution: every pixel's channels times a matrix. Also the inner loop of every
//! convolution that gathers its window first.

use super::layout::{self, block_bytes};
use super::{Kernels, RequantParams, ShapeMismatch};

/// The numbers of a pointwise convolution.
#[derive(Clone, Copy, Debug)]
pub struct Pointwise<'a> {
    depth: usize,
    outputs: usize,
    weights: &'a [i8],
    channels: RequantParams<'a>,
}

impl<'a> Pointwise<'a> {
    /// `outputs` channels from `depth` ones; weights in blocks (see [`layout`]).
    pub fn new(
        depth: usize,
        outputs: usize,
        weights: &'a [i8],
        channels: RequantParams<'a>,
    ) -> Result<Self, ShapeMismatch> {
        let fits = depth > 0 && outputs > 0 && Some(weights.len()) == block_bytes(outputs, depth);
        if fits && channels.bias().len() == layout::padded(outputs) {
            Ok(Self { depth, outputs, weights, channels })
        } else {
            Err(ShapeMismatch { what: "weights of a pointwise convolution" })
        }
    }

    /// Computes as many pixels as `x` holds: pixel `p` is read at `p * x_stride` and written at `p
    /// * y_stride`.
    ///
    /// # Errors
    /// [`ShapeMismatch`] where a stride is shorter than a pixel or `y` does not hold as many
    /// pixels.
    pub fn run(
        &self,
        kernels: &Kernels,
        x: &[u8],
        x_stride: usize,
        y: &mut [u8],
        y_stride: usize,
    ) -> Result<(), ShapeMismatch> {
        (kernels.pointwise)(Call::new(self, x, x_stride, y, y_stride)?);
        Ok(())
    }

    /// The same for some of the outputs, beginning at a multiple of [`layout::BLOCK`].
    pub(crate) fn part(&self, first: usize, outputs: usize) -> Result<Self, ShapeMismatch> {
        let wrong = ShapeMismatch { what: "weights of a group" };
        let from = block_bytes(first, self.depth).ok_or(wrong)?;
        let length = block_bytes(outputs, self.depth).ok_or(wrong)?;
        let weights = self.weights.get(from..).and_then(|rest| rest.get(..length)).ok_or(wrong)?;
        Self::new(self.depth, outputs, weights, self.channels.part(first, outputs)?)
    }
}

/// A checked call: every pixel lies within `x` and `y`. That is what a row kernel's unsafe code
/// relies on.
pub struct Call<'a> {
    op: &'a Pointwise<'a>,
    x: &'a [u8],
    x_stride: usize,
    y: &'a mut [u8],
    y_stride: usize,
    pixels: usize,
}

impl<'a> Call<'a> {
    fn new(
        op: &'a Pointwise<'a>,
        x: &'a [u8],
        x_stride: usize,
        y: &'a mut [u8],
        y_stride: usize,
    ) -> Result<Self, ShapeMismatch> {
        let pixels = pixels(x.len(), x_stride, op.depth);
        match (pixels, pixels.and_then(|p| y_stride.checked_mul(p.checked_sub(1)?))) {
            (Some(pixels), Some(last))
                if y_stride >= op.outputs && y.len() >= last.saturating_add(op.outputs) =>
            {
                Ok(Self { op, x, x_stride, y, y_stride, pixels })
            }
            _ => Err(ShapeMismatch { what: "pixels of a pointwise convolution" }),
        }
    }

    /// Pixels, 1 or more.
    pub fn pixels(&self) -> usize {
        self.pixels
    }

    /// Bytes from one input pixel to the next, at least [`Call::depth`].
    pub fn x_stride(&self) -> usize {
        self.x_stride
    }

    /// Bytes from one output pixel to the next, at least [`Call::outputs`].
    pub fn y_stride(&self) -> usize {
        self.y_stride
    }

    /// Input channels that count.
    pub fn depth(&self) -> usize {
        self.op.depth
    }

    /// Output channels.
    pub fn outputs(&self) -> usize {
        self.op.outputs
    }

    /// Weights in blocks.
    pub fn weights(&self) -> &'a [i8] {
        self.op.weights
    }

    /// Bias, multiplier, zero point.
    pub fn channels(&self) -> &'a RequantParams<'a> {
        &self.op.channels
    }

    /// Input, output: `pixels` pixels at their strides, the last one without what follows it.
    pub fn slices(&mut self) -> (&'a [u8], &mut [u8]) {
        (self.x, self.y)
    }
}

/// How many pixels of `depth` bytes lie in `bytes` at distances of `stride`.
fn pixels(bytes: usize, stride: usize, depth: usize) -> Option<usize> {
    if stride < depth {
        return None;
    }
    Some(bytes.checked_sub(depth)?.checked_div(stride)? + 1)
}
