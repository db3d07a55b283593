//! A photograph of a film on a light box, or of a screen, as a camera would take it.
//!
//! The order is that of the light: the screen's gamma makes light of pixels, the camera stands
//! askew (perspective), a lamp is reflected (glare), the screen's grid beats with the sensor's
//! (moire), the lens darkens its corners (vignette), the hand moves (motion), the sensor exposes
//! with the gains of a white balance and adds noise, the camera encodes, mixes to grey as the device
//! does, and stores a JPEG. [`Photo`] holds what was drawn; each part is a function of light from 0
//! (black) to 1 (the screen's white), so that each can be looked at alone.

use super::{GrayImage, through_jpeg};
use crate::dataset::{ModelInput, Sample, WORKING_SIDE, prepare};
use crate::random::{Purpose, SeededRng};
use edge_core::{FrameError, Geometry, PixelFormat};
use edge_model::decode::Picture;
use std::borrow::Cow;

const N: usize = WORKING_SIDE as usize;
/// What cameras encode with, and what a screen that is set right undoes.
const GAMMA: f32 = 2.2;
/// Seed of the film validation set; no training uses it.
const SEED: u64 = 20_261_130;

/// One way to take the photograph. Lengths are shares of a side unless they are called pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// Exponent from pixel to light.
    pub screen_gamma: f32,
    /// Where the photograph's corners lie on the film, from 0 to 1 across and down: top left, top
    /// right, bottom right, bottom left.
    pub corners: [[f32; 2]; 4],
    /// Light of what is seen beside the film.
    pub beside: f32,
    pub glare: Glare,
    pub moire: Moire,
    /// Share of light that the corners lose.
    pub vignette: f32,
    /// Length in pixels and direction in radians of the hand's movement.
    pub motion: (f32, f32),
    /// Factors of red, green and blue light, exposure included.
    pub gains: [f32; 3],
    /// Variance of the noise: this much of the light, and a constant.
    pub noise: (f32, f32),
    /// JPEG quality, 1..=100.
    pub quality: u8,
}

/// A reflected lamp: a round spot of light that falls off as a bell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glare {
    /// Across and down, 0 to 1.
    pub centre: [f32; 2],
    /// Standard deviation of the bell.
    pub radius: f32,
    /// Light added in the middle.
    pub light: f32,
}

/// A wave over the picture, and the same at a right angle to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moire {
    /// Pixels.
    pub period: f32,
    /// Direction in which the first wave runs, radians.
    pub angle: f32,
    /// Where it begins, radians.
    pub phase: f32,
    /// Share of the light by which each wave rises and falls.
    pub strength: f32,
}

impl Photo {
    /// Neither bent nor lit nor noisy: what it takes is the source itself, but for the JPEG.
    pub const PLAIN: Self = Self {
        screen_gamma: GAMMA,
        corners: [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]],
        beside: 0.0,
        glare: Glare { centre: [0.5, 0.5], radius: 0.1, light: 0.0 },
        moire: Moire { period: 8.0, angle: 0.0, phase: 0.0, strength: 0.0 },
        vignette: 0.0,
        motion: (0.0, 0.0),
        gains: [1.0; 3],
        noise: (0.0, 0.0),
        quality: 100,
    };

    /// What somebody with a telephone in hand may do. The limits are a judgement, fitted on nothing:
    /// corners a twelfth off, a glare of up to a third of full light, motion of up to 5 of 224 pixels,
    /// exposure by up to a third and white balance by a quarter either way.
    pub fn draw(rng: &mut SeededRng) -> Self {
        let spread = |rng: &mut SeededRng, limit: f32| rng.uniform(-1.0, 1.0) * limit;
        let corners = Self::PLAIN.corners.map(|corner| corner.map(|at| at + spread(rng, 1.0 / 12.0)));
        let beside = rng.unit() * rng.unit();
        let screen_gamma = rng.uniform(1.7, 2.8);
        let glare = Glare {
            centre: [rng.unit(), rng.unit()],
            radius: rng.uniform(0.05, 0.3),
            light: if rng.bernoulli(0.5) { rng.uniform(0.05, 0.35) } else { 0.0 },
        };
        let moire = Moire {
            period: rng.uniform(3.0, 24.0),
            angle: rng.uniform(0.0, std::f32::consts::PI),
            phase: rng.uniform(0.0, std::f32::consts::TAU),
            strength: if rng.bernoulli(0.5) { rng.uniform(0.02, 0.12) } else { 0.0 },
        };
        let vignette = rng.uniform(0.0, 0.45);
        let length = if rng.bernoulli(0.5) { rng.uniform(1.0, 5.0) } else { 0.0 };
        let motion = (length, rng.uniform(0.0, std::f32::consts::PI));
        let exposure = (spread(rng, 1.0) * 1.33f32.ln()).exp();
        let tint = spread(rng, 1.25f32.ln()).exp();
        Self {
            screen_gamma,
            corners,
            beside,
            glare,
            moire,
            vignette,
            motion,
            gains: [exposure * tint, exposure, exposure / tint],
            noise: (rng.uniform(0.0, 1.5e-3), rng.uniform(0.0, 1e-4)),
            quality: rng.uniform(30.0, 95.0) as u8,
        }
    }

    /// Takes `source`, [`WORKING_SIDE`] squared grey pixels; `rng` makes the noise.
    pub fn take(&self, source: &[u8], rng: &mut SeededRng) -> Vec<u8> {
        let shown: [f32; 256] = std::array::from_fn(|v| (v as f32 / 255.0).powf(self.screen_gamma));
        let light: Vec<f32> = source.iter().map(|&v| shown[usize::from(v)]).collect();
        let mut light = askew(&light, &self.corners, self.beside);
        reflect(&mut light, &self.glare);
        beat(&mut light, &self.moire);
        darken_corners(&mut light, self.vignette);
        let light = moved(&light, self.motion);
        through_jpeg(develop(&light, self.gains, self.noise, rng), WORKING_SIDE.into(), self.quality)
    }
}

