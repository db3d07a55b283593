//! Pictures that are no whole, upright chest radiograph, drawn by generators that the gate's fit
//! does not know: only the kinds are the same, so that what is measured is not what was learned.

use crate::random;
use edge_core::{Geometry, PixelFormat};
use edge_model::decode::Picture;
use font8x8::legacy::BASIC_LEGACY;
use phantoms::{Label, draw};

/// Numbers by lot, the same for the same seed.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xD605_BBB5_8C8A_BC03))
    }

    /// Uniform in 0..n.
    pub fn below(&mut self, n: usize) -> usize {
        (random(&mut self.0) >> 16) as usize % n
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (random(&mut self.0) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Grey of each pixel, 0 to 255.
pub fn grey(width: usize, height: usize, mut of: impl FnMut(usize, usize) -> f64) -> Picture {
    let bytes = (0..width * height).map(|at| of(at % width, at / width).clamp(0.0, 255.0) as u8).collect();
    Picture::new(Geometry::new(width as u32, height as u32, PixelFormat::Gray8).unwrap(), bytes).unwrap()
}

/// Red, green and blue of each pixel.
fn colour(width: usize, height: usize, mut of: impl FnMut(usize, usize) -> [f64; 3]) -> Picture {
    let bytes =
        (0..width * height).flat_map(|at| of(at % width, at / width)).map(|v| v.clamp(0.0, 255.0) as u8);
    let geometry = Geometry::new(width as u32, height as u32, PixelFormat::Rgb8).unwrap();
    Picture::new(geometry, bytes.collect()).unwrap()
}

/// A kind of picture and how to make the one of a seed.
pub type Kind = (&'static str, fn(&mut Rng) -> Picture);

/// All kinds that need no data.
pub const KINDS: [Kind; 16] = [
    ("uniform noise", |d| {
        let side = 100 + d.below(300);
        grey(side, side, |_, _| d.between(0.0, 255.0))
    }),
    ("salt and pepper", |d| {
        let (ground, share) = (d.between(30.0, 220.0), d.between(0.02, 0.5));
        grey(224, 224, |_, _| match d.between(0.0, 1.0) < share {
            true => [0.0, 255.0][d.below(2)],
            false => ground,
        })
    }),
    ("noise in blocks", |d| {
        let block = 4 + d.below(60);
        let values: Vec<f64> = (0..4096).map(|_| d.between(0.0, 255.0)).collect();
        grey(240, 200, |x, y| values[x / block + 61 * (y / block)])
    }),
    ("noise in lines", |d| {
        let values: Vec<f64> = (0..256).map(|_| d.between(0.0, 255.0)).collect();
        let across = d.below(2) == 0;
        grey(256, 256, |x, y| values[if across { x } else { y }])
    }),
    ("walks of light", |d| {
        // Every row goes on from the one above: clouds and wood grain.
        let (mut row, step) = (vec![128.0f64; 200], d.between(3.0, 25.0));
        grey(200, 200, |x, y| {
            let before = if x == 0 { row[0] } else { row[x - 1] };
            let next = if y == 0 { before } else { (before + row[x]) / 2.0 };
            row[x] = (next + d.between(-step, step)).clamp(0.0, 255.0);
            row[x]
        })
    }),
    ("slopes", |d| {
        let (a, b, c) = (d.between(-1.5, 1.5), d.between(-1.5, 1.5), d.between(0.0, 255.0));
        let grain = d.between(0.0, 12.0);
        grey(200, 260, |x, y| c + a * (x as f64 - 100.0) + b * (y as f64 - 130.0) + d.between(-grain, grain))
    }),
    ("rings and spots", |d| {
        let (cx, cy, width) = (d.between(20.0, 200.0), d.between(20.0, 200.0), d.between(4.0, 120.0));
        let spot = d.below(2) == 0;
        grey(224, 224, |x, y| {
            let r = (x as f64 - cx).hypot(y as f64 - cy);
            if spot {
                255.0 * (-r * r / (width * width)).exp()
            } else {
                127.0 + 127.0 * (r * 6.0 / width).cos()
            }
        })
    }),
    ("chessboards", |d| {
        let (cells, low, high) = (2 + d.below(24), d.between(0.0, 120.0), d.between(130.0, 255.0));
        grey(320, 320, |x, y| if (x * cells / 320 + y * cells / 320) % 2 == 0 { low } else { high })
    }),
    ("plaids", |d| {
        let (a, b) = (d.between(0.05, 0.8), d.between(0.05, 0.8));
        grey(224, 224, |x, y| 127.0 + 63.0 * (a * x as f64).sin() + 63.0 * (b * y as f64).sin())
    }),
    ("text pages", text),
    ("colour fields", |d| {
        let corners: Vec<f64> = (0..12).map(|_| d.between(0.0, 255.0)).collect();
        let (bands, turn) = (1 + d.below(9), d.below(2) == 0);
        colour(256, 192, |x, y| {
            let (u, v) = (x as f64 / 255.0, y as f64 / 191.0);
            let band = if turn { x * bands / 256 } else { y * bands / 192 } as f64 * 37.0 % 120.0;
            [0, 1, 2].map(|c| {
                let [a, b, e, f] = [0, 3, 6, 9].map(|k| corners[c + k]);
                (a * (1.0 - u) + b * u) * (1.0 - v) + (e * (1.0 - u) + f * u) * v + band - 60.0
            })
        })
    }),
    ("discs in colour", |d| {
        let ground = [d.between(0.0, 255.0), d.between(0.0, 255.0), d.between(0.0, 255.0)];
        let discs: Vec<[f64; 6]> = (0..3 + d.below(30))
            .map(|_| {
                let [x, y, r] = [d.between(0.0, 300.0), d.between(0.0, 220.0), d.between(5.0, 70.0)];
                [x, y, r, d.between(0.0, 255.0), d.between(0.0, 255.0), d.between(0.0, 255.0)]
            })
            .collect();
        colour(300, 220, |x, y| {
            let on = |disc: &&[f64; 6]| (x as f64 - disc[0]).hypot(y as f64 - disc[1]) < disc[2];
            discs.iter().rev().find(on).map_or(ground, |disc| [disc[3], disc[4], disc[5]])
        })
    }),
    ("phantoms upside down", |d| turned(&phantom(d), |x, y, n| (n - 1 - x, n - 1 - y))),
    ("phantoms on the left side", |d| turned(&phantom(d), |x, y, n| (n - 1 - y, x))),
    ("phantoms on the right side", |d| turned(&phantom(d), |x, y, n| (y, n - 1 - x))),
    ("phantoms half covered", |d| {
        let chest = phantom(d);
        half_covered(&chest, d)
    }),
];

/// Drawn by seeds that neither the trainer nor the golden frames use.
fn phantom(rng: &mut Rng) -> Picture {
    let label = [Label::Normal, Label::Pneumonia][rng.below(2)];
    draw(label, 7_000_000 + rng.below(1 << 20) as u64, 224)
}

/// A grey square picture whose pixel comes from where `from` says.
pub fn turned(chest: &Picture, from: impl Fn(usize, usize, usize) -> (usize, usize)) -> Picture {
    let n = usize::from(chest.geometry().width());
    let bytes = chest.bytes();
    grey(n, n, |x, y| {
        let (x, y) = from(x, y, n);
        f64::from(bytes[y * n + x])
    })
}

/// A grey square picture, one half of it behind a hand, a sheet of paper or the edge of the light
/// box.
pub fn half_covered(chest: &Picture, rng: &mut Rng) -> Picture {
    let n = usize::from(chest.geometry().width());
    let (side, light, slope) = (rng.below(4), rng.between(0.0, 255.0), rng.between(-40.0, 40.0));
    let bytes = chest.bytes();
    grey(n, n, |x, y| {
        let depth = [x, n - 1 - x, y, n - 1 - y][side];
        match 2 * depth < n {
            true => light + slope * (x + y) as f64 / n as f64,
            false => f64::from(bytes[y * n + x]),
        }
    })
}

/// Words of random letters in a real typeface, one or two columns.
fn text(rng: &mut Rng) -> Picture {
    let (width, height) = (320, 240 + rng.below(200));
    let (paper, ink) = if rng.below(4) == 0 { (20.0, 230.0) } else { (240.0, 30.0) };
    let scale = 1 + rng.below(3);
    let (columns, rows) = (width / (8 * scale), height / (10 * scale));
    let gap = if rng.below(2) == 0 { columns / 2 } else { columns };
    let letters: Vec<char> = (0..columns * rows)
        .map(|at| match (at % columns == gap || rng.below(6) == 0, rng.below(40)) {
            (true, _) => ' ',
            (_, k @ 0..26) => char::from(b'a' + k as u8),
            (_, k) => char::from(b'0' + (k % 10) as u8),
        })
        .collect();
    let blank_rows: Vec<bool> = (0..rows).map(|_| rng.below(7) == 0).collect();
    grey(width, height, |x, y| {
        let (column, row) = (x / (8 * scale), y / (10 * scale));
        let (dx, dy) = (x / scale % 8, y / scale % 10);
        let on = column < columns && row < rows && !blank_rows[row] && dy < 8 && {
            let glyph = BASIC_LEGACY[letters[row * columns + column] as usize];
            glyph[dy] >> dx & 1 == 1
        };
        if on { ink } else { paper }
    })
}
