//! From thickness to grey: attenuation, scatter, the detector's sharpness and grain, and the
//! display's tone curve.

use crate::rng::Rng;

/// Attenuation of water at a small child's tube voltage (60 to 70 kV, filtered), a centimetre.
const ATTENUATION: f32 = 0.22;
/// Thickness at which the tone table ends, in centimetres of water.
const TABLE_END: f32 = 32.0;
const TABLE_STEPS: usize = 512;

/// How a picture was taken and developed.
#[derive(Clone, Debug)]
pub(super) struct Film {
    /// Scattered radiation as a share of the unattenuated beam.
    scatter: f32,
    /// Grey of the unattenuated beam and of the densest parts.
    black: f32,
    white: f32,
    gamma: f32,
    full: f32,
    grain: f32,
    blur: f32,
    marker: Option<(f32, f32, f32)>,
}

impl Film {
    pub(super) fn new(rng: &mut Rng, ill: bool) -> Self {
        // Films of ill children in the public sets are flatter and less sharp: portable tubes, no grid.
        let (scatter, gamma, blur) = if ill { (0.028, 1.25, 0.25) } else { (0.009, 1.35, 0.1) };
        Self {
            scatter: scatter * rng.within(0.7, 1.4),
            black: if ill { rng.within(0.0, 22.0) } else { rng.within(0.0, 6.0) },
            white: if ill { rng.about(203.0, 9.0) } else { rng.about(250.0, 8.0) },
            gamma: rng.about(gamma, 0.12),
            full: rng.about(if ill { 15.5 } else { 18.0 }, 0.8),
            grain: rng.within(1.2, 2.6),
            blur: rng.within(0.8, 1.2) * blur,
            marker: rng
                .chance(0.85)
                .then(|| (rng.within(0.02, 0.07), rng.within(0.05, 0.7), rng.within(0.045, 0.07))),
        }
    }

    /// Grey (0..=255) of every thickness from 0 to [`TABLE_END`].
    fn tone_table(&self) -> [f32; TABLE_STEPS + 1] {
        let density =
            |cm: f32| -libm::logf((libm::expf(-ATTENUATION * cm) + self.scatter) / (1.0 + self.scatter));
        let full = density(self.full);
        std::array::from_fn(|i| {
            let v = density(i as f32 * (TABLE_END / TABLE_STEPS as f32)) / full;
            // Toe by the power; shoulder by a soft approach to 1.
            let toe = libm::powf(v, self.gamma);
            let shoulder = toe / libm::powf(1.0 + libm::powf(toe, 5.0), 0.2) * 1.148_698;
            self.black + (self.white - self.black) * shoulder
        })
    }

    /// Develops the thickness map of `side` x `side` into 8-bit grey; uses the map up.
    pub(super) fn develop(&self, mut thickness: Vec<f32>, side: u16, rng: &mut Rng) -> Vec<u8> {
        let side = usize::from(side);
        let table = self.tone_table();
        for cell in &mut thickness {
            let at = (*cell * (TABLE_STEPS as f32 / TABLE_END)).clamp(0.0, TABLE_STEPS as f32 - 1.0);
            let index = at as usize;
            let share = at - index as f32;
            *cell = table[index] + (table[index + 1] - table[index]) * share;
        }
        // The grain passes the same blur, so it is coloured as a detector's is.
        for cell in &mut thickness {
            *cell += self.grain * 1.1 * rng.normal();
        }
        // Unsharpness belongs to the detector, so in pixels it grows with the picture; 224 is the
        // reference.
        let passes = if side >= 128 { 1 + side / 448 } else { 0 };
        for _ in 0..passes {
            soften(&mut thickness, side, self.blur);
        }
        if let Some((u, v, height)) = self.marker {
            marker(&mut thickness, side, (u, v), height);
        }
        thickness.iter().map(|grey| (grey + 0.5).clamp(0.0, 255.0) as u8).collect()
    }
}

/// One pass of the kernel (w, 1, w) / (1 + 2 w) across and down; borders repeat.
fn soften(grey: &mut [f32], side: usize, w: f32) {
    let scale = 1.0 / (1.0 + 2.0 * w);
    for line in grey.chunks_exact_mut(side) {
        let mut before = line[0];
        for i in 0..side {
            let here = line[i];
            let after = line[(i + 1).min(side - 1)];
            line[i] = (here + w * (before + after)) * scale;
            before = here;
        }
    }
    let mut above = grey[..side].to_vec();
    for row in 0..side {
        let next = (row + 1).min(side - 1) * side;
        for (column, above) in above.iter_mut().enumerate() {
            let here = grey[row * side + column];
            let below = grey[next + column];
            grey[row * side + column] = (here + w * (*above + below)) * scale;
            *above = here;
        }
    }
}

/// A lead letter R, which marks the patient's right: five by seven cells.
fn marker(grey: &mut [f32], side: usize, at: (f32, f32), height: f32) {
    const R: [u8; 7] = [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001];
    let cell = height * side as f32 / 7.0;
    let (left, top) = (at.0 * side as f32, at.1 * side as f32);
    for (row, line) in grey.chunks_exact_mut(side).enumerate() {
        let y = (row as f32 + 0.5 - top) / cell;
        if !(0.0..7.0).contains(&y) {
            continue;
        }
        for (column, grey) in line.iter_mut().enumerate() {
            let x = (column as f32 + 0.5 - left) / (0.8 * cell);
            if (0.0..5.0).contains(&x) && R[y as usize] & (0b10000 >> x as usize) != 0 {
                *grey = 235.0;
            }
        }
    }
}
