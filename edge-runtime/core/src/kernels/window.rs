//! Sizes: of a value, and of the window that a convolution moves over it.

use super::size::product;

/// Size of a value: rows, columns, channels, stored in that order (NHWC), tight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
    /// Bytes of a pixel, one a channel.
    pub channels: usize,
}

impl Shape {
    /// Bytes of the whole value; none for an empty one and above [`MAX_BYTES`](super::MAX_BYTES).
    /// Only a shape that has passed this may be asked for the plain sizes below, which could
    /// wrap for another.
    pub fn checked_bytes(&self) -> Option<usize> {
        product(&[self.height, self.width, self.channels]).filter(|&bytes| bytes > 0)
    }

    /// Pixels of the value: height times width.
    pub const fn positions(&self) -> usize {
        self.height * self.width
    }

    /// Bytes of the whole value.
    pub const fn bytes(&self) -> usize {
        self.positions() * self.channels
    }

    /// Bytes of one row.
    pub const fn row_bytes(&self) -> usize {
        self.width * self.channels
    }
}

/// A convolution's window; every pair is vertical, horizontal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Size of the kernel, 1 or more.
    pub kernel: [usize; 2],
    /// Distance between outputs, 1 or more.
    pub stride: [usize; 2],
    /// Distance between the kernel's taps, 1 or more.
    pub dilation: [usize; 2],
    /// Padding above and to the left.
    pub before: [usize; 2],
    /// Padding below and to the right.
    pub after: [usize; 2],
}

/// Longest side of a value and of a window's numbers: a span has less than 2^31 rows, which fits 32
/// bits. Products of these with each other and with channels are checked where they are made.
const LONGEST: usize = 1 << 15;

impl Window {
    /// The window of a pointwise convolution.
    pub const POINT: Window =
        Window { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], before: [0, 0], after: [0, 0] };

    /// A square window: kernel, stride and equal padding on all sides.
    pub const fn square(kernel: usize, stride: usize, padding: usize) -> Self {
        Self {
            kernel: [kernel; 2],
            stride: [stride; 2],
            dilation: [1; 2],
            before: [padding; 2],
            after: [padding; 2],
        }
    }

    /// Rows and columns that the kernel spans, dilation included.
    pub fn spans(&self) -> [usize; 2] {
        let span =
            |kernel: usize, dilation| kernel.saturating_sub(1).saturating_mul(dilation).saturating_add(1);
        [span(self.kernel[0], self.dilation[0]), span(self.kernel[1], self.dilation[1])]
    }

    /// Height and width of the output over an input of that height and width; none where the window
    /// does not fit in, a number is 0 that must not be, or one is absurdly large.
    pub fn output(&self, height: usize, width: usize) -> Option<[usize; 2]> {
        let all = [self.kernel, self.stride, self.dilation];
        if all.iter().flatten().any(|&n| n == 0 || n > LONGEST)
            || [self.before, self.after, [height, width]].iter().flatten().any(|&n| n > LONGEST)
        {
            return None;
        }
        let [rows, columns] = self.spans();
        let along = |size: usize, span, stride| Some((size.checked_sub(span)?).checked_div(stride)? + 1);
        Some([
            along(height + self.before[0] + self.after[0], rows, self.stride[0])?,
            along(width + self.before[1] + self.after[1], columns, self.stride[1])?,
        ])
    }
}
