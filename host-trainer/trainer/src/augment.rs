//! Changes a training picture as another room, film, screen and camera would: the network must not
//! live on geometry, JPEG quality or tone, which give the class away in this kind of data.
//!
//! The order is that of the physical chain: patient and framing (crop, aspect, rotation, mirror),
//! exposure and tone (gamma, contrast, uneven light), optics (down-scaling, blur), sensor (noise),
//! storage (JPEG), and last something in front of the picture (erasing). The result goes through
//! edge-core's preprocessing like any other picture. The same code with [`AugmentParams::SHIFTED`]
//! and a fixed seed makes the shifted validation set.

pub mod batches;
pub mod condition;
pub mod film;

use crate::dataset::{ModelInput, WORKING_SIDE, prepare};
use crate::random::SeededRng;
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::{ExtendedColorType, ImageDecoder};
use std::io::Cursor;

/// How far each change may go.
#[derive(Clone, Copy, Debug)]
pub struct AugmentParams {
    /// Least share of each side that a crop keeps; crops may also reach beyond the picture by a
    /// tenth.
    pub crop: f32,
    /// Largest factor of the aspect ratio.
    pub aspect: f32,
    /// Largest turn to either side, in degrees.
    pub rotation: f32,
    /// Probability of mirroring left and right.
    pub mirror: f32,
    /// Largest factor of gamma.
    pub gamma: f32,
    /// Largest strength of an uneven light across the picture, as a share of full scale.
    pub light: f32,
    /// Smallest side that the picture is scaled to.
    pub small: u32,
    /// Largest blur, standard deviation in pixels at 128 pixels a side.
    pub blur: f32,
    /// Largest noise, standard deviation in 8-bit steps.
    pub noise: f32,
    /// Lowest JPEG quality, 1..=100.
    pub quality: u8,
    /// Probability that each of blur, noise, JPEG and light is applied.
    pub often: f32,
    /// Probability that a rectangle is erased.
    pub erase: f32,
}

impl AugmentParams {
    pub const TRAINING: Self = Self {
        crop: 0.7,
        aspect: 1.4,
        rotation: 12.0,
        mirror: 0.5,
        gamma: 1.8,
        light: 0.25,
        small: 96,
        blur: 1.5,
        noise: 10.0,
        quality: 20,
        often: 0.35,
        erase: 0.3,
    };
    /// For the shifted validation set: everything an installation may do to a picture that is still
    /// a chest, and each more often than in training; neither mirrored nor erased.
    pub const SHIFTED: Self = Self {
        crop: 0.75,
        aspect: 1.35,
        rotation: 10.0,
        mirror: 0.0,
        often: 0.6,
        erase: 0.0,
        ..Self::TRAINING
    };
}

/// A square grey picture, 8 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrayImage {
    /// Pixels in a row and rows.
    pub side: u32,
    /// Rows from the top.
    pub pixels: Vec<u8>,
}

/// The network's input for a changed picture; `source` is [`WORKING_SIDE`] squared.
pub fn augment_and_preprocess(
    source: &[u8],
    params: &AugmentParams,
    side: u16,
    rng: &mut SeededRng,
) -> ModelInput {
    let square = augment(source, params, rng);
    prepare(&square.pixels, square.side, side)
}

/// Changes a picture of [`WORKING_SIDE`] squared pixels. Every draw is taken in a fixed order from
/// `rng`.
pub fn augment(source: &[u8], params: &AugmentParams, rng: &mut SeededRng) -> GrayImage {
    let mut picture = frame_anew(source, params, rng);
    let tone = tone_curve(params, rng);
    picture.iter_mut().for_each(|v| *v = tone[(*v as usize).min(255)]);
    let side = rng.uniform(params.small as f32, WORKING_SIDE as f32) as u32;
    if rng.bernoulli(params.often) {
        uneven_light(&mut picture, params.light, rng);
    }
    let mut picture = shrink(&picture, side);
    if rng.bernoulli(params.often) {
        let sigma = rng.uniform(0.0, params.blur) * side as f32 / 128.0;
        blur(&mut picture, side as usize, sigma);
    }
    if rng.bernoulli(params.often) {
        let sigma = rng.uniform(0.0, params.noise);
        picture.iter_mut().for_each(|v| *v += sigma * rng.normal());
    }
    let mut pixels: Vec<u8> = picture.iter().map(|&v| v.round().clamp(0.0, 255.0) as u8).collect();
    if rng.bernoulli(params.often) {
        let quality = rng.uniform(f32::from(params.quality), 95.0) as u8;
        pixels = through_jpeg(pixels, side, quality);
    }
    if rng.bernoulli(params.erase) {
        erase(&mut pixels, side as usize, rng);
    }
    GrayImage { side, pixels }
}

