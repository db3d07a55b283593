//! The soft parts of a small child: trunk, shoulders, arms, neck, head, lungs, heart, mediastinum
//! and abdomen.
//!
//! Everything is the length of a ray from front to back through simple solids (ellipsoids, elliptic
//! cylinders, capsules), so edges are sharp where a ray touches a surface, as on a film: heart
//! borders, domes, flanks.

use crate::cloud::{Cloud, ramp};
use crate::rng::Rng;

/// Water-equivalent share of aerated lung; the rest of its volume is air.
const LUNG_DENSITY: f32 = 0.27;

/// An arm from the shoulder joint to the elbow, with the sine of its direction at hand for the
/// bones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arm {
    pub(super) joint: (f32, f32),
    pub(super) elbow: (f32, f32),
    radius: f32,
}

/// A child of one to five years; lengths in centimetres.
#[derive(Clone, Debug)]
pub(super) struct Body {
    /// Half the inner width of the rib cage where it is widest.
    pub(super) half_width: f32,
    /// Half the inner depth of the rib cage.
    pub(super) half_depth: f32,
    /// Width of the cage at the apex as a share of its widest.
    top: f32,
    /// Length of the lungs from apex to the costophrenic angle.
    pub(super) length: f32,
    /// Height of the right dome; the left one is a little lower.
    pub(super) dome: f32,
    dome_left: f32,
    wall: f32,
    /// How far the parts in front (heart, clavicles) are shifted by a turn of the trunk.
    pub(super) turn: f32,
    heart: Heart,
    neck: f32,
    /// Depth of the armpits' notch in the outline.
    armpit: f32,
    /// How far above the lungs' apex the shoulders' upper line is.
    shoulder: f32,
    head: Option<(f32, f32, f32)>,
    pub(super) arms: [Arm; 2],
    gas: Vec<(f32, f32, f32, f32)>,
    trachea: f32,
    /// Distance from the spine's middle at which the lungs begin.
    medial: f32,
    /// Sideways bend of the spine: offset at the apex and at the bottom.
    bend: (f32, f32),
    uneven: f32,
}

/// The mediastinum's outline, as distances from its own midline, and its depth.
#[derive(Clone, Copy, Debug)]
struct Heart {
    /// Great vessels, and how far the thymus widens them.
    narrow: f32,
    thymus: f32,
    /// Farthest reach of the heart to the left, and the height at which it is reached.
    left: f32,
    apex: f32,
    right: f32,
    depth: f32,
}

impl Body {
    /// A child. `ill` children lie rather than stand: arms lower, head seldom in the field, less
    /// breath taken.
    pub(super) fn new(rng: &mut Rng, ill: bool) -> Self {
        let half_width = rng.about(9.4, 0.5);
        let breath = if ill { rng.about(10.6, 0.8) } else { rng.about(11.0, 0.5) };
        let head_chance = if ill { 0.25 } else { 0.95 };
        let raised = rng.chance(if ill { 0.3 } else { 0.6 });
        Self {
            half_width,
            half_depth: rng.about(5.9, 0.3),
            top: rng.about(0.47, 0.05),
            length: breath + rng.about(3.2, 0.3),
            dome: breath,
            dome_left: breath + rng.about(0.5, 0.35),
            wall: rng.about(2.0, 0.3),
            turn: rng.about(0.0, 0.35),
            heart: Heart {
                narrow: rng.about(2.1, 0.3),
                thymus: rng.about(0.35, 0.4).max(0.0),
                left: rng.about(if ill { 6.4 } else { 6.0 }, 0.6),
                apex: breath - rng.about(if ill { 1.3 } else { 2.0 }, 0.4),
                right: rng.about(3.0, 0.7),
                depth: rng.about(if ill { 9.5 } else { 6.0 }, 0.5),
            },
            neck: rng.about(2.9, 0.25),
            armpit: if raised { rng.within(0.1, 1.0) } else { rng.within(0.0, 0.4) },
            shoulder: rng.about(5.4, 1.2),
            head: rng
                .chance(head_chance)
                .then(|| (rng.about(0.2, 0.9), rng.about(-6.5, 0.9), rng.about(5.2, 0.4))),
            arms: [-1.0, 1.0].map(|side| Arm::new(rng, side, half_width, raised)),
            gas: (0..(3.0 * rng.unit()) as usize)
                .map(|_| {
                    let (x, y) = (rng.about(4.0, 2.0), breath + rng.within(1.8, 5.0));
                    (x, y, rng.within(0.6, 1.7), rng.within(0.5, 1.3))
                })
                .collect(),
            medial: rng.about(if ill { 0.7 } else { 0.45 }, 0.25),
            trachea: rng.about(0.45, 0.06),
            bend: (rng.about(0.0, 0.3), rng.about(0.0, 0.3)),
            uneven: rng.about(0.0, 0.04),
        }
    }

