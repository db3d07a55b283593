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

/// Raised by whoever changes what a key of random draws does to a picture, so that nothing is read
/// that was computed from other pictures.
pub const VERSION: u32 = 1;

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
/// `rng`; how a value is rounded is fixed too, because the shifted validation set must stay.
pub fn augment(source: &[u8], params: &AugmentParams, rng: &mut SeededRng) -> GrayImage {
    let mut picture = Framing::draw(params, rng).apply(source);
    let tone = tone_curve(params, rng);
    picture.iter_mut().for_each(|v| *v = tone[(*v as usize).min(255)]);
    let side = rng.uniform(params.small as f32, WORKING_SIDE as f32) as u32;
    if rng.bernoulli(params.often) {
        uneven_light(&mut picture, params.light, rng);
    }
    let mut picture = shrink(&picture, side as usize);
    if rng.bernoulli(params.often) {
        let sigma = rng.uniform(0.0, params.blur) * side as f32 / 128.0;
        blur(&mut picture, side as usize, sigma);
    }
    if rng.bernoulli(params.often) {
        let sigma = rng.uniform(0.0, params.noise);
        picture.iter_mut().for_each(|v| *v += sigma * rng.normal());
    }
    let mut pixels: Vec<u8> = picture.iter().map(|&v| rounded(v)).collect();
    if rng.bernoulli(params.often) {
        let quality = rng.uniform(f32::from(params.quality), 95.0) as u8;
        pixels = through_jpeg(pixels, side, quality);
    }
    if rng.bernoulli(params.erase) {
        erase(&mut pixels, side as usize, rng);
    }
    GrayImage { side, pixels }
}

/// As `v.round().clamp(0.0, 255.0) as u8`, without a call for each pixel.
fn rounded(v: f32) -> u8 {
    let v = v.clamp(0.0, 255.0);
    let whole = v as u8;
    whole + u8::from(v - f32::from(whole) >= 0.5)
}

/// As `v.floor()`, likewise; for values that an i32 holds.
fn floor(v: f32) -> f32 {
    let whole = v as i32 as f32;
    whole - f32::from(u8::from(whole > v))
}

/// Crop, aspect, rotation and mirror as one inverse affine map, sampled bilinearly.
struct Framing {
    /// Columns and rows of the source in one of the result, negative where mirrored.
    across: f32,
    down: f32,
    /// Of the turn.
    sin: f32,
    cos: f32,
    /// Middle of the crop, in shares of the side.
    x: f32,
    y: f32,
    mirror: f32,
    /// What is seen outside the source; none for its border drawn out.
    outside: Option<f32>,
}

impl Framing {
    fn draw(params: &AugmentParams, rng: &mut SeededRng) -> Self {
        let share = rng.uniform(params.crop, 1.1);
        let stretch = rng.uniform(-1.0, 1.0) * params.aspect.ln() / 2.0;
        let (across, down) = (share * stretch.exp(), share / stretch.exp());
        let angle = (rng.uniform(-1.0, 1.0) * params.rotation).to_radians();
        let slack = |size: f32| (1.0 - size).abs() / 2.0 + 0.03;
        let (dx, dy) = (rng.uniform(-1.0, 1.0) * slack(across), rng.uniform(-1.0, 1.0) * slack(down));
        let mirror = if rng.bernoulli(params.mirror) { -1.0 } else { 1.0 };
        let outside = match rng.below(3) {
            0 => Some(0.0),
            1 => Some(rng.uniform(0.0, 255.0)),
            _ => None,
        };
        let (sin, cos) = angle.sin_cos();
        Self { across, down, sin, cos, x: 0.5 + dx, y: 0.5 + dy, mirror, outside }
    }

