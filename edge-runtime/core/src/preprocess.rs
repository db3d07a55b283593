//! From a picture of any size to the network's input: `area-standardise`, version 1.
//!
//! 1. **Area**: the picture is squashed to `side` x `side` cells, each the exact mean of the pixels it covers (box filter
//!    with fractional overlaps, ITU-R BT.601 luminance, 16 bits). The aspect ratio is not kept, as in the training data.
//! 2. **Standardise**: `q = clamp(128 + round((cell - mean) * 48 / deviation), 0, 255)` with mean and standard deviation of
//!    the cells, so that brightness and contrast of the film, the screen and the camera drop out.
//!
//! Everything is integer. Overlaps are exact: horizontally, source pixel `x` covers `[x*side, (x+1)*side)` and cell
//! `i` covers `[i*width, (i+1)*width)` on one common axis, and the same holds vertically. Rows stream through
//! [`Preprocess::row`]; only `side` sums and the small picture are held (34 kB at 128).

use crate::frame::{Frame, Geometry};
use core::fmt;

/// Name and version of what this file does, as written into a model's metadata.
pub const NAME: &str = "area-standardise/1";
/// Largest side of the network's input; the variance below is exact up to it.
pub const MAX_OUTPUT_SIDE: u16 = 224;
/// The input's zero point: the value that a cell of mean brightness gets.
pub const ZERO_POINT: u8 = 128;
/// Steps of the output in one standard deviation.
pub const STEPS_PER_DEVIATION: i32 = 48;

const _: () = {
    let cells = MAX_OUTPUT_SIDE as u64 * MAX_OUTPUT_SIDE as u64;
    assert!(cells.checked_mul(cells).unwrap().checked_mul(65535 * 65535).is_some(), "variance fits 64 bits");
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
    /// The parts of one piece of memory of [`scratch_bytes`] that lies at a multiple of 8; none where it is short or lies otherwise.
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
pub struct Stats {
    /// Mean luminance, 0..=65535.
    pub mean: u16,
    /// Standard deviation of the cells, 0..=32767.
    pub deviation: u16,
    /// Cells below 1/64 of full scale, in thousandths of all.
    pub black_permille: u16,
    /// Cells above 63/64 of full scale, in thousandths of all.
    pub white_permille: u16,
}

/// A picture on its way in: [`Preprocess::begin`], [`Preprocess::row`] for each row, [`Preprocess::finish`].
#[derive(Debug)]
pub struct Preprocess<'a> {
    geometry: Geometry,
    side: u16,
    scratch: Scratch<'a>,
    rows: u16,
    lines: u16,
}

