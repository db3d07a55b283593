//! Portable anymaps, which the judges read and write: PBM, PGM, PPM (netpbm's manual).

/// Rows from the top, `channels` samples a pixel, each from 0 to `full`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pnm {
    pub width: usize,
    pub height: usize,
    pub channels: usize,
    pub full: u16,
    pub samples: Vec<u16>,
}

impl Pnm {
    pub fn bytes(&self) -> Vec<u8> {
        let kind = if self.channels == 3 { 6 } else { 5 };
        let mut bytes = format!("P{kind}\n{} {}\n{}\n", self.width, self.height, self.full).into_bytes();
        match self.full {
            0..256 => bytes.extend(self.samples.iter().map(|&sample| sample as u8)),
            _ => bytes.extend(self.samples.iter().flat_map(|sample| sample.to_be_bytes())),
        }
        bytes
    }

    pub fn read(bytes: &[u8]) -> Self {
        let mut at = 2;
        let mut number = || -> usize {
            while bytes[at].is_ascii_whitespace() {
                at += 1;
            }
            let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            at += digits;
            std::str::from_utf8(&bytes[at - digits..at]).unwrap().parse().unwrap()
        };
        let (kind, width, height) = (bytes[1], number(), number());
        let full = if kind == b'4' { 1 } else { number() as u16 };
        let rest = &bytes[at + 1..];
        let channels = if kind == b'6' { 3 } else { 1 };
        let samples: Vec<u16> = match (kind, full) {
            (b'4', _) => rest
                .chunks(width.div_ceil(8))
                .flat_map(|row| (0..width).map(move |x| 1 - u16::from(row[x / 8] >> (7 - x % 8) & 1)))
                .collect(),
            (_, 0..256) => rest.iter().map(|&byte| byte.into()).collect(),
            _ => rest.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect(),
        };
        assert_eq!(samples.len(), width * height * channels, "P{}", kind as char);
        Self { width, height, channels, full, samples }
    }

    /// The same picture of `full` steps.
    pub fn with_full(&self, full: u16) -> Self {
        let scaled = |&sample: &u16| {
            let (from, to) = (u32::from(self.full), u32::from(full));
            ((u32::from(sample) * to + from / 2) / from) as u16
        };
        Self { full, samples: self.samples.iter().map(scaled).collect(), ..self.clone() }
    }

    /// Luminance of BT.601, 0 to 255.
    fn luminance(&self) -> Vec<f64> {
        let scale = 255.0 / f64::from(self.full);
        let of = |pixel: &[u16]| match *pixel {
            [grey] => f64::from(grey),
            [r, g, b] => 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b),
            _ => unreachable!("one or three channels"),
        };
        self.samples.chunks(self.channels).map(|pixel| of(pixel) * scale).collect()
    }

    /// The largest difference in steps of 255: of any sample, or of luminance where the channels
    /// differ in number. None between different sizes.
    pub fn distance(&self, other: &Self) -> Option<f64> {
        if (self.width, self.height) != (other.width, other.height) {
            return None;
        }
        let of = |pnm: &Self| match self.channels == other.channels {
            true => pnm.samples.iter().map(|&v| f64::from(v) * 255.0 / f64::from(pnm.full)).collect(),
            false => pnm.luminance(),
        };
        let (a, b): (Vec<f64>, Vec<f64>) = (of(self), of(other));
        Some(a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max))
    }
}
