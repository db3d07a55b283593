//! What is no chest radiograph, or no whole and upright one: examples for the fit of the gate.
//! Tests measure it on others than these.

use crate::augment::blur;
use crate::dataset::WORKING_SIDE;
use crate::random::SeededRng;
use edge_core::{Geometry, PixelFormat};
use edge_model::decode::Picture;

/// Pixels in a row, and rows, of the square pictures here.
const N: usize = WORKING_SIDE as usize;

/// Makes another picture of a chest, [`WORKING_SIDE`] squared.
pub type Change = fn(&[u8], &mut SeededRng) -> Vec<u8>;
/// Draws a picture, [`WORKING_SIDE`] squared.
pub type Drawing = fn(&mut SeededRng) -> Vec<u8>;

pub const CHANGES: [(&str, Change); 9] = [
    ("upside down", |c, _| moved(c, |x, y| (N - 1 - x, N - 1 - y))),
    ("on its left side", |c, _| moved(c, |x, y| (N - 1 - y, x))),
    ("on its right side", |c, _| moved(c, |x, y| (y, N - 1 - x))),
    ("mirrored top to bottom", |c, _| moved(c, |x, y| (x, N - 1 - y))),
    ("black and white exchanged", |c, _| c.iter().map(|v| 255 - v).collect()),
    ("top half covered", |c, rng| covered(c, rng, |_, y| y)),
    ("bottom half covered", |c, rng| covered(c, rng, |_, y| N - 1 - y)),
    ("left half covered", |c, rng| covered(c, rng, |x, _| x)),
    ("right half covered", |c, rng| covered(c, rng, |x, _| N - 1 - x)),
];

pub const DRAWINGS: [(&str, Drawing); 6] = [
    ("clouds", clouds),
    ("scenes", scene),
    ("gradients", gradient),
    ("checkers and stripes", checkers),
    ("pages", page),
    ("noise", noise),
];

/// A picture whose pixel (x, y) comes from where `from` says.
fn moved(chest: &[u8], from: impl Fn(usize, usize) -> (usize, usize)) -> Vec<u8> {
    drawn(|x, y| {
        let (x, y) = from(x, y);
        f32::from(chest[y * N + x])
    })
}

/// About half of a chest, by `depth` from one border, under something of one grey, with grain or
/// without.
fn covered(chest: &[u8], rng: &mut SeededRng, depth: impl Fn(usize, usize) -> usize) -> Vec<u8> {
    let share = (rng.uniform(0.46, 0.6) * N as f32) as usize;
    let grey = [0.0, 255.0, rng.uniform(0.0, 255.0)][rng.below(3)];
    let grain = if rng.bernoulli(0.4) { rng.uniform(2.0, 20.0) } else { 0.0 };
    drawn(|x, y| match depth(x, y) < share {
        true => grey + grain * rng.normal(),
        false => f32::from(chest[y * N + x]),
    })
}

/// The pixels of one of these pictures as a frame; none of another number of pixels.
pub fn picture(pixels: &[u8]) -> Option<Picture> {
    let side = u32::from(WORKING_SIDE);
    Picture::new(Geometry::new(side, side, PixelFormat::Gray8).ok()?, pixels.to_vec()).ok()
}

/// A chest out of focus, by a standard deviation that is a share of the side.
pub fn blurred(chest: &[u8], sigma: f32) -> Vec<u8> {
    let mut picture: Vec<f32> = chest.iter().map(|&v| f32::from(v)).collect();
    blur(&mut picture, N, sigma * N as f32);
    drawn(|x, y| picture[y * N + x])
}

fn drawn(mut grey: impl FnMut(usize, usize) -> f32) -> Vec<u8> {
    (0..N * N).map(|at| grey(at % N, at / N).round().clamp(0.0, 255.0) as u8).collect()
}

/// Place of a pixel from the middle, -0.5 to 0.5.
fn place(x: usize, y: usize) -> (f32, f32) {
    let of = |v: usize| (v as f32 + 0.5) / N as f32 - 0.5;
    (of(x), of(y))
}