    /// Half width of the inside of the rib cage at height `y`, on the left (`side` 1) or right
    /// (-1).
    pub(super) fn cage(&self, y: f32, side: f32) -> f32 {
        let s = (y / self.length).clamp(-0.2, 1.0);
        let open = self.top + (1.0 - self.top) * (1.0 - (1.0 - s) * (1.0 - s));
        self.half_width * open.max(0.1) * (1.0 + side * self.uneven)
    }

    /// Where the middle of the spine is at height `y`.
    pub(super) fn spine(&self, y: f32) -> f32 {
        let s = y / self.length;
        self.bend.0 * (1.0 - s) + self.bend.1 * s
    }

    /// The water-equivalent thickness from skin to skin, were there no air in the body.
    pub(super) fn flesh(&self, x: f32, y: f32, cloud: &Cloud) -> f32 {
        let fibres = 1.0 + 0.05 * cloud.at(x * 0.35, y * 0.35) + 0.03 * cloud.at(x * 1.3 + 7.0, y * 1.3);
        self.outline(x, y) * fibres
    }

    /// Centimetres of air in the lungs (less where `opacity` of them is filled), airways, stomach
    /// and bowel.
    pub(super) fn hollow(&self, x: f32, y: f32, opacity: f32, cloud: &Cloud) -> f32 {
        let mut air = self.air(x, y) * (1.0 - LUNG_DENSITY) * (1.0 - opacity) + self.windpipe(x, y);
        if y > self.dome {
            for &(gx, gy, rx, ry) in &self.gas {
                let q = square((x - gx) / rx) + square((y - gy) / ry);
                if q < 2.0 {
                    let wobble = 1.0 + 0.4 * cloud.at(x * 0.7, y * 0.7);
                    air += 2.2 * ry * chord(q * wobble);
                }
            }
        }
        air
    }

    /// Centimetres of lung that a ray passes.
    pub(super) fn air(&self, x: f32, y: f32) -> f32 {
        if y < 0.0 || y > self.length + 0.5 {
            return 0.0;
        }
        let spine = self.spine(y);
        let side = if x < spine { -1.0 } else { 1.0 };
        let across = (x - spine) * side;
        let cage = self.cage(y, side);
        if across <= self.medial || across >= cage {
            return 0.0;
        }
        let cap = ((1.9 - y) / 1.9).max(0.0);
        let inside = chord(square(across / cage) + cap * cap);
        let edges = ramp((across - self.medial) / 1.2) * ramp((self.length + 0.4 - y) / 1.5);
        let depth = 2.0 * self.half_depth * taper(y) * inside * edges;
        if depth <= 0.0 {
            return 0.0;
        }
        (depth - self.middle(x, y) - self.below(x, y, side)).max(0.0)
    }

    fn middle(&self, x: f32, y: f32) -> f32 {
        let h = &self.heart;
        let x = x - self.turn;
        if x.abs() > h.left.max(h.narrow + h.thymus) {
            return 0.0;
        }
        let vessels = h.narrow + h.thymus * (1.0 - square((y - 3.0) / 3.0)).max(0.0);
        let opening = ramp((y - 1.5) / (h.apex - 1.5));
        let reach = if x < 0.0 {
            vessels + (h.right - h.narrow) * ramp((y - 3.5) / 4.0)
        } else {
            let closing = if y > h.apex { chord(square((y - h.apex) / 3.6)) } else { 1.0 };
            (vessels + (h.left - h.narrow) * opening) * closing
        };
        (6.2 + (h.depth - 6.2) * opening) * chord(square(x / reach.max(0.1)))
    }

    /// The abdomen's organs under one half of the diaphragm.
    fn below(&self, x: f32, y: f32, side: f32) -> f32 {
        let (centre, top) = if side < 0.0 { (-4.0, self.dome) } else { (4.4, self.dome_left) };
        if y < top {
            return 0.0;
        }
        // A dome that is flat in the middle and falls to the costophrenic angle.
        let (width, height) = (5.6, self.length - top + 0.6);
        let q = square((x - centre) / width) + square((y - top - height) / height);
        if y > top + height { 40.0 } else { 2.4 * self.half_depth * chord(q) }
    }