/// Crop, aspect, rotation and mirror as one inverse affine map, sampled bilinearly; outside is
/// black, white or the border drawn out.
fn frame_anew(source: &[u8], params: &AugmentParams, rng: &mut SeededRng) -> Vec<f32> {
    let n = WORKING_SIDE as i32;
    let share = rng.uniform(params.crop, 1.1);
    let stretch = rng.uniform(-1.0, 1.0) * params.aspect.ln() / 2.0;
    let (wide, high) = (share * stretch.exp(), share / stretch.exp());
    let angle = (rng.uniform(-1.0, 1.0) * params.rotation).to_radians();
    let slack = |size: f32| (1.0 - size).abs() / 2.0 + 0.03;
    let (dx, dy) = (rng.uniform(-1.0, 1.0) * slack(wide), rng.uniform(-1.0, 1.0) * slack(high));
    let mirror = if rng.bernoulli(params.mirror) { -1.0 } else { 1.0 };
    let outside = match rng.below(3) {
        0 => Some(0.0),
        1 => Some(rng.uniform(0.0, 255.0)),
        _ => None,
    };
    let at = |x: i32, y: i32| {
        let inside = (0..n).contains(&x) && (0..n).contains(&y);
        match outside {
            Some(value) if !inside => value,
            _ => f32::from(source[(y.clamp(0, n - 1) * n + x.clamp(0, n - 1)) as usize]),
        }
    };
    let (sin, cos) = angle.sin_cos();
    let mut out = Vec::with_capacity((n * n) as usize);
    for row in 0..n {
        for column in 0..n {
            let u = ((column as f32 + 0.5) / n as f32 - 0.5) * wide * mirror;
            let v = ((row as f32 + 0.5) / n as f32 - 0.5) * high;
            let x = (0.5 + dx + cos * u - sin * v) * n as f32 - 0.5;
            let y = (0.5 + dy + sin * u + cos * v) * n as f32 - 0.5;
            let (x0, y0) = (x.floor(), y.floor());
            let (fx, fy, x0, y0) = (x - x0, y - y0, x0 as i32, y0 as i32);
            let top = at(x0, y0) * (1.0 - fx) + at(x0 + 1, y0) * fx;
            let bottom = at(x0, y0 + 1) * (1.0 - fx) + at(x0 + 1, y0 + 1) * fx;
            out.push(top * (1.0 - fy) + bottom * fy);
        }
    }
    out
}

/// Gamma, contrast and brightness as one table over 8-bit values.
fn tone_curve(params: &AugmentParams, rng: &mut SeededRng) -> [f32; 256] {
    let gamma = (rng.uniform(-1.0, 1.0) * params.gamma.ln()).exp();
    let contrast = rng.uniform(0.6, 1.2);
    let brightness = rng.uniform(-1.0, 1.0) * 30.0;
    std::array::from_fn(|v| {
        let curved = 255.0 * (v as f32 / 255.0).powf(gamma);
        ((curved - 128.0) * contrast + 128.0 + brightness).clamp(0.0, 255.0)
    })
}

/// A plane and a bowl of light over the picture, as from a light box or a lamp's reflection.
fn uneven_light(picture: &mut [f32], strength: f32, rng: &mut SeededRng) {
    let n = WORKING_SIDE as usize;
    let mut draw = || rng.uniform(-1.0, 1.0) * strength;
    let (across, down, bowl) = (draw(), draw(), draw());
    for (i, value) in picture.iter_mut().enumerate() {
        let (x, y) = ((i % n) as f32 / n as f32 - 0.5, (i / n) as f32 / n as f32 - 0.5);
        *value *= 1.0 + across * x + down * y + bowl * (2.0 * (x * x + y * y) - 0.33);
    }
}

/// Scales to `side` by area, so that nothing is aliased.
fn shrink(picture: &[f32], side: u32) -> Vec<f32> {
    let (n, side) = (WORKING_SIDE as usize, side as usize);
    if side == n {
        return picture.to_vec();
    }
    // One axis at a time; transposing in between lets both passes run along rows.
    let along_rows = |rows: &[f32], length: usize| {
        let count = rows.len() / length;
        let mut out = vec![0.0; side * count];
        let step = length as f32 / side as f32;
        for cell in 0..side {
            let (from, to) = (cell as f32 * step, (cell + 1) as f32 * step);
            let (first, last) = (from as usize, (to.ceil() as usize).min(length));
            for source in first..last {
                let overlap = (to.min((source + 1) as f32) - from.max(source as f32)) / step;
                for row in 0..count {
                    out[cell * count + row] += overlap * rows[row * length + source];
                }
            }
        }
        out
    };
    along_rows(&along_rows(picture, n), n)
}

