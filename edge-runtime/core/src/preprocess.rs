//! From a picture of any size to the network's input: `area-standardise`, version 1.
//!
//! 1. **Area**: the picture is squashed to `side` x `side` cells, each the exact mean of the pixels
//!    it covers (box filter with fractional overlaps, ITU-R BT.601 luminance, 16 bits). The aspect
//!    ratio is not kept, as in the training data.
//! 2. **Standardise**: `q = clamp(128 + round((cell - mean) * 48 / deviation), 0, 255)` with mean
//!    and standard deviation of the cells, so that brightness and contrast of the film, the screen
//!    and the camera drop out.
//!
//! Everything is integer. Overlaps are exact: horizontally, source pixel `x` covers `[x*side,
//! (x+1)*side)` and cell `i` covers `[i*width, (i+1)*width)` on one common axis, and the same holds
//! vertically. Rows stream through [`Preprocess::row`]; only `side` sums and the small picture are
//! held (34 kB at 128).

use crate::divide::Divisor;
use crate::frame::{Frame, Geometry, PixelFormat};
use core::fmt;

/// Name and version of what this file does, as written into a model's metadata.
pub const NAME: &str = "area-standardise/1";
/// Largest side of the network's input; the variance below is exact up to it.
pub const MAX_OUTPUT_SIDE: u16 = 224;
/// The input's zero point: the value that a cell of mean brightness gets.
pub const ZERO_POINT: u8 = 128;
/// Steps of the output in one standard deviation.
pub const STEPS_PER_DEVIATION: u32 = 48;

const _: () = {
    let cells = MAX_OUTPUT_SIDE as u64 * MAX_OUTPUT_SIDE as u64;
    assert!(cells.checked_mul(cells).unwrap().checked_mul(65535 * 65535).is_some(), "variance fits 64 bits");
    assert!(cells * 65535 <= u32::MAX as u64, "the sum of all cells fits 32 bits");
};

/// Memory that preprocessing works in, given by the caller: nothing here allocates.
#[derive(Debug)]
pub struct Scratch<'a> {
    /// `side` horizontal sums of the current row.
    pub row: &'a mut [u32],
    /// `side` sums of the current line of cells.
    pub line: &'a mut [u64],
    /// `side * side` cell means.
    pub cells: &'a mut [u16],
}

impl<'a> Scratch<'a> {
    /// The parts of one piece of memory of [`scratch_bytes`] that lies at a multiple of 8; none
    /// where it is short or lies otherwise.
    pub fn of(bytes: &'a mut [u8], side: u16) -> Option<Self> {
        let n = usize::from(side);
        let (line, rest) = bytes.split_at_mut_checked(n * size_of::<u64>())?;
        let (row, rest) = rest.split_at_mut_checked(n * size_of::<u32>())?;
        Some(Self {
            row: bytemuck::try_cast_slice_mut(row).ok()?,
            line: bytemuck::try_cast_slice_mut(line).ok()?,
            cells: bytemuck::try_cast_slice_mut(rest.get_mut(..n * n * size_of::<u16>())?).ok()?,
        })
    }
}

/// Bytes of [`Scratch`] for an output of `side` x `side`: sums of a line, sums of a row, cells.
pub const fn scratch_bytes(side: u16) -> usize {
    let side = side as usize;
    side * (size_of::<u64>() + size_of::<u32>() + side * size_of::<u16>())
}

/// What the small picture says of the exposure, in 16-bit luminance; the gate looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PixelStats {
    /// Mean luminance of the cells, 0..=65535.
    pub mean: u16,
    /// Standard deviation of the cells, 0..=32767.
    pub deviation: u16,
    /// Cells below 1/64 of full scale, in thousandths of all.
    pub black_permille: u16,
    /// Cells above 63/64 of full scale, in thousandths of all.
    pub white_permille: u16,
}

/// A picture on its way in: [`Preprocess::begin`], [`Preprocess::row`] for each row,
/// [`Preprocess::finish`].
///
/// ```
/// use edge_core::preprocess::{PreprocessError, ZERO_POINT};
/// use edge_core::{Geometry, PixelFormat, Preprocess, Scratch};
///
/// let geometry = Geometry::new(64, 48, PixelFormat::Gray8).expect("a picture's size");
/// let (mut row, mut line, mut cells) = ([0; 32], [0; 32], [0; 32 * 32]);
/// let scratch = Scratch { row: &mut row, line: &mut line, cells: &mut cells };
///
/// let mut picture = Preprocess::begin(geometry, 32, scratch)?;
/// for y in 0..48 {
///     picture.row(&[if y < 24 { 40 } else { 200 }; 64])?;
/// }
/// let mut input = [0; 32 * 32];
/// let stats = picture.finish(&mut input)?;
///
/// // Half dark, half light: a deviation below the mean, and one above it.
/// assert_eq!((stats.mean, stats.deviation), (120 * 257, 80 * 257));
/// assert_eq!((input[0], input[32 * 32 - 1]), (ZERO_POINT - 48, ZERO_POINT + 48));
/// # Ok::<(), PreprocessError>(())
/// ```
#[derive(Debug)]
pub struct Preprocess<'a> {
    geometry: Geometry,
    side: u16,
    /// The sum of the weights in a cell.
    area: Divisor,
    half_area: u32,
    scratch: Scratch<'a>,
    rows: u16,
    lines: u16,
}

