//! Convolution of any window and groups: the window of a few pixels is gathered (im2col), then it
//! is a pointwise one.

use super::layout::{self, block_bytes};
use super::pointwise::Pointwise;
use super::size::product;
use super::{Kernels, RequantParams, Shape, ShapeMismatch, Weights, Window};
use core::num::NonZeroUsize;

/// Pixels that are gathered before the matrix is gone through.
const PIXELS: usize = 16;

/// The numbers of a convolution.
#[derive(Clone, Copy, Debug)]
pub struct Convolution<'a> {
    shape: Shape,
    window: Window,
    groups: usize,
    /// Input channels of a group.
    inputs: NonZeroUsize,
    /// Inputs of one output.
    depth: NonZeroUsize,
    /// Output channels of a group.
    outputs: usize,
    output: Shape,
    /// Columns of the output.
    width: NonZeroUsize,
    /// All groups' outputs, each group's rounded up to whole blocks, one after the other.
    matrix: Pointwise<'a>,
    x_zero: u8,
}

impl<'a> Convolution<'a> {
    /// Inputs of one output: kernel rows times kernel columns times channels of a group; none above
    /// [`MAX_BYTES`](super::MAX_BYTES) or without groups.
    pub fn fan_in(shape: &Shape, window: &Window, groups: usize) -> Option<usize> {
        product(&[window.kernel[0], window.kernel[1], shape.channels.checked_div(groups)?])
    }

    /// Rows of the packed matrix: outputs of a group rounded up to whole blocks, times groups.
    pub const fn padded_outputs(outputs: usize, groups: usize) -> usize {
        layout::padded(outputs / groups).saturating_mul(groups)
    }

    /// Bytes of the weights; none above [`MAX_BYTES`](super::MAX_BYTES).
    pub fn weight_bytes(shape: &Shape, window: &Window, outputs: usize, groups: usize) -> Option<usize> {
        block_bytes(Self::padded_outputs(outputs, groups), Self::fan_in(shape, window, groups)?)
    }

    /// `outputs` channels in `groups`; output `o` of group `g` is row `g * padded(outputs / groups)
    /// + o` of the packed matrix and of `channels`. `x_zero` fills the padding.
    ///
    /// # Errors
    /// [`ShapeMismatch`] where groups do not divide the channels, the window does not fit, or
    /// numbers have another length.
    pub fn new(
        shape: Shape,
        window: Window,
        outputs: usize,
        groups: usize,
        weights: Weights<'a>,
        channels: RequantParams<'a>,
        x_zero: u8,
    ) -> Result<Self, ShapeMismatch> {
        let wrong = ShapeMismatch { what: "numbers of a convolution" };
        let [height, width] = window.output(shape.height, shape.width).ok_or(wrong)?;
        if groups == 0
            || outputs == 0
            || !shape.channels.is_multiple_of(groups)
            || !outputs.is_multiple_of(groups)
        {
            return Err(wrong);
        }
        let output = Shape { height, width, channels: outputs };
        let sizes = [shape.checked_bytes(), output.checked_bytes(), Self::scratch(&shape, &window, groups)];
        if sizes.contains(&None) {
            return Err(wrong);
        }
        let padded = Self::padded_outputs(outputs, groups);
        let some = |n| NonZeroUsize::new(n).ok_or(wrong);
        let depth = some(Self::fan_in(&shape, &window, groups).ok_or(wrong)?)?;
        Ok(Self {
            shape,
            window,
            groups,
            inputs: some(shape.channels / groups)?,
            depth,
            outputs: outputs / groups,
            output,
            width: some(width)?,
            matrix: Pointwise::new(depth.get(), padded, weights, channels)?,
            x_zero,
        })
    }

    /// Size of the output.
    pub fn output(&self) -> Shape {
        self.output
    }

    /// Bytes of scratch memory that [`Convolution::run`] needs; none above
    /// [`MAX_BYTES`](super::MAX_BYTES).
    pub fn scratch(shape: &Shape, window: &Window, groups: usize) -> Option<usize> {
        product(&[PIXELS, Self::fan_in(shape, window, groups)?])
    }

    /// Computes the whole output.
    pub fn run(
        &self,
        kernels: &Kernels,
        x: &[u8],
        y: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), ShapeMismatch> {
        let wrong = ShapeMismatch { what: "input, output and scratch memory of a convolution" };
        let depth = self.depth.get();
        let x = x.get(..self.shape.bytes()).ok_or(wrong)?;
        let y = y.get_mut(..self.output.bytes()).ok_or(wrong)?;
        let scratch = scratch.get_mut(..PIXELS * depth).ok_or(wrong)?;
        let (outputs, all) = (self.outputs, self.output.channels);
        for group in 0..self.groups {
            let matrix = self.matrix.part(group * layout::padded(outputs), outputs)?;
            for first in (0..self.output.positions()).step_by(PIXELS) {
                let count = PIXELS.min(self.output.positions() - first);
                for (pixel, row) in scratch.chunks_exact_mut(depth).enumerate().take(count) {
                    self.gather(x, first + pixel, group, row)?;
                }
                let gathered = scratch.get(..count * depth).ok_or(wrong)?;
                let at = first * all + group * outputs;
                matrix.run(kernels, gathered, depth, y.get_mut(at..).ok_or(wrong)?, all)?;
            }
        }
        Ok(())
    }

    /// Copies the window of one output pixel side by side; what of it lies outside of the input is
    /// padding.
    fn gather(&self, x: &[u8], pixel: usize, group: usize, to: &mut [u8]) -> Result<(), ShapeMismatch> {
        let wrong = ShapeMismatch { what: "the window of a convolution" };
        let channels = self.inputs.get();
        let (row, column) = (pixel / self.width, pixel % self.width);
        let mut segments = to.chunks_exact_mut(channels);
        for ky in 0..self.window.kernel[0] {
            let y = row * self.window.stride[0] + ky * self.window.dilation[0];
            let y = y.checked_sub(self.window.before[0]).filter(|&y| y < self.shape.height);
            for kx in 0..self.window.kernel[1] {
                let segment = segments.next().ok_or(wrong)?;
                let at = column * self.window.stride[1] + kx * self.window.dilation[1];
                let at = at.checked_sub(self.window.before[1]).filter(|&x| x < self.shape.width);
                let Some((y, at)) = y.zip(at) else {
                    segment.fill(self.x_zero);
                    continue;
                };
                let start = (y * self.shape.width + at) * self.shape.channels + group * channels;
                match x.get(start..start + channels) {
                    Some(from) if from.len() == segment.len() => segment.copy_from_slice(from),
                    _ => return Err(wrong),
                }
            }
        }
        Ok(())
    }
}
