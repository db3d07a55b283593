//! Is it a chest radiograph? Two linear figures, each a fixed integer weight for every cell of a
//! coarse grid: one over the preprocessed picture (light and dark lie where they do in an upright
//! chest), one over the network's last features (it finds there what it finds in one).
//!
//! A linear figure on a standardised picture is a matched filter: what is unlike the pattern gets
//! little, and so does the same chest upside down, lying on its side or half covered. The trainer
//! fits the weights and sets the limits.

use super::cells::cell_runs;

/// Cells across and down of the grid over the picture.
pub const LAYOUT_SIDE: usize = 16;
/// Weights over the picture.
pub const LAYOUT_CELLS: usize = LAYOUT_SIDE * LAYOUT_SIDE;
/// Cells across and down of the grid over the features.
pub const FEATURE_SIDE: usize = 4;
/// Cells of the grid over the features; there is a weight for each of its channels.
pub const FEATURE_CELLS: usize = FEATURE_SIDE * FEATURE_SIDE;
/// Most channels of the features that can be weighed.
pub const MAX_CHANNELS: usize = 128;

/// Weights and the least likeness that is enough; `W` holds the weights, such as `&[i8]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinearDetector<W> {
    /// One weight a cell, rows from the top; over features one a cell and channel, channels
    /// innermost. Without any, the likeness of everything is 0.
    pub weights: W,
    /// The least likeness that is enough.
    pub least: i32,
}

/// A likeness without weights is 0; one whose weights do not fit is the least possible, so that
/// nothing passes by mistake.
const MISFIT: i32 = i32::MIN;

impl<W: AsRef<[i8]>> LinearDetector<W> {
    /// The same, its weights borrowed.
    pub fn view(&self) -> LinearDetector<&[i8]> {
        LinearDetector { weights: self.weights.as_ref(), least: self.least }
    }

    /// Likeness of a preprocessed picture of `side * side` bytes: the weighted sum of the
    /// cells' distances from mean brightness, divided by the pixels of a cell.
    pub fn of_picture(&self, input: &[u8]) -> i32 {
        let weights = self.weights.as_ref();
        if weights.is_empty() {
            return 0;
        }
        if weights.len() != LAYOUT_CELLS {
            return MISFIT;
        }
        let zero = i64::from(crate::preprocess::ZERO_POINT);
        let mut sum = 0;
        let pixels = cell_runs::<LAYOUT_SIDE>(input, 1, |cell, run| {
            let light: u32 = run.iter().map(|&v| u32::from(v)).sum();
            sum += i64::from(*weights.get(cell)?) * (i64::from(light) - zero * run.len() as i64);
            Some(())
        });
        pixels.map_or(MISFIT, |pixels| divided(sum, pixels, LAYOUT_CELLS))
    }

    /// Likeness of the network's last features, `side * side` positions of as many channels
    /// as there are weights a cell: the weighted sum, divided by the positions of a cell.
    pub fn of_features(&self, features: &[u8]) -> i32 {
        let weights = self.weights.as_ref();
        if weights.is_empty() {
            return 0;
        }
        let channels = weights.len() / FEATURE_CELLS;
        if channels == 0 || channels * FEATURE_CELLS != weights.len() {
            return MISFIT;
        }
        let mut sum = 0;
        let positions = cell_runs::<FEATURE_SIDE>(features, channels, |cell, run| {
            let weights = weights.get(cell * channels..)?.get(..channels)?;
            for position in run.chunks_exact(channels) {
                let products = position.iter().zip(weights).map(|(&q, &w)| i32::from(q) * i32::from(w));
                sum += i64::from(products.sum::<i32>());
            }
            Some(())
        });
        positions.map_or(MISFIT, |positions| divided(sum, positions, FEATURE_CELLS))
    }
}

/// `sum` over the number of positions that share a cell, rounded towards 0. Weights of a model's
/// metadata are too few for more than 32 bits.
fn divided(sum: i64, positions: usize, cells: usize) -> i32 {
    let mean = sum / (positions / cells).max(1) as i64;
    i32::try_from(mean).unwrap_or(MISFIT)
}
