//! Which value of a square map lies in which cell of a coarse grid over it: the one place that says
//! so, for what a device weighs and for what the trainer fits the weights on.

/// Hands `take` a square map of values (height x width x channels) in runs of whole positions that
/// lie in one cell, in order: the cell's number, rows of `ACROSS` cells from the top, and the run.
/// Position `x` of a row is in column `x * ACROSS / side`.
///
/// Returns how many positions the map has; none where the values are no square map, and as soon as
/// `take` gives none.
pub fn cell_runs<'v, const ACROSS: usize>(
    values: &'v [u8],
    channels: usize,
    mut take: impl FnMut(usize, &'v [u8]) -> Option<()>,
) -> Option<usize> {
    let positions = values.len().checked_div(channels)?;
    let side = positions.isqrt();
    if side == 0 || side * side != positions || positions * channels != values.len() {
        return None;
    }
    for (y, row) in values.chunks_exact((side * channels).max(1)).enumerate() {
        let first = y * ACROSS / side * ACROSS;
        for column in 0..ACROSS {
            let edge = |column: usize| (column * side).div_ceil(ACROSS) * channels;
            let run = row.get(edge(column)..edge(column + 1))?;
            if !run.is_empty() {
                take(first + column, run)?;
            }
        }
    }
    Some(positions)
}