impl<'a> Preprocess<'a> {
    /// Starts a picture that is to become `side` x `side`.
    ///
    /// # Errors
    /// [`PreprocessError::Side`] or [`PreprocessError::Scratch`] where the output size or the memory does not fit.
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
        Ok(Self { geometry, side, scratch: Scratch { row, line, cells: means }, rows: 0, lines: 0 })
    }

    /// Takes the next row, `geometry.row_bytes()` bytes.
    ///
    /// # Errors
    /// [`PreprocessError::RowBytes`] for a short or long row, [`PreprocessError::Rows`] for one row too many.
    pub fn row(&mut self, bytes: &[u8]) -> Result<(), PreprocessError> {
        let (expected, height) = (self.geometry.row_bytes(), u32::from(self.geometry.height()));
        if bytes.len() != expected {
            return Err(PreprocessError::RowBytes { expected, got: bytes.len() });
        }
        if u32::from(self.rows) >= height {
            return Err(PreprocessError::Rows { expected: height as u16, got: self.rows.saturating_add(1) });
        }
        self.sum_row(bytes);
        // This row covers [top, bottom) of the common vertical axis; hand it to every line of cells that it touches.
        let side = u32::from(self.side);
        let (mut top, bottom) = (u32::from(self.rows) * side, (u32::from(self.rows) + 1) * side);
        self.rows += 1;
        while top < bottom {
            let line_end = (u32::from(self.lines) + 1) * height;
            let weight = u64::from(bottom.min(line_end) - top);
            for (sum, &row) in self.scratch.line.iter_mut().zip(self.scratch.row.iter()) {
                *sum += weight * u64::from(row);
            }
            top = bottom.min(line_end);
            if top == line_end {
                self.close_line();
            }
        }
        Ok(())
    }

    /// Horizontal sums of one row: each pixel's luminance times its overlap with each cell. At most 8000 * 65535.
    fn sum_row(&mut self, bytes: &[u8]) {
        let format = self.geometry.format();
        let (width, side) = (u32::from(self.geometry.width()), u32::from(self.side));
        let mut pixels = bytes.chunks_exact(format.bytes_per_pixel());
        let (mut at, mut pixel_end, mut value) = (0u32, 0u32, 0u32);
        for (cell, sum) in self.scratch.row.iter_mut().enumerate() {
            let cell_end = (cell as u32 + 1) * width;
            *sum = 0;
            while at < cell_end {
                if at == pixel_end {
                    value = pixels.next().map_or(0, |p| u32::from(format.luminance(p)));
                    pixel_end += side;
                }
                let next = pixel_end.min(cell_end);
                *sum += value * (next - at);
                at = next;
            }
        }
    }

    /// Turns the sums of a finished line of cells into means, rounded to nearest.
    fn close_line(&mut self) {
        let area = u64::from(self.geometry.width()) * u64::from(self.geometry.height());
        let first = usize::from(self.lines) * usize::from(self.side);
        for (mean, sum) in self.scratch.cells.iter_mut().skip(first).zip(self.scratch.line.iter_mut()) {
            *mean = ((*sum + area / 2) / area) as u16;
            *sum = 0;
        }
        self.lines += 1;
    }

    /// Writes the `side * side` bytes of the network's input, row by row, and says what the picture's exposure was.
    ///
    /// # Errors
    /// [`PreprocessError::Rows`] where rows are missing, [`PreprocessError::Output`] where `output` has another length.
    pub fn finish(self, output: &mut [u8]) -> Result<Stats, PreprocessError> {
        if self.rows != self.geometry.height() {
            return Err(PreprocessError::Rows { expected: self.geometry.height(), got: self.rows });
        }
        let cells = &*self.scratch.cells;
        if output.len() != cells.len() {
            return Err(PreprocessError::Output { expected: cells.len(), got: output.len() });
        }
        let stats = measure(cells);
        let (mean, deviation) = (i32::from(stats.mean), i32::from(stats.deviation).max(1));
        for (out, &cell) in output.iter_mut().zip(cells) {
            let steps = div_round((i32::from(cell) - mean) * STEPS_PER_DEVIATION, deviation);
            *out = (i32::from(ZERO_POINT) + steps).clamp(0, 255) as u8;
        }
        Ok(stats)
    }
}

/// Mean, deviation (rounded down) and the share of black and white cells.
fn measure(cells: &[u16]) -> Stats {
    let n = (cells.len() as u64).max(1);
    let (mut sum, mut squares, mut black, mut white) = (0u64, 0u64, 0u64, 0u64);
    for &cell in cells {
        sum += u64::from(cell);
        squares += u64::from(cell) * u64::from(cell);
        black += u64::from(cell < 1024);
        white += u64::from(cell > 64511);
    }
    let variance = (n * squares - sum * sum) / (n * n);
    Stats {
        mean: ((sum + n / 2) / n) as u16,
        deviation: variance.isqrt() as u16,
        black_permille: (black * 1000 / n) as u16,
        white_permille: (white * 1000 / n) as u16,
    }
}

/// `a / b` rounded to nearest, ties away from zero; `b` is positive.
fn div_round(a: i32, b: i32) -> i32 {
    (a.abs() + b / 2) / b * a.signum()
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
) -> Result<Stats, PreprocessError> {
    let mut run = Preprocess::begin(frame.geometry(), side, scratch)?;
    for row in frame.rows() {
        run.row(row)?;
    }
    run.finish(output)
}

/// Why a picture could not be preprocessed. All but the row errors are mistakes of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreprocessError {
    /// The output's side is 0 or above [`MAX_OUTPUT_SIDE`].
    Side {
        /// Cells.
        got: u16,
    },
    /// A scratch slice is shorter than `side`, `side` and `side * side`.
    Scratch {
        /// Cells.
        side: u16,
    },
    /// The output slice is not `side * side` bytes.
    Output {
        /// Bytes.
        expected: usize,
        /// Bytes.
        got: usize,
    },
    /// A row has another length than the geometry says: the source sent a short or long row.
    RowBytes {
        /// Bytes.
        expected: usize,
        /// Bytes.
        got: usize,
    },
    /// Rows are missing or too many: the source's frame does not have the height that it announced.
    Rows {
        /// Rows.
        expected: u16,
        /// Rows.
        got: u16,
    },
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
