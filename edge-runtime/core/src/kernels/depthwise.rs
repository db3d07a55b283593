//! Depthwise convolution: every channel has a small kernel of its own.

use super::layout::{self, tap_bytes};
use super::rows::{MAX_KERNEL_ROWS, Rows};
use super::{Channels, Kernels, Misfit, Shape, Window, scalar};

/// The numbers of a depthwise convolution.
#[derive(Clone, Copy, Debug)]
pub struct Depthwise<'a> {
    shape: Shape,
    window: Window,
    output: Shape,
    weights: &'a [i8],
    channels: Channels<'a>,
    x_zero: u8,
}

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
    ///
    /// # Errors
    /// [`Misfit`] where the window does not fit or numbers have another length.
    pub fn new(
        shape: Shape,
        window: Window,
        weights: &'a [i8],
        channels: Channels<'a>,
        x_zero: u8,
    ) -> Result<Self, Misfit> {
        let wrong = Misfit { what: "numbers of a depthwise convolution" };
        let [height, width] = window.output(shape.height, shape.width).ok_or(wrong)?;
        let fits = weights.len() == tap_bytes(shape.channels, window.kernel)
            && channels.bias().len() == layout::padded(shape.channels);
        if !fits || !Self::covers(&window) || shape.channels == 0 {
            return Err(wrong);
        }
        Ok(Self { shape, window, output: Shape { height, width, ..shape }, weights, channels, x_zero })
    }

    /// Size of the output.
    pub fn output(&self) -> Shape {
        self.output
    }

    /// Bytes of scratch memory that [`Depthwise::run`] needs.
    pub fn scratch(shape: &Shape, window: &Window) -> usize {
        Rows::bytes(shape, window)
    }

    /// Whether the output may overwrite the input: it must never grow past the rows that were copied.
    pub fn in_place(shape: &Shape, window: &Window) -> bool {
        let Some([_, width]) = window.output(shape.height, shape.width) else { return false };
        width <= shape.width && window.span(0) > window.before[0]
    }

    /// Computes the whole output.
    ///
    /// # Errors
    /// [`Misfit`] where a slice is shorter than its shape, or the places are the same and may not be.
    pub fn run(&self, kernels: &Kernels, mut places: Places, scratch: &mut [u8]) -> Result<(), Misfit> {
        let wrong = Misfit { what: "input and output of a depthwise convolution" };
        if matches!(places, Places::Same(_)) && !Self::in_place(&self.shape, &self.window) {
            return Err(Misfit { what: "two places for a depthwise convolution" });
        }
        let (row, out_row) = (self.shape.row_bytes(), self.output.row_bytes());
        let mut rows = Rows::new(scratch, self.shape, self.window, self.x_zero)?;
        for at in 0..self.output.height {
            let x: &[u8] = match &places {
                Places::Apart(x, _) => x,
                Places::Same(both) => both,
            };
            let x = x.get(..self.shape.bytes()).ok_or(wrong)?;
            rows.advance(at, |line| x.get(line * row..(line + 1) * row));
            let y: &mut [u8] = match &mut places {
                Places::Apart(_, y) => y,
                Places::Same(both) => both,
            };
            let y = y.get_mut(at * out_row..(at + 1) * out_row).ok_or(wrong)?;
            let (taps, count) = rows.taps(at);
            let call = Call::new(self, taps.get(..count).unwrap_or(&[]), y)?;
            if self.is_three_by_three() { (kernels.depthwise)(call) } else { scalar::depthwise(call) }
        }
        Ok(())
    }

    /// The form that row kernels other than the scalar one cover: the one that networks have.
    fn is_three_by_three(&self) -> bool {
        self.window.kernel == [3, 3] && self.window.dilation[1] == 1 && self.window.stride[1] <= 2
    }
}

/// A checked call for one output row: every row holds the last window.
pub struct Call<'a> {
    op: &'a Depthwise<'a>,
    rows: &'a [&'a [u8]],
    y: &'a mut [u8],
}

impl<'a> Call<'a> {
    fn new(op: &'a Depthwise<'a>, rows: &'a [&'a [u8]], y: &'a mut [u8]) -> Result<Self, Misfit> {
        let columns = (op.output.width - 1) * op.window.stride[1] + op.window.span(1);
        let needed = columns * op.shape.channels;
        if rows.len() == op.window.kernel[0]
            && rows.iter().all(|row| row.len() >= needed)
            && y.len() == op.output.row_bytes()
        {
            Ok(Self { op, rows, y })
        } else {
            Err(Misfit { what: "rows of a depthwise convolution" })
        }
    }

    /// Pixels of the output row, 1 or more.
    pub fn pixels(&self) -> usize {
        self.op.output.width
    }

    /// Columns from one window to the next; 1 or 2 for kernels other than the scalar one.
    pub fn stride(&self) -> usize {
        self.op.window.stride[1]
    }

    /// Columns from one tap to the next; 1 for kernels other than the scalar one.
    pub fn dilation(&self) -> usize {
        self.op.window.dilation[1]
    }

    /// Kernel rows and columns; 3 x 3 for kernels other than the scalar one.
    pub fn kernel(&self) -> [usize; 2] {
        self.op.window.kernel
    }

    /// Channels, of input and output.
    pub fn count(&self) -> usize {
        self.op.shape.channels
    }

    /// Weights as taps.
    pub fn weights(&self) -> &'a [i8] {
        self.op.weights
    }

    /// Bias, multiplier, zero point.
    pub fn channels(&self) -> &'a Channels<'a> {
        &self.op.channels
    }

    /// The rows under the kernel, each of at least `((pixels - 1) * stride + 3) * count` bytes for a 3 x 3 kernel, and the
    /// output row of `pixels * count` bytes.
    pub fn slices(&mut self) -> (&'a [&'a [u8]], &mut [u8]) {
        (self.rows, self.y)
    }
}
