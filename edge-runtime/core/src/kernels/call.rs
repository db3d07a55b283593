//! What an operator hands to a row kernel: a checked call. Its constructor has refused every slice
//! that is too short, and that is what a row kernel's unsafe code relies on.

use super::params::{RequantParams, ShapeMismatch};
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
use super::weights::WeightBits;
use super::weights::Weights;
use super::window::{Shape, Window};

/// The numbers of a convolution over padded rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConvParams<'a> {
    pub shape: Shape,
    pub window: Window,
    pub output: Shape,
    pub weights: Weights<'a>,
    pub channels: RequantParams<'a>,
    /// What padding is filled with.
    pub x_zero: u8,
    /// Whether [`RequantParams::short`] holds.
    #[cfg(target_arch = "aarch64")]
    pub short: bool,
}

/// One output row of a convolution: every row holds the last window.
pub struct RowCall<'a> {
    numbers: &'a ConvParams<'a>,
    rows: &'a [&'a [u8]],
    y: &'a mut [u8],
}

impl<'a> RowCall<'a> {
    /// `span` is how many bytes of a row the last window needs from its first column on.
    pub(super) fn new(
        numbers: &'a ConvParams<'a>,
        span: usize,
        rows: &'a [&'a [u8]],
        y: &'a mut [u8],
    ) -> Result<Self, ShapeMismatch> {
        let ConvParams { shape, window, output, .. } = numbers;
        // Cannot wrap: it is at most a padded row, whose size the operator's constructor has checked.
        let needed = (output.width - 1) * window.stride[1] * shape.channels + span;
        if rows.len() == window.kernel[0]
            && rows.iter().all(|row| row.len() >= needed)
            && y.len() == output.row_bytes()
        {
            Ok(Self { numbers, rows, y })
        } else {
            Err(ShapeMismatch { what: "rows of a convolution" })
        }
    }

    /// Pixels of the output row, 1 or more.
    pub fn pixels(&self) -> usize {
        self.numbers.output.width
    }

    /// Columns from one window to the next; 1 or 2 in a depthwise convolution for kernels other
    /// than the scalar one.
    pub fn stride(&self) -> usize {
        self.numbers.window.stride[1]
    }

    /// Columns from one tap to the next; 1 but for the scalar depthwise kernel.
    pub fn dilation(&self) -> usize {
        self.numbers.window.dilation[1]
    }

    /// Kernel rows and columns; 3 x 3 in a depthwise convolution for kernels other than the scalar
    /// one.
    pub fn kernel(&self) -> [usize; 2] {
        self.numbers.window.kernel
    }

    /// Output channels; in a depthwise convolution those of the input too.
    pub fn outputs(&self) -> usize {
        self.numbers.output.channels
    }

    /// Weights: in blocks, the inputs four columns a kernel row, or in a depthwise convolution as
    /// taps.
    pub fn weights(&self) -> &'a [i8] {
        self.numbers.weights.values
    }

    /// Whether no weight has more than 7 bits.
    #[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
    pub fn narrow(&self) -> bool {
        self.numbers.weights.bits == WeightBits::Seven
    }

    /// Whether steps of the output fit 16 bits.
    #[cfg(target_arch = "aarch64")]
    pub fn short(&self) -> bool {
        self.numbers.short
    }

    /// Bias, multiplier, zero point.
    pub fn channels(&self) -> &'a RequantParams<'a> {
        &self.numbers.channels
    }

    /// The rows under the kernel and the output row of `pixels * outputs` bytes. Over one channel
    /// each row has at least `(pixels - 1) * stride + 4` bytes, in a 3 x 3 depthwise
    /// convolution `((pixels - 1) * stride + 3) * outputs`.
    pub fn slices(&mut self) -> (&'a [&'a [u8]], &mut [u8]) {
        (self.rows, self.y)
    }
}

/// The numbers of a pointwise convolution.
#[derive(Clone, Copy, Debug)]
pub(super) struct MatrixParams<'a> {
    /// Input channels of a pixel that count.
    pub depth: usize,
    pub outputs: usize,
    /// In blocks, see [`layout`](super::layout).
    pub weights: Weights<'a>,
    pub channels: RequantParams<'a>,
    /// Whether [`RequantParams::short`] holds.
    #[cfg(target_arch = "aarch64")]
    pub short: bool,
}

/// Pixels times a matrix: every pixel lies within `x` and `y`.
pub struct PointwiseCall<'a> {
    op: &'a MatrixParams<'a>,
    x: &'a [u8],
    x_stride: usize,
    y: &'a mut [u8],
    y_stride: usize,
    pixels: usize,
}

impl<'a> PointwiseCall<'a> {
    pub(super) fn new(
        op: &'a MatrixParams<'a>,
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

    /// Bytes from one input pixel to the next, at least [`PointwiseCall::depth`].
    pub fn x_stride(&self) -> usize {
        self.x_stride
    }

    /// Bytes from one output pixel to the next, at least [`PointwiseCall::outputs`].
    pub fn y_stride(&self) -> usize {
        self.y_stride
    }

    /// Input channels that count.
    pub fn depth(&self) -> usize {
        self.op.depth
    }

    /// Output channels of a pixel.
    pub fn outputs(&self) -> usize {
        self.op.outputs
    }

    /// Weights in blocks, see [`layout`](super::layout).
    pub fn weights(&self) -> &'a [i8] {
        self.op.weights.values
    }

    /// Whether no weight has more than 7 bits.
    #[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
    pub fn narrow(&self) -> bool {
        self.op.weights.bits == WeightBits::Seven
    }

    /// Whether steps of the output fit 16 bits.
    #[cfg(target_arch = "aarch64")]
    pub fn short(&self) -> bool {
        self.op.short
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

/// An addition: both slices have one length.
pub struct AddCall<'a> {
    pub(super) x: &'a [u8],
    pub(super) y: &'a mut [u8],
    pub(super) zero: u8,
}

impl AddCall<'_> {
    /// The common zero point.
    pub fn zero(&self) -> u8 {
        self.zero
    }

    /// What is added, and what it is added to; of one length.
    pub fn slices(&mut self) -> (&[u8], &mut [u8]) {
        (self.x, self.y)
    }
}

/// Sums over positions: `x` is whole positions of `sums.len()` channels.
pub struct SumsCall<'a> {
    pub(super) x: &'a [u8],
    pub(super) sums: &'a mut [u32],
}

impl SumsCall<'_> {
    /// Bytes of all positions, and their sums.
    pub fn slices(&mut self) -> (&[u8], &mut [u32]) {
        (self.x, self.sums)
    }
}

/// A part of a slice of which a `Call`'s constructor has proved that it is there. Were it not, it
/// would be empty: that keeps panics out of the linked program, and is no silent answer, because
/// tests are built with the assertion and the suite compares every byte of every set.
#[inline(always)]
pub(super) fn proven<T>(slice: &[T], part: impl core::slice::SliceIndex<[T], Output = [T]>) -> &[T] {
    let part = slice.get(part);
    debug_assert!(part.is_some(), "a `Call` that proves too little");
    part.unwrap_or(&[])
}