impl<'a> Preprocess<'a> {
    /// Starts a picture that is to become `side` x `side`.
    ///
    /// # Errors
    /// [`PreprocessError::Side`] or [`PreprocessError::Scratch`] where the output size or the
    /// memory does not fit.
    pub fn begin(geometry: Geometry, side: u16, scratch: Scratch<'a>) -> Result<Self, PreprocessError> {
        if side == 0 || side > MAX_OUTPUT_SIDE {
            return Err(PreprocessError::Side { got: side });
        }
        let (n, cells) = (usize::from(side), usize::from(side) * usize::from(side));
        let Scratch { row, line, cells: means } = scratch;
        let (Some(row), Some(line), Some(means)) =
            (row.get_mut(..n), line.get_mut(..n), means.get_mut(..cells))
        else {
            return Err(PreprocessError::Scratch { side });
        };
        line.fill(0);
        let area = u32::from(geometry.width()) * u32::from(geometry.height());
        let scratch = Scratch { row, line, cells: means };
        Ok(Self { geometry, side, area: Divisor::new(area), half_area: area / 2, scratch, rows: 0, lines: 0 })
    }

    /// Takes the next row, `geometry.row_bytes()` bytes.
    ///
    /// # Errors
    /// [`PreprocessError::RowBytes`] for a short or long row, [`PreprocessError::Rows`] for one row
    /// too many.
    pub fn row(&mut self, bytes: &[u8]) -> Result<(), PreprocessError> {
        let (expected, height) = (self.geometry.row_bytes(), u32::from(self.geometry.height()));
        if bytes.len() != expected {
            return Err(PreprocessError::RowBytes { expected, got: bytes.len() });
        }
        if u32::from(self.rows) >= height {
            return Err(PreprocessError::Rows { expected: height as u16, got: self.rows.saturating_add(1) });
        }
        self.sum_row(bytes);
        // This row covers [top, bottom) of the common vertical axis; hand it to every line of cells that it
        // touches.
        let side = u32::from(self.side);
        let (mut top, bottom) = (u32::from(self.rows) * side, (u32::from(self.rows) + 1) * side);
        self.rows += 1;
        while top < bottom {
            let line_end = (u32::from(self.lines) + 1) * height;
            add_row(self.scratch.line, self.scratch.row, bottom.min(line_end) - top);
            top = bottom.min(line_end);
            if top == line_end {
                self.close_line()?;
            }
        }
        Ok(())
    }

    /// Horizontal sums of one row: each pixel's luminance times its overlap with each cell. At most
    /// 8000 * 65535.
    fn sum_row(&mut self, bytes: &[u8]) {
        use PixelFormat::*;
        let (row, width, side) = (&mut *self.scratch.row, self.geometry.width().into(), self.side.into());
        // Each format has a loop of its own, which asks nothing of a pixel.
        match self.geometry.format() {
            Gray8 => sum_row::<1>(row, bytes, |p| Gray8.luminance(p), width, side),
            Gray16 => sum_row::<2>(row, bytes, |p| Gray16.luminance(p), width, side),
            Rgb8 => sum_row::<3>(row, bytes, |p| Rgb8.luminance(p), width, side),
            Rgb16 => sum_row::<6>(row, bytes, |p| Rgb16.luminance(p), width, side),
            Yuyv => sum_row::<2>(row, bytes, |p| Yuyv.luminance(p), width, side),
            Uyvy => sum_row::<2>(row, bytes, |p| Uyvy.luminance(p), width, side),
        }
    }

    /// Turns the sums of a finished line of cells into means, rounded to nearest.
    fn close_line(&mut self) -> Result<(), PreprocessError> {
        let side = usize::from(self.side);
        let cells =
            self.scratch.cells.get_mut(usize::from(self.lines) * side..).and_then(|c| c.get_mut(..side));
        let cells = cells.ok_or(PreprocessError::Scratch { side: self.side })?;
        close_line(cells, self.scratch.line, &self.area, self.half_area);
        self.lines += 1;
        Ok(())
    }

    /// Writes the `side * side` bytes of the network's input, row by row, and says what the
    /// picture's exposure was.
    ///
    /// # Errors
    /// [`PreprocessError::Rows`] where rows are missing, [`PreprocessError::Output`] where `output`
    /// has another length.
    pub fn finish(self, output: &mut [u8]) -> Result<PixelStats, PreprocessError> {
        if self.rows != self.geometry.height() {
            return Err(PreprocessError::Rows { expected: self.geometry.height(), got: self.rows });
        }
        let cells = &*self.scratch.cells;
        if output.len() != cells.len() {
            return Err(PreprocessError::Output { expected: cells.len(), got: output.len() });
        }
        let stats = measure(cells);
        let (mean, deviation) = (stats.mean, u32::from(stats.deviation).max(1));
        for (out, &cell) in output.iter_mut().zip(cells) {
            // Rounded to nearest, ties away from zero.
            let distance = u32::from(cell.abs_diff(mean)) * STEPS_PER_DEVIATION;
            let steps = ((distance + deviation / 2) / deviation).min(255) as i32;
            let signed = if cell < mean { -steps } else { steps };
            *out = (i32::from(ZERO_POINT) + signed).clamp(0, 255) as u8;
        }
        Ok(stats)
    }
}

