//! Pointwise convolution: every pixel's channels times a matrix. Also the inner loop of every
//! convolution that gathers its window first.

use super::call::{MatrixParams, PointwiseCall};
use super::dispatch::Kernels;
use super::layout::{self, block_bytes};
use super::params::{RequantParams, ShapeMismatch};
use super::weights::Weights;

/// The numbers of a pointwise convolution.
#[derive(Clone, Copy, Debug)]
pub struct Pointwise<'a>(MatrixParams<'a>);

impl<'a> Pointwise<'a> {
    /// `outputs` channels from `depth` ones; weights in blocks (see [`layout`]).
    pub fn new(
        depth: usize,
        outputs: usize,
        weights: Weights<'a>,
        channels: RequantParams<'a>,
    ) -> Result<Self, ShapeMismatch> {
        let fits = depth > 0 && outputs > 0 && Some(weights.values.len()) == block_bytes(outputs, depth);
        if fits && channels.bias().len() == layout::padded(outputs) {
            Ok(Self(MatrixParams {
                depth,
                outputs,
                weights,
                channels,
                #[cfg(target_arch = "aarch64")]
                short: channels.short(depth),
            }))
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
        (kernels.pointwise)(PointwiseCall::new(&self.0, x, x_stride, y, y_stride)?);
        Ok(())
    }

    /// The same for some of the outputs, beginning at a multiple of [`layout::BLOCK`].
    pub(crate) fn part(&self, first: usize, outputs: usize) -> Result<Self, ShapeMismatch> {
        let wrong = ShapeMismatch { what: "weights of a group" };
        let from = block_bytes(first, self.0.depth).ok_or(wrong)?;
        let length = block_bytes(outputs, self.0.depth).ok_or(wrong)?;
        let Weights { values, bits } = self.0.weights;
        let values = values.get(from..).and_then(|rest| rest.get(..length)).ok_or(wrong)?;
        Self::new(self.0.depth, outputs, Weights { values, bits }, self.0.channels.part(first, outputs)?)
    }
}
