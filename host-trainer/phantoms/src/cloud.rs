//! Smooth noise in the plane (value noise on a lattice): uneven tissue, ragged edges of
//! consolidations.

use crate::rng::Rng;

const SIDE: usize = 32;

/// A lattice of values in -1..1, repeated in both directions.
#[derive(Debug)]
pub(super) struct Cloud([f32; SIDE * SIDE]);

impl Cloud {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self(std::array::from_fn(|_| rng.within(-1.0, 1.0)))
    }

    /// The noise at a position; one unit is one cell of the lattice.
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        // Positions are some ten centimetres around 0: 256 cells on they are positive, and that is a whole
        // period.
        let (x, y) = (x + 256.0, y + 256.0);
        let (column, row) = (x as usize, y as usize);
        let (fx, fy) = (ramp(x - column as f32), ramp(y - row as f32));
        let value = |dx: usize, dy: usize| self.0[(row + dy) % SIDE * SIDE + (column + dx) % SIDE];
        let top = value(0, 0) + (value(1, 0) - value(0, 0)) * fx;
        let bottom = value(0, 1) + (value(1, 1) - value(0, 1)) * fx;
        top + (bottom - top) * fy
    }
}

/// 0 below 0, 1 above 1, smooth between.
pub(super) fn ramp(v: f32) -> f32 {
    let v = v.clamp(0.0, 1.0);
    v * v * (3.0 - 2.0 * v)
}
