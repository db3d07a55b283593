//! Convolution over a picture of one channel: the first of the network. Its window lies side by
//! side in each row, so nothing is gathered: every kernel row is one step of four bytes.

use super::call::{ConvParams, RowCall};
use super::layout::{self, DEPTH, block_bytes};
use super::rows::{MAX_KERNEL_ROWS, NO_ROWS, Rows};
use super::{Kernels, RequantParams, Shape, ShapeMismatch, Weights, Window};

/// The numbers of a convolution over one channel.
#[derive(Clone, Copy, Debug)]
pub struct SingleChannelConv<'a>(ConvParams<'a>);

impl<'a> SingleChannelConv<'a> {
    /// Whether a window can be computed this way: up to four columns side by side.
    pub fn covers(shape: &Shape, window: &Window) -> bool {
        shape.channels == 1
            && window.kernel[1] <= DEPTH
            && window.kernel[0] <= MAX_KERNEL_ROWS
            && window.dilation == [1, 1]
    }

    /// `outputs` channels over a picture of `shape`; weights in blocks, input `row * 4 + column`.
    /// `x_zero` fills the padding.
    pub fn new(
        shape: Shape,
        window: Window,
        outputs: usize,
        weights: Weights<'a>,
        channels: RequantParams<'a>,
        x_zero: u8,
    ) -> Result<Self, ShapeMismatch> {
        let wrong = ShapeMismatch { what: "numbers of the first convolution" };
        let [height, width] = window.output(shape.height, shape.width).ok_or(wrong)?;
        let output = Shape { height, width, channels: outputs };
        let sizes = [shape.checked_bytes(), output.checked_bytes(), Self::scratch(&shape, &window)];
        let fits = Some(weights.values.len()) == block_bytes(outputs, window.kernel[0] * DEPTH)
            && channels.bias().len() == layout::padded(outputs);
        if !Self::covers(&shape, &window) || !fits || sizes.contains(&None) {
            return Err(wrong);
        }
        Ok(Self(ConvParams {
            shape,
            window,
            output,
            weights,
            channels,
            x_zero,
            #[cfg(target_arch = "aarch64")]
            short: channels.short(window.kernel[0] * DEPTH),
        }))
    }

    /// Size of the output.
    pub fn output(&self) -> Shape {
        self.0.output
    }

    /// Bytes of scratch memory that [`SingleChannelConv::run`] needs; none above
    /// [`MAX_BYTES`](super::MAX_BYTES).
    pub fn scratch(shape: &Shape, window: &Window) -> Option<usize> {
        Rows::bytes(shape, window)
    }

    /// Computes the whole output.
    pub fn run(
        &self,
        kernels: &Kernels,
        x: &[u8],
        y: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), ShapeMismatch> {
        let mut rows = Rows::new(scratch, self.0.shape, self.0.window, self.0.x_zero, 0)?;
        let row = self.0.shape.row_bytes();
        let wrong = ShapeMismatch { what: "input and output of the first convolution" };
        let (x, y) =
            (x.get(..self.0.shape.bytes()).ok_or(wrong)?, y.get_mut(..self.0.output.bytes()).ok_or(wrong)?);
        for (at, y) in y.chunks_exact_mut(self.0.output.row_bytes().max(1)).enumerate() {
            rows.advance(at, |line| x.get(line * row..(line + 1) * row))?;
            let mut taps = NO_ROWS;
            (kernels.single_channel)(RowCall::new(&self.0, DEPTH, rows.taps(at, &mut taps)?, y)?);
        }
        Ok(())
    }
}
