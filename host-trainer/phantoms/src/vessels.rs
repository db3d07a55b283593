//! The lungs' vessels: trees that leave the hila, fork and thin out towards the pleura.

use crate::body::Body;
use crate::canvas::{Canvas, Pair};
use crate::rng::Rng;

/// Length of one step along a vessel, in centimetres.
const STEP: f32 = 0.14;

/// Draws both lungs' trees; `markings` 1 is healthy, more draws wider and more vessels and
/// bronchial walls.
pub(super) fn draw(canvas: &mut Canvas, body: &Body, markings: f32, rng: &mut Rng) {
    for side in [-1.0f32, 1.0] {
        let hilum = (side * 2.3 + 0.5 * body.turn, if side < 0.0 { 5.4 } else { 5.0 });
        canvas.ball(hilum.0, hilum.1, (1.0, 1.5), 1.0 * markings, 0.0);
        let branches = (14.0 * markings) as usize;
        for i in 0..branches {
            // From steeply up to steeply down, more of them down.
            let angle = -1.15 + 2.6 * (i as f32 + rng.unit()) / branches as f32;
            let direction = (side * libm::cosf(angle), libm::sinf(angle));
            let from = (hilum.0 + 0.3 * rng.normal(), hilum.1 + 0.7 * angle + 0.6 * rng.normal());
            grow(canvas, body, from, direction, rng.within(0.13, 0.22) * (0.6 + 0.4 * markings), rng);
        }
    }
}

/// One branch and its forks, kept on a list instead of in recursion.
fn grow(canvas: &mut Canvas, body: &Body, from: Pair, direction: Pair, radius: f32, rng: &mut Rng) {
    let mut tips = vec![(from, direction, radius)];
    while let Some((mut at, mut direction, mut radius)) = tips.pop() {
        while radius > 0.045 {
            at = (at.0 + STEP * direction.0, at.1 + STEP * direction.1);
            if body.air(at.0, at.1) < 0.6 && (at.0.abs() > 3.5 || at.1 > body.dome) {
                break;
            }
            canvas.ball(at.0, at.1, (radius, radius), 2.0 * STEP * 1.2, 0.0);
            let bend = 0.16 * rng.normal();
            direction = (direction.0 - bend * direction.1, direction.1 + bend * direction.0);
            let norm = (direction.0 * direction.0 + direction.1 * direction.1).sqrt();
            direction = (direction.0 / norm, direction.1 / norm);
            radius *= 0.981;
            if rng.chance(0.075) {
                let fork = rng.sign() * rng.within(0.4, 0.9);
                let forked = (direction.0 - fork * direction.1, direction.1 + fork * direction.0);
                tips.push((at, forked, 0.72 * radius));
                radius *= 0.88;
            }
        }
    }
}
