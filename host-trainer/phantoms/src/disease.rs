//! What pneumonia does to the lungs: fluid takes the place of air.
//!
//! Four patterns that are told apart on children's films: consolidation of a lobe on the right or
//! on the left, patches along the bronchi (bronchopneumonia), and a diffuse, perihilar haze with
//! coarse markings (interstitial).

use crate::body::{Body, square};
use crate::cloud::Cloud;
use crate::cloud::ramp;
use crate::rng::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    Clear,
    RightLobe,
    LeftLobe,
    Patches,
    /// Both lungs, most around the hila.
    Diffuse,
}

impl Pattern {
    pub(super) const ILL: [Pattern; 4] =
        [Pattern::RightLobe, Pattern::LeftLobe, Pattern::Diffuse, Pattern::Patches];
}

/// A consolidated region: an ellipse with a ragged edge.
#[derive(Clone, Copy, Debug)]
struct Focus {
    x: f32,
    y: f32,
    rx: f32,
    ry: f32,
    /// Share of the air that is gone in its middle.
    strength: f32,
    /// Width of the edge, in radii.
    edge: f32,
    /// Heights between which it stays where a fissure bounds it.
    between: (f32, f32),
}

/// Where the air is gone.
#[derive(Clone, Debug)]
pub(super) struct Disease {
    foci: Vec<Focus>,
    haze: f32,
    haze_grain: f32,
    hila: f32,
    /// Factor on the number and width of the visible vessels and bronchial walls.
    pub(super) markings: f32,
}

impl Disease {
    pub(super) fn new(rng: &mut Rng, pattern: Pattern, body: &Body) -> Self {
        let mut this = Self {
            foci: Vec::new(),
            haze: rng.within(0.0, 0.05),
            haze_grain: rng.within(0.05, 0.1),
            hila: rng.within(0.05, 0.12),
            markings: rng.about(1.2, 0.12),
        };
        if pattern == Pattern::Clear {
            return this;
        }
        // The rest of the lungs is seldom clear either.
        this.haze = rng.within(0.24, 0.46);
        this.haze_grain = rng.within(0.12, 0.25);
        this.hila = rng.within(0.3, 0.55);
        this.markings = rng.about(1.45, 0.15);
        match pattern {
            Pattern::Clear => {}
            Pattern::RightLobe | Pattern::LeftLobe => {
                let side = if pattern == Pattern::RightLobe { -1.0 } else { 1.0 };
                let fissure = rng.about(0.5, 0.04) * body.dome;
                let upper = rng.chance(0.4);
                let y = if upper { fissure - rng.about(2.4, 0.4) } else { fissure + rng.about(2.9, 0.4) };
                let x = side * (0.5 * body.cage(y, side) + rng.about(0.3, 0.4));
                let between = if upper { (-100.0, fissure) } else { (fissure, 100.0) };
                let (rx, ry) = (rng.within(3.8, 5.2), rng.within(3.2, 4.4));
                let strength = rng.within(0.72, 0.92);
                this.foci.push(Focus { x, y, rx, ry, strength, edge: 0.7, between });
            }
            Pattern::Patches => {
                for i in 0..rng.within(5.0, 9.0) as usize {
                    let side = if i % 2 == 0 { -1.0 } else { 1.0 };
                    let y = rng.within(0.25, 0.98) * body.dome;
                    let x = side * rng.within(0.28, 0.75) * body.cage(y, side);
                    let (rx, ry) = (rng.within(1.5, 2.8), rng.within(1.4, 2.6));
                    let strength = rng.within(0.6, 0.85);
                    let between = (-100.0, 100.0);
                    this.foci.push(Focus { x, y, rx, ry, strength, edge: 1.0, between });
                }
            }
            Pattern::Diffuse => {
                this.haze = rng.within(0.44, 0.64);
                this.haze_grain = rng.within(0.3, 0.5);
                this.hila = rng.within(0.4, 0.6);
                this.markings = rng.about(1.8, 0.2);
            }
        }
        this
    }

    /// Share of the air that fluid replaces at a position, 0..=0.95.
    pub(super) fn opacity(&self, x: f32, y: f32, cloud: &Cloud) -> f32 {
        let coarse = cloud.at(x * 0.5 + 3.0, y * 0.5);
        let fine = cloud.at(x * 1.7, y * 1.7 + 5.0);
        let texture = 0.65 * coarse + 0.35 * fine;
        let mut clear = 1.0 - (self.haze + self.haze_grain * texture).max(0.0);
        let hilum = square((x.abs() - 2.4) / 2.6) + square((y - 5.6) / 3.2);
        clear *= 1.0 - self.hila * ramp(1.0 - hilum) * (1.0 + 0.5 * fine);
        for focus in &self.foci {
            let q = square((x - focus.x) / focus.rx) + square((y - focus.y) / focus.ry);
            if q > 2.2 {
                continue;
            }
            let depth = ramp((1.0 - q + 0.3 * coarse) / focus.edge);
            let bounded = ramp((y - focus.between.0) / 0.5) * ramp((focus.between.1 - y) / 0.5);
            clear *= 1.0 - focus.strength * depth * bounded * (1.0 + 0.12 * fine);
        }
        (1.0 - clear).clamp(0.0, 0.95)
    }
}
