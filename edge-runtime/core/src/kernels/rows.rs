//! Padded rows: the one place where padding happens.
//!
//! A convolution with a window of several rows reads them from a small ring of copies, each with its padding to the left and right
//! already in place; rows above and below the picture are rows of padding. So the kernels know no borders, and an output row may
//! overwrite the very input that it came from.

use super::{Misfit, Shape, Window};

/// Tallest kernel whose rows can be held.
pub const MAX_KERNEL_ROWS: usize = 16;

/// A ring of padded rows in memory that the caller gives.
pub(crate) struct Rows<'a> {
    memory: &'a mut [u8],
    shape: Shape,
    window: Window,
    /// Bytes of one padded row.
    row: usize,
    /// Rows that the ring holds: as many as the kernel spans.
    span: usize,
    /// Next input row to be copied in, counted from the first row of padding above.
    next: usize,
    zero: u8,
}

/// Bytes of one padded row; never less than one step of weights needs beyond the last window.
fn row_bytes(shape: &Shape, window: &Window) -> usize {
    let columns = shape.width + window.before[1] + window.after[1];
    columns * shape.channels + super::layout::DEPTH
}

impl<'a> Rows<'a> {
    /// Bytes of memory that [`Rows::new`] needs.
    pub fn bytes(shape: &Shape, window: &Window) -> usize {
        row_bytes(shape, window) * window.span(0)
    }

    /// An empty ring over an input of that shape; `zero` is what padding is filled with.
    pub fn new(memory: &'a mut [u8], shape: Shape, window: Window, zero: u8) -> Result<Self, Misfit> {
        let (row, span) = (row_bytes(&shape, &window), window.span(0));
        if memory.len() < row * span || window.kernel[0] > MAX_KERNEL_ROWS || shape.bytes() == 0 {
            return Err(Misfit { what: "scratch memory" });
        }
        let ring = memory.get_mut(..row * span).unwrap_or_default();
        ring.fill(zero);
        Ok(Self { memory: ring, shape, window, row, span, next: 0, zero })
    }

    /// Copies in what the output row needs, in order of output rows. `input(y)` gives row `y` of the input.
    pub fn advance<'i>(&mut self, output_row: usize, input: impl Fn(usize) -> Option<&'i [u8]>) {
        let end = output_row * self.window.stride[0] + self.span;
        // Rows that a large stride jumps over are never read.
        self.next = self.next.max(end - self.span);
        while self.next < end {
            let inside = self.next.checked_sub(self.window.before[0]).filter(|&y| y < self.shape.height);
            let slot = self.slot(self.next);
            if let Some(to) = self.memory.get_mut(slot..slot + self.row) {
                let left = self.window.before[1] * self.shape.channels;
                match inside.and_then(&input) {
                    // The padding around it is there since the ring was made.
                    Some(from) => {
                        if let Some(middle) = to.get_mut(left..left + from.len()) {
                            middle.copy_from_slice(from);
                        }
                    }
                    None => to.fill(self.zero),
                }
            }
            self.next += 1;
        }
    }

    /// Where a row of the padded input lies in the ring.
    fn slot(&self, y: usize) -> usize {
        y.checked_rem(self.span).unwrap_or(0) * self.row
    }

    /// The rows under the kernel's rows for an output row that was advanced to; as many as the kernel has.
    pub fn taps(&self, output_row: usize) -> ([&[u8]; MAX_KERNEL_ROWS], usize) {
        let mut taps: [&[u8]; MAX_KERNEL_ROWS] = [&[]; MAX_KERNEL_ROWS];
        let count = self.window.kernel[0];
        let mut slot = self.slot(output_row * self.window.stride[0]);
        for tap in taps.iter_mut().take(count) {
            *tap = self.memory.get(slot..slot + self.row).unwrap_or(&[]);
            slot += self.window.dilation[0] * self.row;
            if slot >= self.span * self.row {
                slot -= self.span * self.row;
            }
        }
        (taps, count)
    }
}
