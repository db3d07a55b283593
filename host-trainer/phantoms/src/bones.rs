//! The skeleton: ribs as hoops in space, the spine, clavicles, shoulder blades and upper arms.
//!
//! A rib is drawn as a chain of balls along its course from the spine round the side to the front.
//! Where the hoop runs along the beam, at the side of the chest, the balls overlap and the bone
//! gets bright by itself.

use crate::body::{Body, chord, square};
use crate::canvas::{Canvas, Pair};
use crate::cloud::ramp;
use crate::rng::Rng;

#[derive(Clone, Debug)]
pub(super) struct Bones {
    /// Water-equivalent excess of a centimetre of bone; the younger, the less.
    density: f32,
    rib_radius: f32,
    rib_spacing: f32,
    first_rib: f32,
    /// Fall of the rib's plane from back to front, centimetres a centimetre.
    rib_fall: f32,
    clavicle_rise: f32,
    vertebra: f32,
    phase: f32,
    blade: f32,
}

impl Bones {
    pub(super) fn new(rng: &mut Rng, body: &Body) -> Self {
        Self {
            density: rng.about(1.5, 0.15),
            rib_radius: rng.about(0.33, 0.03),
            rib_spacing: body.length / rng.about(11.3, 0.35),
            first_rib: rng.about(-0.6, 0.25),
            rib_fall: rng.about(0.5, 0.08),
            clavicle_rise: rng.about(1.2, 0.7),
            vertebra: rng.about(1.15, 0.05),
            phase: rng.unit(),
            blade: rng.about(0.0, 0.6),
        }
    }

    /// Excess thickness of the spine at a position; ask for the pixels near it only.
    pub(super) fn spine(&self, body: &Body, x: f32, y: f32) -> f32 {
        let across = (x - body.spine(y)).abs();
        if across > 2.3 {
            return 0.0;
        }
        let count = (y + 20.0) / self.vertebra + self.phase;
        let part = count - count.floor(); // 0 and 1 in the middle of a disc
        let from_disc = part.min(1.0 - part);
        let body_of_it = ramp((1.15 - across) / 0.2) * (0.55 + 0.45 * ramp((from_disc - 0.06) / 0.08));
        let end_plate = ramp((1.15 - across) / 0.2) * ramp(1.0 - (from_disc - 0.13).abs() / 0.07);
        let pedicle = chord(square((across - 0.8) / 0.26) + square((part - 0.42) / 0.26));
        let spinous = chord(square(across / 0.22) + square((part - 0.72) / 0.3));
        let transverse = chord(square((part - 0.45) / 0.2)) * ramp((2.2 - across) / 0.7);
        let deeper = 1.0 - 0.3 * ramp(y / 10.0);
        let parts = 0.2 * end_plate + 0.35 * pedicle + 0.25 * spinous + 0.25 * transverse;
        self.density * deeper * (0.25 * body_of_it + 0.9 * parts)
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, body: &Body, rng: &mut Rng) {
        for rib in 0..12 {
            for side in [-1.0, 1.0] {
                self.rib(canvas, body, rib as f32, side, rng);
            }
        }
        for (side, arm) in [-1.0f32, 1.0].into_iter().zip(&body.arms) {
            self.shoulder(canvas, body, side, arm.joint);
            let (dx, dy) = (arm.elbow.0 - arm.joint.0, arm.elbow.1 - arm.joint.1);
            let neck = (arm.joint.0 + 0.12 * dx, arm.joint.1 + 0.12 * dy);
            canvas.rod(arm.joint, neck, (0.95, 0.62), 0.45 * self.density, 0.5);
            canvas.rod(neck, arm.elbow, (0.62, 0.5), 0.7 * self.density, 0.9);
        }
    }

    /// One rib: an ellipse round the cage in a plane that falls towards the front.
    fn rib(&self, canvas: &mut Canvas, body: &Body, number: f32, side: f32, rng: &mut Rng) {
        let start = self.first_rib + self.rib_spacing * number + 0.08 * rng.normal();
        // The first ribs are short and tight, the last two end early.
        let depth = body.half_depth * (0.55 + 0.45 * ramp((number + 1.0) / 4.0));
        let end = if number > 9.5 { 1.5 } else { 2.35 + 0.1 * rng.normal() };
        let fall = self.rib_fall * (1.0 + 0.06 * rng.normal());
        let radius = self.rib_radius * if number < 1.0 { 0.85 } else { 1.0 };
        // The cage's width where the rib passes its side.
        let half = (body.cage(start + fall * depth, side) + 0.1) * (0.75 + 0.25 * ramp((number + 0.5) / 2.5));
        // A rib is a plate on the cage's surface: seen from behind it is tall, seen along the side of the
        // chest thin.
        let rib_share = if number > 9.5 { 1.0 } else { 2.0 };
        let radii = (0.55 * radius, radius);
        let step = 0.5 * radii.0 / half.max(depth);
        let density =
            self.density * rib_share * (0.55 + 0.45 * ramp(number / 3.0)) * (1.0 + 0.12 * rng.normal());
        let (mut angle, mut last): (f32, Option<(f32, f32, f32)>) = (0.07, None);
        while angle < end {
            let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
            // A hoop is squarer than an ellipse: full sides, flat back.
            let out = sin * (1.0 + 0.10 * sin * cos * cos);
            let at = (
                body.spine(start) + side * half * out,
                start + fall * depth * (0.5 * (1.0 - cos) + 0.32 * angle)
                    - 0.35 * libm::sinf(2.0 * angle).max(0.0),
                depth * cos,
            );
            if let Some(last) = last {
                let length = (square(at.0 - last.0) + square(at.1 - last.1) + square(at.2 - last.2)).sqrt();
                // Bone gives way to cartilage, which is soft, at the front.
                let ossified = ramp((end - angle) / 0.25);
                let peak = 2.0 * density * (0.8 + 0.5 * cos * cos) * length * ossified;
                canvas.ball(at.0, at.1, radii, peak, 1.35);
            }
            last = Some(at);
            angle += step;
        }
    }

    /// Clavicle and the parts of the shoulder blade that are dense enough to see.
    fn shoulder(&self, canvas: &mut Canvas, body: &Body, side: f32, joint: Pair) {
        let shift = body.turn;
        let inner = (side * 1.5 + shift, 0.9);
        let middle = (side * 3.9 + shift, 0.9 - 0.75 * self.clavicle_rise);
        let outer = (joint.0 - side * 1.2, joint.1.min(0.6) - 0.5 * self.clavicle_rise - 0.2);
        canvas.rod(inner, middle, (0.42, 0.3), 1.5 * self.density, 0.8);
        canvas.rod(middle, outer, (0.3, 0.34), 1.5 * self.density, 0.8);
        let tip = (joint.0 - side * 1.1, joint.1 + 0.9 + 0.3 * self.blade);
        let low = (joint.0 - side * (0.2 + 0.3 * self.blade), 6.2 + self.blade);
        let corner = (tip.0 + side * 0.7, tip.1 + 1.3);
        canvas.rod((tip.0 - side * 0.5, tip.1), corner, (0.3, 0.25), self.density, 0.6);
        canvas.rod(corner, low, (0.28, 0.2), 0.4 * self.density, 0.3);
    }
}