/// Gaussian blur, separable, with the border drawn out.
pub(crate) fn blur(picture: &mut [f32], side: usize, sigma: f32) {
    if sigma < 0.2 {
        return;
    }
    let radius = (2.5 * sigma).ceil() as i32;
    let mut kernel: Vec<f32> =
        (-radius..=radius).map(|i| (-((i * i) as f32) / (2.0 * sigma * sigma)).exp()).collect();
    let total: f32 = kernel.iter().sum();
    kernel.iter_mut().for_each(|k| *k /= total);
    for (step, other) in [(1, side), (side, 1)] {
        let before = picture.to_vec();
        for line in 0..side {
            for i in 0..side {
                let tap = |k: usize| {
                    before[line * other
                        + (i as i32 + k as i32 - radius).clamp(0, side as i32 - 1) as usize * step]
                };
                picture[line * other + i * step] = kernel.iter().enumerate().map(|(k, w)| w * tap(k)).sum();
            }
        }
    }
}

/// Encodes and decodes; a picture that the codec refuses (none is known) stays as it was.
pub fn through_jpeg(pixels: Vec<u8>, side: u32, quality: u8) -> Vec<u8> {
    let coded = || {
        let mut file = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
        encoder.encode(&pixels, side, side, ExtendedColorType::L8).ok()?;
        let decoder = JpegDecoder::new(Cursor::new(&file)).ok()?;
        let mut decoded = vec![0; pixels.len()];
        (decoder.total_bytes() == decoded.len() as u64).then_some(())?;
        decoder.read_image(&mut decoded).ok()?;
        Some(decoded)
    };
    coded().unwrap_or(pixels)
}

/// One rectangle of at most a quarter of each side filled with one value: a label, a marker, a
/// finger, a tube.
fn erase(pixels: &mut [u8], side: usize, rng: &mut SeededRng) {
    let (wide, high) = (1 + rng.below(side / 4), 1 + rng.below(side / 4));
    let (left, top) = (rng.below(side - wide), rng.below(side - high));
    let value = rng.below(256) as u8;
    for row in pixels.chunks_exact_mut(side).skip(top).take(high) {
        row[left..left + wide].fill(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    const N: usize = WORKING_SIDE as usize;
    /// The whole picture and a tenth more, upright, not mirrored.
    const UPRIGHT: AugmentParams =
        AugmentParams { crop: 1.1, aspect: 1.0, rotation: 0.0, mirror: 0.0, ..AugmentParams::TRAINING };

    fn framed(source: &[u8], params: &AugmentParams, index: u64) -> Vec<f32> {
        frame_anew(source, params, &mut SeededRng::new(1, Purpose::Augment, 0, index))
    }

    /// Grey rises to the right, and turns with the picture.
    fn ramp() -> Vec<u8> {
        (0..N * N).map(|at| (at % N) as u8).collect()
    }

    #[test]
    fn a_mirrored_picture_is_the_same_one_from_right_to_left() {
        let source = ramp();
        let upright = framed(&source, &UPRIGHT, 0);
        let mirrored = framed(&source, &AugmentParams { mirror: 1.0, ..UPRIGHT }, 0);
        let row = |picture: &[f32]| picture[N * (N / 2)..][..N].to_vec();
        let (upright, mut mirrored) = (row(&upright), row(&mirrored));
        assert!(upright[N - 20] > upright[20] + 100.0 && mirrored[20] > mirrored[N - 20] + 100.0);
        mirrored.reverse();
        assert!(upright.iter().zip(&mirrored).all(|(a, b)| (a - b).abs() < 0.1));
    }

    #[test]
    fn rotation_is_in_degrees_and_reaches_its_limit() {
        let source = ramp();
        let params = AugmentParams { rotation: 12.0, ..UPRIGHT };
        let degrees = |index: u64| {
            let picture = framed(&source, &params, index);
            let at = |x: usize, y: usize| picture[y * N + x];
            let (middle, off) = (N / 2, 10);
            let across = at(middle + off, middle) - at(middle - off, middle);
            let down = at(middle, middle + off) - at(middle, middle - off);
            down.atan2(across).to_degrees().abs()
        };
        let turned: Vec<f32> = (0..30).map(degrees).collect();
        let largest = turned.iter().copied().fold(0.0, f32::max);
        assert!((9.0..12.1).contains(&largest), "{turned:?}");
    }
}
