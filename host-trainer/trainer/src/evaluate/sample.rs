//! Which pictures are measured where measuring all would take long.

use super::prediction::Prediction;
use crate::random::{Purpose, SeededRng};

/// Positions of scored pictures, rising, and how many there were.
pub(super) struct Sample {
    pub positions: Vec<usize>,
    pub drawn_from: usize,
}

impl Sample {
    /// At most `limit` scored pictures (two at least), from each class by its share.
    pub fn draw(predictions: &[Prediction], limit: usize, seed: u64) -> Self {
        let mut classes: [Vec<usize>; 2] = Default::default();
        for (i, p) in predictions.iter().enumerate().filter(|(_, p)| p.score.is_some()) {
            classes[usize::from(p.label == 1)].push(i);
        }
        let drawn_from = classes[0].len() + classes[1].len();
        let mut positions = Vec::new();
        for (number, mut class) in classes.into_iter().enumerate() {
            let take =
                if drawn_from <= limit { class.len() } else { (class.len() * limit / drawn_from).max(1) };
            SeededRng::new(seed, Purpose::Sample, 0, number as u64).shuffle(&mut class);
            positions.extend(class.into_iter().take(take));
        }
        positions.sort_unstable();
        Self { positions, drawn_from }
    }
}