/// With this probability a photograph of `source`, else `source` itself. At 0 nothing is drawn.
pub fn sometimes<'a>(source: &'a [u8], share: f64, rng: &mut SeededRng) -> Cow<'a, [u8]> {
    match share > 0.0 && rng.bernoulli(share as f32) {
        true => Cow::Owned(Photo::draw(rng).take(source, rng)),
        false => Cow::Borrowed(source),
    }
}

/// The photograph of one sample in the film validation set. It depends on the sample's content
/// alone, whatever split it is in.
fn photograph(sample: &Sample) -> GrayImage {
    let mut key = [0; 8];
    key.copy_from_slice(&sample.content[..8]);
    let mut rng = SeededRng::new(SEED, Purpose::Film, 0, u64::from_le_bytes(key));
    let photo = Photo::draw(&mut rng);
    GrayImage { side: WORKING_SIDE.into(), pixels: photo.take(&sample.working, &mut rng) }
}

/// [`photograph`] as the network takes it.
pub fn film_input(sample: &Sample, side: u16) -> ModelInput {
    let photo = photograph(sample);
    prepare(&photo.pixels, photo.side, side)
}

/// [`photograph`] before the preprocessing.
pub fn film_picture(sample: &Sample) -> Result<Picture, FrameError> {
    let photo = photograph(sample);
    Picture::new(Geometry::new(photo.side, photo.side, PixelFormat::Gray8)?, photo.pixels)
}

/// Middle of a pixel's cell, from 0 to 1.
fn middle(at: usize) -> f32 {
    (at as f32 + 0.5) / N as f32
}

