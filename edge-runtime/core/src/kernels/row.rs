//! What the convolutions over padded rows share: their numbers, and the checked call for one output
//! row that their row kernels take.

use super::{RequantParams, Shape, ShapeMismatch, Window};

#[derive(Clone, Copy, Debug)]
pub(super) struct ConvParams<'a> {
    pub shape: Shape,
    pub window: Window,
    pub output: Shape,
    pub weights: &'a [i8],
    pub channels: RequantParams<'a>,
    /// What padding is filled with.
    pub x_zero: u8,
}

/// A checked call: every row holds the last window. That is what a row kernel's unsafe code relies
/// on.
pub struct Call<'a> {
    numbers: &'a ConvParams<'a>,
    rows: &'a [&'a [u8]],
    y: &'a mut [u8],
}

impl<'a> Call<'a> {
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
        self.numbers.weights
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