// The loops over pixels and cells are functions of their own, not inlined, so that each has all
// registers for itself.

/// [`Preprocess::sum_row`] for pixels of `N` bytes.
#[inline(never)]
fn sum_row<const N: usize>(
    row: &mut [u32],
    bytes: &[u8],
    luminance: impl Fn(&[u8; N]) -> u16,
    width: u32,
    side: u32,
) {
    let mut cells = row.iter_mut();
    let mut close = |sum: u32| {
        if let Some(cell) = cells.next() {
            *cell = sum;
        }
    };
    // Of the current cell: the light of pixels that lie in it whole, what the pixel before it had left,
    // and how much is still open.
    let (mut whole, mut part, mut open) = (0, 0, width);
    for pixel in bytes.as_chunks::<N>().0 {
        let value = u32::from(luminance(pixel));
        if open >= side {
            whole += value;
            open -= side;
            continue;
        }
        close(whole * side + part + value * open);
        let mut left = side - open;
        while left > width {
            close(value * width);
            left -= width;
        }
        (whole, part, open) = (0, value * left, width - left);
    }
    close(whole * side + part);
}

/// Adds a row's sums to those of the line of cells, by the share of the row that lies in it.
#[inline(never)]
fn add_row(line: &mut [u64], row: &[u32], weight: u32) {
    for (sum, &row) in line.iter_mut().zip(row) {
        *sum += u64::from(weight) * u64::from(row);
    }
}

/// Means of the sums of a line, which begins anew.
#[inline(never)]
fn close_line(cells: &mut [u16], line: &mut [u64], area: &Divisor, half_area: u32) {
    for (mean, sum) in cells.iter_mut().zip(line) {
        *mean = area.quotient(*sum + u64::from(half_area)) as u16;
        *sum = 0;
    }
}

/// Mean, deviation (rounded down) and the share of black and white cells.
fn measure(cells: &[u16]) -> PixelStats {
    let (mut sum, mut squares, mut black, mut white) = (0u32, 0u64, 0u32, 0u32);
    for &cell in cells {
        let cell = u32::from(cell);
        sum += cell;
        squares += u64::from(cell * cell);
        black += u32::from(cell < 1024);
        white += u32::from(cell > 64511);
    }
    let (count, n) = ((cells.len() as u32).max(1), (cells.len() as u64).max(1));
    let sum = u64::from(sum);
    let variance = (n * squares - sum * sum) / (n * n);
    PixelStats {
        mean: ((sum + n / 2) / n) as u16,
        deviation: variance.isqrt() as u16,
        black_permille: (black * 1000 / count) as u16,
        white_permille: (white * 1000 / count) as u16,
    }
}

/// Preprocesses a picture that is in memory: shorthand for begin, row, finish.
///
/// # Errors
/// As [`Preprocess`]; with a fitting `scratch` and `output` none is possible.
pub fn preprocess(
    frame: &Frame,
    side: u16,
    scratch: Scratch,
    output: &mut [u8],
) -> Result<PixelStats, PreprocessError> {
    let mut run = Preprocess::begin(frame.geometry(), side, scratch)?;
    for row in frame.rows() {
        run.row(row)?;
    }
    run.finish(output)
}

/// Why a picture could not be preprocessed. All but the row errors are mistakes of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // fields: the variant says what they are
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PreprocessError {
    /// The output's side is 0 or above [`MAX_OUTPUT_SIDE`].
    Side { got: u16 },
    /// A scratch slice is shorter than `side`, `side` and `side * side`.
    Scratch { side: u16 },
    /// The output slice is not `side * side` bytes.
    Output { expected: usize, got: usize },
    /// A row has another length, in bytes, than the geometry says: the source sent a short or long row.
    RowBytes { expected: usize, got: usize },
    /// Rows are missing or too many: the source's frame does not have the height that it announced.
    Rows { expected: u16, got: u16 },
}

impl fmt::Display for PreprocessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Side { got } => write!(f, "expected an input side of 1 to {MAX_OUTPUT_SIDE}, got {got}"),
            Self::Scratch { side } => write!(f, "scratch memory is too small for an input side of {side}"),
            Self::Output { expected, got } => write!(f, "expected an output of {expected} bytes, got {got}"),
            Self::RowBytes { expected, got } => {
                write!(f, "expected a row of {expected} bytes, got {got}; the source sent a damaged frame")
            }
            Self::Rows { expected, got } => {
                write!(f, "expected {expected} rows, got {got}; the source sent a damaged frame")
            }
        }
    }
}

impl core::error::Error for PreprocessError {}