/// The film seen from a place that is not straight before it: the projective map that takes the
/// photograph's corners to `corners` (Heckbert, "Fundamentals of Texture Mapping and Image Warping",
/// 1989, section 2.2.3), sampled bilinearly.
fn askew(light: &[f32], corners: &[[f32; 2]; 4], beside: f32) -> Vec<f32> {
    let [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = *corners;
    let (sx, sy) = (x0 - x1 + x2 - x3, y0 - y1 + y2 - y3);
    let (dx1, dx2, dy1, dy2) = (x1 - x2, x3 - x2, y1 - y2, y3 - y2);
    let determinant = dx1 * dy2 - dx2 * dy1;
    let g = (sx * dy2 - dx2 * sy) / determinant;
    let h = (dx1 * sy - sx * dy1) / determinant;
    let at = |x: i32, y: i32| match (0..N as i32).contains(&x) && (0..N as i32).contains(&y) {
        true => light[y as usize * N + x as usize],
        false => beside,
    };
    let mut out = Vec::with_capacity(N * N);
    for row in 0..N {
        for column in 0..N {
            let (u, v) = (middle(column), middle(row));
            let w = g * u + h * v + 1.0;
            let x = ((x1 - x0 + g * x1) * u + (x3 - x0 + h * x3) * v + x0) / w * N as f32 - 0.5;
            let y = ((y1 - y0 + g * y1) * u + (y3 - y0 + h * y3) * v + y0) / w * N as f32 - 0.5;
            let (fx, fy, left, top) = (x - x.floor(), y - y.floor(), x.floor() as i32, y.floor() as i32);
            let upper = at(left, top) * (1.0 - fx) + at(left + 1, top) * fx;
            let lower = at(left, top + 1) * (1.0 - fx) + at(left + 1, top + 1) * fx;
            out.push(upper * (1.0 - fy) + lower * fy);
        }
    }
    out
}

fn reflect(light: &mut [f32], glare: &Glare) {
    if glare.light == 0.0 {
        return;
    }
    let bell = |at: usize, centre: f32| (-0.5 * ((middle(at) - centre) / glare.radius).powi(2)).exp();
    let across: Vec<f32> = (0..N).map(|x| glare.light * bell(x, glare.centre[0])).collect();
    for (y, row) in light.chunks_exact_mut(N).enumerate() {
        let down = bell(y, glare.centre[1]);
        row.iter_mut().zip(&across).for_each(|(value, across)| *value += across * down);
    }
}

fn beat(light: &mut [f32], moire: &Moire) {
    if moire.strength == 0.0 {
        return;
    }
    let (sin, cos) = moire.angle.sin_cos();
    let step = std::f32::consts::TAU / moire.period;
    for (i, value) in light.iter_mut().enumerate() {
        let (x, y) = ((i % N) as f32, (i / N) as f32);
        let (along, across) = (x * cos + y * sin, y * cos - x * sin);
        let wave = |at: f32| 1.0 + moire.strength * (step * at + moire.phase).cos();
        *value *= wave(along) * wave(across);
    }
}

/// Light falls with the square of the distance from the middle; the corners lose `share`.
fn darken_corners(light: &mut [f32], share: f32) {
    for (i, value) in light.iter_mut().enumerate() {
        let (x, y) = (middle(i % N) - 0.5, middle(i / N) - 0.5);
        *value *= 1.0 - share * 2.0 * (x * x + y * y);
    }
}

/// The mean along a line of `length` pixels in the direction `angle`, by steps of half a pixel; the
/// border is drawn out.
fn moved(light: &[f32], (length, angle): (f32, f32)) -> Vec<f32> {
    let steps = (2.0 * length).round() as i32;
    if steps < 1 {
        return light.to_vec();
    }
    let (sin, cos) = angle.sin_cos();
    let offsets: Vec<(i32, i32)> = (0..=steps)
        .map(|i| length * (i as f32 / steps as f32 - 0.5))
        .map(|along| ((along * cos).round() as i32, (along * sin).round() as i32))
        .collect();
    let last = N as i32 - 1;
    let mean = |i: usize| {
        let (x, y) = ((i % N) as i32, (i / N) as i32);
        let tap = |(dx, dy): &(i32, i32)| {
            light[(y + dy).clamp(0, last) as usize * N + (x + dx).clamp(0, last) as usize]
        };
        offsets.iter().map(tap).sum::<f32>() / offsets.len() as f32
    };
    (0..N * N).map(mean).collect()
}

/// Light to grey: each colour is exposed by its gain and clipped, encoded, and mixed with the weights
/// of edge-core's luminance (ITU-R BT.601). A pixel's noise is that of its light.
fn develop(light: &[f32], gains: [f32; 3], (shot, read): (f32, f32), rng: &mut SeededRng) -> Vec<u8> {
    const WEIGHTS: [f32; 3] = [77.0 / 256.0, 150.0 / 256.0, 29.0 / 256.0];
    // Encoded light in steps that are finer than 8 bits wherever it is not nearly black.
    const STEPS: usize = 1 << 14;
    let encoded: Vec<f32> =
        (0..=STEPS).map(|i| 255.0 * (i as f32 / STEPS as f32).powf(1.0 / GAMMA)).collect();
    let quiet = shot == 0.0 && read == 0.0;
    let mut pixel = |&light: &f32| {
        let noise = if quiet { 0.0 } else { (shot * light.max(0.0) + read).sqrt() * rng.normal() };
        let channel = |gain: f32| {
            let exposed = ((light + noise) * gain).clamp(0.0, 1.0);
            encoded[(exposed * STEPS as f32).round() as usize]
        };
        let mixed: f32 = gains.iter().zip(WEIGHTS).map(|(&gain, weight)| weight * channel(gain)).sum();
        mixed.round() as u8
    };
    light.iter().map(&mut pixel).collect()
}

#[cfg(test)]
mod tests;
