//! A map of tissue thickness under the beam, and the ways to add to it.
//!
//! Positions are in the patient's frame, in centimetres: x from the midline to the patient's left
//! (right in the picture), y downwards from the apex of the lungs. Thickness is in centimetres of
//! water with the same attenuation.

/// A position, a direction or radii: across and down.
pub(super) type Pair = (f32, f32);

/// Where the patient lies in the picture. The picture is square: as in the public training sets it
/// is a landscape film squeezed to a square, so the two scales differ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pose {
    /// The patient's origin in the picture, in shares of its side.
    pub(super) centre: Pair,
    /// Shares of the picture's side that a centimetre takes, across and down.
    pub(super) scale: Pair,
    /// Sine and cosine of the turn in the picture's plane, clockwise.
    pub(super) turn: Pair,
}

impl Pose {
    fn project(&self, x: f32, y: f32) -> Pair {
        let (sin, cos) = self.turn;
        let (x, y) = (x * cos - y * sin, x * sin + y * cos);
        (self.centre.0 + self.scale.0 * x, self.centre.1 + self.scale.1 * y)
    }

    pub(super) fn locate(&self, u: f32, v: f32) -> Pair {
        let (sin, cos) = self.turn;
        let (x, y) = ((u - self.centre.0) / self.scale.0, (v - self.centre.1) / self.scale.1);
        (x * cos + y * sin, y * cos - x * sin)
    }
}

#[derive(Debug)]
pub(super) struct Canvas {
    side: usize,
    pose: Pose,
    /// `side * side` thicknesses, row by row.
    pub(super) thickness: Vec<f32>,
}

impl Canvas {
    pub(super) fn new(side: u16, pose: Pose) -> Self {
        let side = usize::from(side);
        Self { side, pose, thickness: vec![0.0; side * side] }
    }

    /// Sets every pixel to `fine(x, y, smooth(x, y))` at its centre. What has no edges, `smooth`,
    /// is asked for on a lattice of [`CELLS`] cells a side only and interpolated between.
    pub(super) fn fill(
        &mut self,
        smooth: impl Fn(f32, f32) -> [f32; 2],
        fine: impl Fn(f32, f32, [f32; 2]) -> f32,
    ) {
        let nodes = CELLS + 1;
        let share = |i: usize| i as f32 / CELLS as f32;
        let pose = self.pose;
        let lattice: Vec<[f32; 2]> = (0..nodes * nodes)
            .map(|node| {
                let (x, y) = pose.locate(share(node % nodes), share(node / nodes));
                smooth(x, y)
            })
            .collect();
        let step = 1.0 / self.side as f32;
        let mut between = vec![[0.0; 2]; nodes];
        for (row, line) in self.thickness.chunks_exact_mut(self.side).enumerate() {
            let v = (row as f32 + 0.5) * step;
            let (above, part) = split(v);
            for (column, node) in between.iter_mut().enumerate() {
                *node = blend(lattice[above * nodes + column], lattice[(above + 1) * nodes + column], part);
            }
            for (column, cell) in line.iter_mut().enumerate() {
                let u = (column as f32 + 0.5) * step;
                let (left, part) = split(u);
                let (x, y) = pose.locate(u, v);
                *cell = fine(x, y, blend(between[left], between[left + 1], part));
            }
        }
    }

    /// Adds a ball, or an upright ellipsoid, of `radii` (across, down) whose thickest ray is
    /// `peak`. `hollow` 0 is solid; towards 1 the rim of the shadow gets denser than its
    /// middle, as a bone's does, whose cortex is denser than its marrow.
    pub(super) fn ball(&mut self, x: f32, y: f32, radii: Pair, peak: f32, hollow: f32) {
        let side = self.side as f32;
        let (u, v) = self.pose.project(x, y);
        let (u, v) = (u * side - 0.5, v * side - 0.5);
        // A ball finer than a pixel spreads over one and keeps its mass.
        let (exact_x, exact_y) = (radii.0 * self.pose.scale.0 * side, radii.1 * self.pose.scale.1 * side);
        let (rx, ry) = (exact_x.max(0.9), exact_y.max(0.9));
        let peak = peak * (exact_x * exact_y) / (rx * ry);
        let range = |centre: f32, r: f32| (ceil_index(centre - r), ceil_index(centre + r).min(self.side));
        let ((left, right), (top, bottom)) = (range(u, rx), range(v, ry));
        if left >= right {
            return;
        }
        let (ix, iy) = (1.0 / rx, 1.0 / ry);
        let rows = self.thickness.chunks_exact_mut(self.side).enumerate();
        for (row, line) in rows.take(bottom).skip(top) {
            let dy = (row as f32 - v) * iy;
            for (column, cell) in line.iter_mut().enumerate().take(right).skip(left) {
                let dx = (column as f32 - u) * ix;
                let q = dx * dx + dy * dy;
                if q < 1.0 {
                    *cell += peak * (1.0 - q) * (1.0 + hollow * (2.0 * q - 0.667));
                }
            }
        }
    }

    /// Adds a straight rod from `from` to `to` with radii at both ends; `density` is the
    /// water-equivalent excess of a centimetre of it.
    pub(super) fn rod(&mut self, from: Pair, to: Pair, radii: Pair, density: f32, hollow: f32) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).sqrt();
        let steps = (length / (0.5 * radii.0.min(radii.1)).max(0.05)) as usize + 1;
        for i in 0..=steps {
            let s = i as f32 / steps as f32;
            let radius = radii.0 + (radii.1 - radii.0) * s;
            let peak = 2.0 * density * length / steps as f32;
            self.ball(from.0 + dx * s, from.1 + dy * s, (radius, radius), peak, hollow);
        }
    }
}

/// Cells of the lattice for what is smooth, along each side.
const CELLS: usize = 56;

/// The lattice's cell of a share of the side in 0..1, and the place in it.
fn split(share: f32) -> (usize, f32) {
    let at = share * CELLS as f32;
    let cell = (at as usize).min(CELLS - 1);
    (cell, at - cell as f32)
}

fn blend(a: [f32; 2], b: [f32; 2], part: f32) -> [f32; 2] {
    [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part]
}

/// The first index at or after `at`.
fn ceil_index(at: f32) -> usize {
    at.max(0.0).ceil() as usize
}
