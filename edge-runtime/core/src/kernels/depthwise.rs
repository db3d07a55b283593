//! Depthwise convolution: every channel has a small kernel of its own.

use super::call::{ConvParams, RowCall};
use super::layout::{self, tap_bytes};
use super::rows::{MAX_KERNEL_ROWS, NO_ROWS, Rows};
use super::{Kernels, RequantParams, Shape, ShapeMismatch, Weights, Window, scalar};

/// The numbers of a depthwise convolution.
#[derive(Clone, Copy, Debug)]
pub struct Depthwise<'a>(ConvParams<'a>);

/// Where a depthwise convolution reads and writes.
#[derive(Debug)]
pub enum Places<'a> {
    /// Two places in memory.
    Apart(&'a [u8], &'a mut [u8]),
    /// The output overwrites the input from its beginning.
    Same(&'a mut [u8]),
}

impl<'a> Depthwise<'a> {
    /// Whether the window's rows can be held.
    pub fn covers(window: &Window) -> bool {
        window.kernel[0] <= MAX_KERNEL_ROWS && window.kernel[1] <= MAX_KERNEL_ROWS
    }

    /// Over a value of `shape`; weights as taps (see [`layout`]). `x_zero` fills the padding.
    pub fn new(
        shape: Shape,
        window: Window,
        weights: Weights<'a>,
        channels: RequantParams<'a>,
        x_zero: u8,
    ) -> Result<Self, ShapeMismatch> {
        let wrong = ShapeMismatch { what: "numbers of a depthwise convolution" };
        let [height, width] = window.output(shape.height, shape.width).ok_or(wrong)?;
        let output = Shape { height, width, ..shape };
        let sizes = [shape.checked_bytes(), output.checked_bytes(), Self::scratch(&shape, &window)];
        let fits = Some(weights.values.len()) == tap_bytes(shape.channels, window.kernel)
            && channels.bias().len() == layout::padded(shape.channels);
        if !fits || !Self::covers(&window) || sizes.contains(&None) {
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
            short: channels.short(window.kernel[0] * window.kernel[1]),
        }))
    }

    /// Size of the output.
    pub fn output(&self) -> Shape {
        self.0.output
    }

    /// Bytes of scratch memory that [`Depthwise::run`] needs; none above
    /// [`MAX_BYTES`](super::MAX_BYTES).
    pub fn scratch(shape: &Shape, window: &Window) -> Option<usize> {
        Rows::bytes(shape, window)
    }

    /// Whether the output may overwrite the input: it must never grow past the rows that were
    /// copied.
    pub fn in_place(shape: &Shape, window: &Window) -> bool {
        let Some([_, width]) = window.output(shape.height, shape.width) else { return false };
        width <= shape.width && window.spans()[0] > window.before[0]
    }

    /// Computes the whole output.
    ///
    /// # Errors
    /// [`ShapeMismatch`] where a slice is shorter than its shape, or the places are the same and
    /// may not be.
    pub fn run(
        &self,
        kernels: &Kernels,
        mut places: Places,
        scratch: &mut [u8],
    ) -> Result<(), ShapeMismatch> {
        let wrong = ShapeMismatch { what: "input and output of a depthwise convolution" };
        if matches!(places, Places::Same(_)) && !Self::in_place(&self.0.shape, &self.0.window) {
            return Err(ShapeMismatch { what: "two places for a depthwise convolution" });
        }
        let (row, out_row) = (self.0.shape.row_bytes(), self.0.output.row_bytes());
        let span = self.0.window.spans()[1] * self.0.shape.channels;
        let fast = self.is_three_by_three();
        let flip = if fast && self.0.shape.channels >= kernels.signed_from { 0x80 } else { 0 };
        let mut rows = Rows::new(scratch, self.0.shape, self.0.window, self.0.x_zero, flip)?;
        for at in 0..self.0.output.height {
            let x: &[u8] = match &places {
                Places::Apart(x, _) => x,
                Places::Same(both) => both,
            };
            let x = x.get(..self.0.shape.bytes()).ok_or(wrong)?;
            rows.advance(at, |line| x.get(line * row..(line + 1) * row))?;
            let y: &mut [u8] = match &mut places {
                Places::Apart(_, y) => y,
                Places::Same(both) => both,
            };
            let y = y.get_mut(at * out_row..(at + 1) * out_row).ok_or(wrong)?;
            let mut taps = NO_ROWS;
            let call = RowCall::new(&self.0, span, rows.taps(at, &mut taps)?, y)?;
            if fast { (kernels.depthwise)(call) } else { scalar::depthwise(call) }
        }
        Ok(())
    }

    /// The form that row kernels other than the scalar one cover: the one that networks have.
    fn is_three_by_three(&self) -> bool {
        self.0.window.kernel == [3, 3] && self.0.window.dilation[1] == 1 && self.0.window.stride[1] <= 2
    }
}
