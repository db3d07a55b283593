//! Sizes: of a value, and of the window that a convolution moves over it.

/// Size of a value: rows, columns, channels, stored in that order (NHWC), tight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels.
    pub channels: usize,
}

impl Shape {
    /// Pixels.
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

/// Longest side of a value and of a window's numbers: keeps every product below 2^63.
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

    /// Rows or columns that the kernel spans, dilation included; `axis` is 0 or 1.
    pub fn span(&self, axis: usize) -> usize {
        let of = |pair: &[usize; 2]| pair.get(axis).copied().unwrap_or(1);
        (of(&self.kernel) - 1) * of(&self.dilation) + 1
    }

    /// Height and width of the output over an input of that height and width; none where the window does not fit in, a number is 0
    /// that must not be, or one is absurdly large.
    pub fn output(&self, height: usize, width: usize) -> Option<[usize; 2]> {
        let all = [self.kernel, self.stride, self.dilation];
        if all.iter().flatten().any(|&n| n == 0 || n > LONGEST)
            || [self.before, self.after, [height, width]].iter().flatten().any(|&n| n > LONGEST)
        {
            return None;
        }
        let along = |axis: usize, size: usize| {
            let (before, after) = (self.before.get(axis)?, self.after.get(axis)?);
            let free = (size + before + after).checked_sub(self.span(axis))?;
            Some(free.checked_div(*self.stride.get(axis)?)? + 1)
        };
        Some([along(0, height)?, along(1, width)?])
    }
}