/// Noise of many scales, as in nature: octaves of smoothly joined random values.
fn clouds(rng: &mut SeededRng) -> Vec<u8> {
    let (persistence, first) = (rng.uniform(0.4, 1.1), rng.below(3));
    let mut sum = vec![0.0f32; N * N];
    let mut strength = 1.0;
    for octave in first..7 {
        let cells = 1usize << octave;
        let values: Vec<f32> = (0..(cells + 1) * (cells + 1)).map(|_| strength * rng.normal()).collect();
        for (at, sum) in sum.iter_mut().enumerate() {
            let split = |v: usize| (v * cells / N, ((v * cells % N) as f32 + 0.5) / N as f32);
            let ((i, u), (j, v)) = (split(at % N), split(at / N));
            let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
            let row = |j: usize| {
                let (a, b) = (values[j * (cells + 1) + i], values[j * (cells + 1) + i + 1]);
                a + (b - a) * smooth(u)
            };
            *sum += row(j) + (row(j + 1) - row(j)) * smooth(v);
        }
        strength *= persistence;
    }
    let mean = sum.iter().sum::<f32>() / sum.len() as f32;
    let deviation = (sum.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / sum.len() as f32).sqrt();
    let (light, contrast) = (rng.uniform(80.0, 180.0), rng.uniform(25.0, 60.0) / deviation.max(1e-6));
    drawn(|x, y| light + contrast * (sum[y * N + x] - mean))
}

/// Boxes and ellipses over a slope, in focus or not.
fn scene(rng: &mut SeededRng) -> Vec<u8> {
    let (ground, across, down) = (rng.uniform(0.0, 255.0), 60.0 * rng.normal(), 60.0 * rng.normal());
    let mut picture: Vec<f32> = (0..N * N)
        .map(|at| {
            let (x, y) = place(at % N, at / N);
            ground + across * x + down * y
        })
        .collect();
    for _ in 0..1 + rng.below(13) {
        let (left, top) = (rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5));
        let (wide, high) = (rng.uniform(0.02, 0.45), rng.uniform(0.02, 0.45));
        let (sin, cos) = rng.uniform(0.0, std::f32::consts::PI).sin_cos();
        let (is_box, paint) = (rng.bernoulli(0.5), rng.bernoulli(0.5));
        let grey = if paint { rng.uniform(0.0, 255.0) } else { rng.uniform(-80.0, 80.0) };
        for (at, pixel) in picture.iter_mut().enumerate() {
            let (x, y) = place(at % N, at / N);
            let (u, v) = ((x - left) * cos + (y - top) * sin, (y - top) * cos - (x - left) * sin);
            let (u, v) = (u / wide, v / high);
            if if is_box { u.abs().max(v.abs()) < 1.0 } else { u * u + v * v < 1.0 } {
                *pixel = if paint { grey } else { *pixel + grey };
            }
        }
    }
    blur(&mut picture, N, rng.uniform(0.0, 3.0));
    let grain = if rng.bernoulli(0.5) { rng.uniform(0.0, 15.0) } else { 0.0 };
    drawn(|x, y| picture[y * N + x] + grain * rng.normal())
}

/// Light that falls off along a line, from a point, or in waves.
fn gradient(rng: &mut SeededRng) -> Vec<u8> {
    let (sin, cos) = rng.uniform(0.0, std::f32::consts::TAU).sin_cos();
    let (left, top) = (rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4));
    let (kind, waves) = (rng.below(4), rng.uniform(1.0, 40.0));
    let (power, white) = (rng.uniform(0.5, 2.0), rng.uniform(100.0, 255.0));
    drawn(|x, y| {
        let (x, y) = place(x, y);
        let (along, distance) = (x * cos + y * sin, (x - left).hypot(y - top));
        // Each about 0 to 1.
        let light = match kind {
            0 => along / 1.42 + 0.5,
            1 => distance / 1.1,
            2 => 1.0 - distance / 1.1,
            _ => (along * waves).sin() / 2.0 + 0.5,
        };
        white * light.max(0.0).powf(power)
    })
}

