//! Is it a chest radiograph? Two linear figures, each a fixed integer weight for every cell of a coarse grid: one over the
//! preprocessed picture (light and dark lie where they do in an upright chest), one over the network's last features (it finds
//! there what it finds in one).
//!
//! A linear figure on a standardised picture is a matched filter: what is unlike the pattern gets little, and so does the same
//! chest upside down, lying on its side or half covered. The trainer fits the weights and sets the limits.

use core::fmt;
use heapless::Vec;

/// Cells across and down of the grid over the picture.
const LAYOUT_SIDE: usize = 16;
/// Weights over the picture.
pub const LAYOUT_CELLS: usize = LAYOUT_SIDE * LAYOUT_SIDE;
/// Cells across and down of the grid over the features.
const FEATURE_SIDE: usize = 4;
/// Cells of the grid over the features; there is a weight for each of its channels.
pub const FEATURE_CELLS: usize = FEATURE_SIDE * FEATURE_SIDE;
/// Most channels of the features that can be weighed.
pub const MAX_CHANNELS: usize = 128;

/// Weights and the least likeness that is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likeness<const N: usize> {
    /// One weight a cell, rows from the top; over features one a cell and channel, channels innermost. Without any, the likeness
    /// of everything is 0.
    pub weights: Vec<i8, N>,
    /// The least likeness that is enough.
    pub least: i32,
}

impl<const N: usize> Likeness<N> {
    /// Everything is enough.
    pub const OPEN: Self = Self { weights: Vec::new(), least: 0 };

    /// Reads weights in their text form: two hexadecimal digits each, in two's complement, or `none`. None where the text is neither.
    pub(crate) fn read_weights(&mut self, text: &str) -> Option<()> {
        self.weights.clear();
        if text == "none" {
            return Some(());
        }
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.is_empty() || !rest.is_empty() {
            return None;
        }
        for &[high, low] in pairs {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            self.weights.push((digit(high)? * 16 + digit(low)?) as u8 as i8).ok()?;
        }
        Some(())
    }
}

/// The weights' text form, which `read_weights` reads.
impl<const N: usize> fmt::Display for Likeness<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.weights.is_empty() {
            return f.write_str("none");
        }
        self.weights.iter().try_for_each(|&weight| write!(f, "{:02x}", weight as u8))
    }
}

/// A likeness without weights is 0; one whose weights do not fit is the least possible, so that nothing passes by mistake.
const MISFIT: i32 = i32::MIN;

impl<const N: usize> Likeness<N> {
    /// Likeness of a preprocessed picture of `side * side` bytes: the weighted sum of the cells' distances from mean brightness,
    /// divided by the pixels of a cell.
    pub fn of_picture(&self, input: &[u8]) -> i32 {
        let side = input.len().isqrt();
        if self.weights.is_empty() {
            return 0;
        }
        if self.weights.len() != LAYOUT_CELLS || side == 0 || side * side != input.len() {
            return MISFIT;
        }
        let zero = i64::from(crate::preprocess::ZERO_POINT);
        let mut sum = 0;
        for (y, row) in input.chunks_exact(side).enumerate() {
            let first = y * LAYOUT_SIDE / side * LAYOUT_SIDE;
            for (cell, &weight) in self.weights.iter().skip(first).take(LAYOUT_SIDE).enumerate() {
                let edge = |cell: usize| (cell * side).div_ceil(LAYOUT_SIDE);
                let pixels = row.get(edge(cell)..edge(cell + 1)).unwrap_or(&[]);
                let light: u32 = pixels.iter().map(|&v| u32::from(v)).sum();
                sum += i64::from(weight) * (i64::from(light) - zero * pixels.len() as i64);
            }
        }
        divided(sum, side * side, LAYOUT_CELLS)
    }

    /// Likeness of the network's last features, `side * side` positions of as many channels as there are weights a cell: the weighted sum,
    /// divided by the positions of a cell.
    pub fn of_features(&self, features: &[u8]) -> i32 {
        if self.weights.is_empty() {
            return 0;
        }
        let channels = self.weights.len() / FEATURE_CELLS;
        if channels == 0 {
            return MISFIT;
        }
        let positions = features.len() / channels;
        let side = positions.isqrt();
        let whole = channels * FEATURE_CELLS == self.weights.len() && positions * channels == features.len();
        if !whole || side == 0 || side * side != positions {
            return MISFIT;
        }
        let mut sum = 0;
        for (y, row) in features.chunks_exact((side * channels).max(1)).enumerate() {
            for (x, position) in row.chunks_exact(channels).enumerate() {
                let cell = y * FEATURE_SIDE / side * FEATURE_SIDE + x * FEATURE_SIDE / side;
                let weights = self.weights.get(cell * channels..).unwrap_or(&[]);
                let products = position.iter().zip(weights).map(|(&q, &w)| i32::from(q) * i32::from(w));
                sum += i64::from(products.sum::<i32>());
            }
        }
        divided(sum, positions, FEATURE_CELLS)
    }
}

/// `sum` over the number of positions that share a cell, rounded towards 0.
fn divided(sum: i64, positions: usize, cells: usize) -> i32 {
    let mean = sum / (positions / cells).max(1) as i64;
    mean.clamp(i64::from(MISFIT) + 1, i64::from(i32::MAX)) as i32
}
