//! Padded rows: the one place where padding happens.
//!
//! A convolution with a window of several rows reads them from a small ring of copies, each with
//! its padding to the left and right already in place; rows above and below the picture are rows of
//! padding. So the kernels know no borders, and an output row may overwrite the very input that it
//! came from.

use super::size::{product, sum};
use super::{Shape, ShapeMismatch, Window};

/// Tallest kernel whose rows can be held.
pub const MAX_KERNEL_ROWS: usize = 16;

/// Room for the rows under a kernel.
pub(crate) const NO_ROWS: [&[u8]; MAX_KERNEL_ROWS] = [&[]; MAX_KERNEL_ROWS];

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
    /// What every byte is xored with, and what padding then is.
    flip: u8,
    zero: u8,
}

/// Bytes of one padded row; never less than one step of weights needs beyond the last window.
fn row_bytes(shape: &Shape, window: &Window) -> Option<usize> {
    let columns = sum(sum(shape.width, window.before[1])?, window.after[1])?;
    sum(product(&[columns, shape.channels])?, super::layout::DEPTH)
}

impl<'a> Rows<'a> {
    /// Bytes of memory that [`Rows::new`] needs; none above [`MAX_BYTES`](super::MAX_BYTES).
    pub fn bytes(shape: &Shape, window: &Window) -> Option<usize> {
        product(&[row_bytes(shape, window)?, window.spans()[0]])
    }

    /// An empty ring over an input of that shape; `zero` is what padding is filled with, and `flip`
    /// what all bytes are xored with.
    pub fn new(
        memory: &'a mut [u8],
        shape: Shape,
        window: Window,
        zero: u8,
        flip: u8,
    ) -> Result<Self, ShapeMismatch> {
        let zero = zero ^ flip;
        let wrong = ShapeMismatch { what: "scratch memory" };
        let (row, span) = (row_bytes(&shape, &window).ok_or(wrong)?, window.spans()[0]);
        if window.kernel[0] > MAX_KERNEL_ROWS || shape.checked_bytes().is_none() {
            return Err(wrong);
        }
        let ring = memory.get_mut(..Self::bytes(&shape, &window).ok_or(wrong)?).ok_or(wrong)?;
        ring.fill(zero);
        Ok(Self { memory: ring, shape, window, row, span, next: 0, flip, zero })
    }

    /// Copies in what the output row needs, in order of output rows. `input(y)` gives row `y` of
    /// the input.
    ///
    /// # Errors
    /// [`ShapeMismatch`] where `input` does not give a row of the picture, or one of another length
    /// than its rows have.
    pub fn advance<'i>(
        &mut self,
        output_row: usize,
        input: impl Fn(usize) -> Option<&'i [u8]>,
    ) -> Result<(), ShapeMismatch> {
        let wrong = ShapeMismatch { what: "rows of the input" };
        let end = output_row * self.window.stride[0] + self.span;
        // Rows that a large stride jumps over are never read.
        self.next = self.next.max(end - self.span);
        while self.next < end {
            let inside = self.next.checked_sub(self.window.before[0]).filter(|&y| y < self.shape.height);
            let slot = self.slot(self.next)?;
            let to = self.memory.get_mut(slot..slot + self.row).ok_or(wrong)?;
            match inside {
                // The padding around it is there since the ring was made.
                Some(y) => {
                    let (left, length) =
                        (self.window.before[1] * self.shape.channels, self.shape.row_bytes());
                    let middle = to.get_mut(left..left + length).ok_or(wrong)?;
                    match input(y) {
                        Some(from) if from.len() == middle.len() => copy(middle, from, self.flip),
                        _ => return Err(wrong),
                    }
                }
                None => to.fill(self.zero),
            }
            self.next += 1;
        }
        Ok(())
    }

    /// Where a row of the padded input lies in the ring.
    fn slot(&self, y: usize) -> Result<usize, ShapeMismatch> {
        Ok(y.checked_rem(self.span).ok_or(ShapeMismatch { what: "a kernel without rows" })? * self.row)
    }

    /// The rows under the kernel's rows for an output row that was advanced to, in `taps`.
    pub fn taps<'t>(
        &'t self,
        output_row: usize,
        taps: &'t mut [&'t [u8]; MAX_KERNEL_ROWS],
    ) -> Result<&'t [&'t [u8]], ShapeMismatch> {
        let wrong = ShapeMismatch { what: "scratch memory" };
        let taps = taps.get_mut(..self.window.kernel[0]).ok_or(wrong)?;
        let mut slot = self.slot(output_row * self.window.stride[0])?;
        for tap in taps.iter_mut() {
            *tap = self.memory.get(slot..slot + self.row).ok_or(wrong)?;
            slot += self.window.dilation[0] * self.row;
            if slot >= self.span * self.row {
                slot -= self.span * self.row;
            }
        }
        Ok(taps)
    }
}

/// `from` xored with `flip`, in chunks that vector registers like. Inlined, so that where lengths were
/// compared no panic is left for a chip; kernels that want rows signed are there for 64-bit Arm alone.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8], flip: u8) {
    if flip == 0 || cfg!(not(target_arch = "aarch64")) {
        to.copy_from_slice(from);
        return;
    }
    let ((to, to_rest), (from, from_rest)) = (to.as_chunks_mut::<64>(), from.as_chunks::<64>());
    for (to, from) in to.iter_mut().zip(from) {
        *to = from.map(|byte| byte ^ flip);
    }
    for (to, from) in to_rest.iter_mut().zip(from_rest) {
        *to = from ^ flip;
    }
}
