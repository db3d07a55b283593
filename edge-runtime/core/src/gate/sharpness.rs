//! How sharp a preprocessed picture is, whatever its contrast: bends over steps.
//!
//! The picture is halved, which takes most of a sensor's noise away. In it, along rows and columns,
//! a *bend* is the second difference of neighbours and a *step* the difference of the values two
//! before and two behind. Blur takes the bends away and leaves the steps of a chest; both scale
//! with contrast, so their ratio does not. Noise makes bends: the figure cannot tell a blurred,
//! very noisy picture from a sharp one.

use crate::preprocess::MAX_OUTPUT_SIDE;

const MAX_HALF: usize = MAX_OUTPUT_SIDE as usize / 2;
/// Rows that are looked at together.
const ROWS: usize = 5;

/// Sum of all bends over sum of all steps, in thousandths; 0 for a picture without steps. `input`
/// is `side * side` bytes.
pub fn sharpness(input: &[u8]) -> u16 {
    let side = input.len().isqrt();
    let half = (side / 2).min(MAX_HALF);
    if half < ROWS {
        return 0;
    }
    // The last rows of the halved picture, that of number `at` in place `at % ROWS`.
    let mut rows = [[0i32; MAX_HALF]; ROWS];
    let (mut bends, mut steps) = (0u32, 0u32);
    let mut add = |a: i32, b: i32, c: i32, d: i32, e: i32| {
        bends += (b - 2 * c + d).unsigned_abs();
        steps += (e - a).unsigned_abs();
    };
    for (at, pair) in input.chunks_exact((2 * side).max(1)).enumerate() {
        // Neither part can be missing; were it, 0 is what no limit lets through.
        let Some((upper, lower)) = pair.split_at_checked(side) else { return 0 };
        let sums = upper.chunks_exact(2).zip(lower.chunks_exact(2));
        for (sum, (upper, lower)) in rows[at % ROWS].iter_mut().zip(sums) {
            *sum = upper.iter().chain(lower).map(|&v| i32::from(v)).sum();
        }
        if at + 1 < ROWS {
            continue;
        }
        let [above2, above, row, below, newest] = [1, 2, 3, 4, 5].map(|next| &rows[(at + next) % ROWS]);
        // Positions two from every border, so that bends and steps are counted at the same places.
        let Some(inside) = row.get(..half) else { return 0 };
        for window in inside.windows(ROWS) {
            if let &[a, b, c, d, e] = window {
                add(a, b, c, d, e);
            }
        }
        let columns = above2.iter().zip(above.iter()).zip(row.iter()).zip(below.iter()).zip(newest.iter());
        for ((((&a, &b), &c), &d), &e) in columns.take(half - 2).skip(2) {
            add(a, b, c, d, e);
        }
    }
    let permille = u64::from(bends) * 1000 / u64::from(steps.max(1));
    permille.min(u16::MAX.into()) as u16
}