    /// Air in the trachea and the main bronchi.
    fn windpipe(&self, x: f32, y: f32) -> f32 {
        let carina = 4.0;
        if y > carina + 1.6 {
            return 0.0;
        }
        let middle = -0.15 + 0.5 * self.turn;
        let (centre, radius) = if y < carina {
            (middle, self.trachea)
        } else {
            let spread = (y - carina) * if x < middle { -0.75 } else { 1.1 };
            (middle + spread, 0.7 * self.trachea)
        };
        1.5 * radius * chord(square((x - centre) / radius))
    }

    /// Everything from skin to skin: trunk, shoulders, arms, neck and head.
    fn outline(&self, x: f32, y: f32) -> f32 {
        // Muscle and shoulder blades fill what the cage, narrow at the top, leaves of a trunk of even
        // width.
        let side = if x < 0.0 { -1.0 } else { 1.0 };
        let half = self.half_width * (1.0 + side * self.uneven) + self.wall + -0.3 * (y - 7.0) / 7.0
            - self.armpit * (1.0 - square((y - 4.5) / 4.0)).max(0.0);
        let shoulder_line = ramp((y + self.shoulder - 0.012 * x * x) / 3.6);
        let q = square(x / half);
        // The furrow along the spine.
        let furrow = 1.8 * chord(square((x - self.spine(y)) / 3.0)) * ramp((y - 1.0) / 5.0);
        let blades = 2.6 * ramp((x.abs() - 2.5) / 4.0) * ramp((11.0 - y) / 8.0);
        let depth = 2.0 * (self.half_depth * taper(y) + 1.25) + blades - furrow;
        let mut all = depth * chord(q * (0.9 + 0.1 * q)) * shoulder_line;
        if x.abs() > 5.0 {
            all = join(all, self.arms[if x < 0.0 { 0 } else { 1 }].thickness(x, y));
        }
        if y < 3.0 {
            let flare = self.neck + 1.8 * square(((y + 3.2) / 3.2).max(0.0));
            all = join(all, 7.0 * chord(square(x / flare)) * ramp((2.5 - y) / 3.0));
        }
        if let Some((hx, hy, radius)) = self.head {
            let q = square((x - hx) / radius) + square((y - hy) / (radius * 1.05));
            // The skull's bone adds to its soft parts.
            all = join(all, 21.0 * chord(q));
        }
        all
    }
}

impl Arm {
    fn new(rng: &mut Rng, side: f32, half_width: f32, raised: bool) -> Self {
        let joint = (side * (half_width - rng.about(0.6, 0.4)), rng.about(-0.4, 0.5));
        let slope = if raised { rng.within(-1.6, -0.5) } else { rng.within(-0.2, 0.9) };
        let norm = 14.0 / (1.0 + slope * slope).sqrt();
        Self { joint, elbow: (joint.0 + side * norm, joint.1 + slope * norm), radius: rng.about(2.5, 0.25) }
    }

    fn thickness(&self, x: f32, y: f32) -> f32 {
        2.0 * self.radius * chord(capsule(x, y, self.joint, self.elbow, self.radius))
    }
}

/// The chest is shallower at the apex than at the diaphragm.
fn taper(y: f32) -> f32 {
    0.66 + 0.34 * ramp(y / 10.0)
}

/// Half the length of a ray through a unit ball at squared distance `q` from its centre.
pub(super) fn chord(q: f32) -> f32 {
    (1.0 - q).max(0.0).sqrt()
}

pub(super) fn square(v: f32) -> f32 {
    v * v
}

/// The greater of two thicknesses, rounded where they are close: skin has no creases.
fn join(a: f32, b: f32) -> f32 {
    if b <= 0.0 {
        return a;
    }
    0.5 * (a + b + ((a - b) * (a - b) + 1.2).sqrt()) - 0.5 * (1.2 / (0.3 + a + b)).min(1.0)
}

/// Squared distance from a segment, in squared radii.
fn capsule(x: f32, y: f32, from: (f32, f32), to: (f32, f32), radius: f32) -> f32 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let s = (((x - from.0) * dx + (y - from.1) * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
    let (ox, oy) = (x - from.0 - s * dx, y - from.1 - s * dy);
    (ox * ox + oy * oy) / (radius * radius)
}