    fn apply(&self, source: &[u8]) -> Vec<f32> {
        const N: usize = WORKING_SIDE as usize;
        // With a border of two pixels, a place far outside is one in it, and no pixel is asked where it
        // lies.
        const WIDE: usize = N + 4;
        let bordered = self.bordered(source, WIDE);
        let place = |at: f32| ((at as i32).clamp(-2, N as i32) + 2) as usize;
        let share = |at: usize| (at as f32 + 0.5) / N as f32 - 0.5;
        // What each column, and then each row, adds to the place in the source.
        let of_column = |column: usize| {
            let u = share(column) * self.across * self.mirror;
            [self.x + self.cos * u, self.y + self.sin * u]
        };
        let of_column: [[f32; 2]; N] = std::array::from_fn(of_column);
        let mut out = Vec::with_capacity(N * N);
        for row in 0..N {
            let v = share(row) * self.down;
            let (left, below) = (self.sin * v, self.cos * v);
            out.extend(of_column.iter().map(|[across, down]| {
                let x = (across - left) * N as f32 - 0.5;
                let y = (down + below) * N as f32 - 0.5;
                let (x0, y0) = (floor(x), floor(y));
                let (fx, fy) = (x - x0, y - y0);
                let pixels = &bordered[place(y0) * WIDE + place(x0)..][..WIDE + 2];
                let top = pixels[0] * (1.0 - fx) + pixels[1] * fx;
                let bottom = pixels[WIDE] * (1.0 - fx) + pixels[WIDE + 1] * fx;
                top * (1.0 - fy) + bottom * fy
            }));
        }
        out
    }

    /// The source with what is outside of it two pixels wide around it.
    fn bordered(&self, source: &[u8], wide: usize) -> Vec<f32> {
        const N: usize = WORKING_SIDE as usize;
        let mut bordered = Vec::with_capacity(wide * wide);
        for y in 0..wide {
            let row = &source[y.saturating_sub(2).min(N - 1) * N..][..N];
            let beyond = !(2..N + 2).contains(&y);
            let [left, right] = [row[0], row[N - 1]].map(|edge| self.outside.unwrap_or(f32::from(edge)));
            bordered.extend([left; 2]);
            match self.outside {
                Some(value) if beyond => bordered.extend([value; N]),
                _ => bordered.extend(row.iter().map(|&v| f32::from(v))),
            }
            bordered.extend([right; 2]);
        }
        bordered
    }
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
    const N: usize = WORKING_SIDE as usize;
    let mut draw = || rng.uniform(-1.0, 1.0) * strength;
    let (across, down, bowl) = (draw(), draw(), draw());
    let places: [f32; N] = std::array::from_fn(|at| at as f32 / N as f32 - 0.5);
    for (row, y) in picture.chunks_exact_mut(N).zip(places) {
        for (value, x) in row.iter_mut().zip(places) {
            *value *= 1.0 + across * x + down * y + bowl * (2.0 * (x * x + y * y) - 0.33);
        }
    }
}

/// Scales to `side` by area, so that nothing is aliased.
fn shrink(picture: &[f32], side: usize) -> Vec<f32> {
    const N: usize = WORKING_SIDE as usize;
    // For each cell the first pixel in it, and how much of it each pixel covers.
    let step = N as f32 / side as f32;
    let cells = (0..side).map(|cell| {
        let (from, to) = (cell as f32 * step, (cell + 1) as f32 * step);
        let (first, last) = (from as usize, (to.ceil() as usize).min(N));
        let share = |at: usize| (to.min((at + 1) as f32) - from.max(at as f32)) / step;
        (first, (first..last).map(share).collect())
    });
    let cells: Vec<(usize, Vec<f32>)> = cells.collect();
    let mut narrow = Vec::with_capacity(N * side);
    for row in picture.chunks_exact(N) {
        narrow.extend(cells.iter().map(|(first, shares)| {
            row[*first..].iter().zip(shares).map(|(value, share)| share * value).sum::<f32>()
        }));
    }
    let mut out = vec![0.0; side * side];
    for (line, (first, shares)) in out.chunks_exact_mut(side).zip(&cells) {
        for (row, share) in narrow.chunks_exact(side).skip(*first).zip(shares) {
            add(line, row, *share);
        }
    }
    out
}

/// Adds `row` times `weight` to `line`.
fn add(line: &mut [f32], row: &[f32], weight: f32) {
    line.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
}