fn checkers(rng: &mut SeededRng) -> Vec<u8> {
    let (sin, cos) = rng.uniform(0.0, 1.6).sin_cos();
    let size = rng.uniform(0.015, 0.4);
    let (dark, light) = (rng.uniform(0.0, 255.0), rng.uniform(0.0, 255.0));
    let (along, beside, stripes) = (rng.unit(), rng.unit(), rng.bernoulli(0.5));
    drawn(|x, y| {
        let (x, y) = place(x, y);
        let u = ((x * cos + y * sin) / size + along).floor() as i32;
        let v = ((y * cos - x * sin) / size + beside).floor() as i32;
        if (u + if stripes { 0 } else { v }).rem_euclid(2) == 0 { dark } else { light }
    })
}

/// Lines of random signs, dark on light or light on dark.
fn page(rng: &mut SeededRng) -> Vec<u8> {
    let (paper, ink) = (rng.uniform(180.0, 255.0), rng.uniform(0.0, 90.0));
    let mut picture = vec![paper; N * N];
    let height = 3 + rng.below(11);
    let (left, right) = (3 + rng.below(27), N - 3 - rng.below(57));
    let step = (height as f32 * rng.uniform(1.2, 2.0)) as usize;
    let mut top = 2 + rng.below(28);
    while top + height < N {
        let mut x = left;
        while x < right && !rng.bernoulli(0.01) {
            let width = 2 + rng.below(height);
            let sign: Vec<bool> = (0..20).map(|_| rng.bernoulli(0.45)).collect();
            for row in 0..height {
                for column in 0..width.min(N - x) {
                    if sign[row * 5 / height * 4 + column * 4 / width] {
                        picture[(top + row) * N + x + column] = ink;
                    }
                }
            }
            x += width + 1 + if rng.bernoulli(0.18) { height / 2 } else { 0 };
        }
        top += if rng.bernoulli(0.15) { 2 * step } else { step };
    }
    blur(&mut picture, N, rng.uniform(0.0, 1.0));
    let inverted = rng.bernoulli(0.3);
    drawn(|x, y| if inverted { 255.0 - picture[y * N + x] } else { picture[y * N + x] })
}

fn noise(rng: &mut SeededRng) -> Vec<u8> {
    let (light, deviation) = (rng.uniform(60.0, 200.0), rng.uniform(10.0, 80.0));
    let mut picture: Vec<f32> = (0..N * N).map(|_| deviation * rng.normal()).collect();
    let sigma = rng.uniform(0.0, 3.0);
    blur(&mut picture, N, sigma);
    // Blur takes contrast away; give it back.
    drawn(|x, y| light + picture[y * N + x] * (1.0 + 2.0 * sigma))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    fn rng(index: u64) -> SeededRng {
        SeededRng::new(1, Purpose::Gate, 0, index)
    }

    #[test]
    fn every_drawing_is_a_picture_with_something_in_it_and_another_each_time() {
        for (name, draw) in DRAWINGS {
            let pictures: Vec<Vec<u8>> = (0..8).map(|i| draw(&mut rng(i))).collect();
            for picture in &pictures {
                assert_eq!(picture.len(), N * N, "{name}");
                assert!(picture.iter().any(|v| *v != picture[0]), "{name} is blank");
            }
            assert!(pictures.windows(2).all(|pair| pair[0] != pair[1]), "{name} repeats");
            assert_eq!(pictures[0], draw(&mut rng(0)), "{name} depends on more than its seed");
        }
    }

    #[test]
    fn turns_put_the_top_where_their_names_say() {
        let mut chest = vec![0; N * N];
        chest[..N].fill(200); // a bright top row
        let turned = |name: &str| {
            let (_, change) = CHANGES.iter().find(|(n, _)| *n == name).unwrap();
            change(&chest, &mut rng(0))
        };
        let row = |picture: &[u8], y: usize| picture[y * N..][..N].iter().all(|v| *v == 200);
        let column = |picture: &[u8], x: usize| (0..N).all(|y| picture[y * N + x] == 200);
        assert!(row(&turned("upside down"), N - 1));
        assert!(row(&turned("mirrored top to bottom"), N - 1));
        assert!(column(&turned("on its left side"), 0));
        assert!(column(&turned("on its right side"), N - 1));
        assert_eq!(turned("black and white exchanged")[0], 55);
        let covered = turned("bottom half covered");
        assert!(
            row(&covered, 0) && covered[N * N - 1] == covered[N * (N - 5)]
                || covered[N..N * N / 3].iter().all(|v| *v == 0)
        );
    }
}