/// Gaussian blur, separable, with the border drawn out.
pub(crate) fn blur(picture: &mut [f32], side: usize, sigma: f32) {
    if sigma < 0.2 || side == 0 {
        return;
    }
    let radius = (2.5 * sigma).ceil() as i32;
    let mut kernel: Vec<f32> =
        (-radius..=radius).map(|i| (-((i * i) as f32) / (2.0 * sigma * sigma)).exp()).collect();
    let total: f32 = kernel.iter().sum();
    kernel.iter_mut().for_each(|k| *k /= total);
    let radius = kernel.len() / 2;
    let mut drawn_out = vec![0.0; side + 2 * radius];
    for row in picture.chunks_exact_mut(side) {
        drawn_out[..radius].fill(row[0]);
        drawn_out[radius..][..side].copy_from_slice(row);
        drawn_out[radius + side..].fill(row[side - 1]);
        row.fill(0.0);
        kernel.iter().enumerate().for_each(|(k, weight)| add(row, &drawn_out[k..], *weight));
    }
    let before = picture.to_vec();
    for (line, row) in picture.chunks_exact_mut(side).enumerate() {
        row.fill(0.0);
        for (k, weight) in kernel.iter().enumerate() {
            let from = (line + k).saturating_sub(radius).min(side - 1);
            add(row, &before[from * side..][..side], *weight);
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
        Framing::draw(params, &mut SeededRng::new(1, Purpose::Augment, 0, index)).apply(source)
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

    /// How many of the picture's columns and rows lie between two neighbours of the framed one,
    /// seen in its middle.
    fn steps(params: &AugmentParams, index: u64) -> [f32; 2] {
        let across = framed(&ramp(), params, index);
        let down: Vec<u8> = (0..N * N).map(|at| (at / N) as u8).collect();
        let down = framed(&down, params, index);
        let (middle, off) = (N / 2, 10);
        [
            (across[middle * N + middle + off] - across[middle * N + middle - off]) / 20.0,
            (down[(middle + off) * N + middle] - down[(middle - off) * N + middle]) / 20.0,
        ]
    }

    fn range(values: impl Iterator<Item = f32>) -> [f32; 2] {
        values.fold([f32::MAX, f32::MIN], |[low, high], v| [low.min(v), high.max(v)])
    }

    #[test]
    fn crop_and_aspect_go_as_far_as_they_may_and_no_further() {
        let crop = AugmentParams { crop: 0.7, ..UPRIGHT };
        let [least, most] = range((0..60).map(|index| steps(&crop, index)[0]));
        assert!((0.699..0.73).contains(&least) && (1.07..1.101).contains(&most), "{least} to {most}");
        let aspect = AugmentParams { aspect: 1.4, ..UPRIGHT };
        let shape = |index| {
            let [wide, high] = steps(&aspect, index);
            assert!((wide * high - 1.21).abs() < 0.01, "the area is the crop's: {wide} x {high}");
            wide / high
        };
        let [least, most] = range((0..60).map(shape));
        assert!(
            (1.0 / 1.41..1.0 / 1.35).contains(&least) && (1.35..1.41).contains(&most),
            "{least} to {most}"
        );
    }

    #[test]
    fn shrinking_takes_the_mean_of_what_falls_together() {
        // Halved: the mean of two by two. To 96: a slope stays the slope, cell centre by cell centre.
        let chequered: Vec<f32> =
            (0..N * N).map(|at| [8.0, 16.0, 24.0, 48.0][at / N % 2 * 2 + at % 2]).collect();
        assert!(shrink(&chequered, N / 2).iter().all(|v| (v - 24.0).abs() < 1e-3));
        let slope: Vec<f32> = (0..N * N).map(|at| (at % N) as f32 + 0.5).collect();
        let small = shrink(&slope, 96);
        assert_eq!(small.len(), 96 * 96);
        for (at, value) in small.iter().enumerate() {
            let centre = ((at % 96) as f32 + 0.5) * N as f32 / 96.0;
            assert!((value - centre).abs() < 0.3, "{at}: {value} instead of {centre}");
        }
    }
}
