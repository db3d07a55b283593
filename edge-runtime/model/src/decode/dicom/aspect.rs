//! Pixels that are not square: the picture is resampled until they are.
//!
//! The network sees every picture squashed to a square. What depends on a pixel's shape is what the
//! gate measures of the picture's shape, and what people and the trainer see.

use super::error::DicomError;
use crate::decode::outcome::{DecodeError, Picture};
use edge_core::{Geometry, PixelFormat};

/// Sides that differ by less are equal: spacings are written with few digits.
const TOLERANCE: f64 = 0.01;
/// No detector and no scanner has pixels more elongated than this; such numbers are a mistake.
const MOST: f64 = 4.0;

/// The picture with square pixels. `sides` are a pixel's height and width in any unit, both above 0;
/// the longer one is divided.
pub(super) fn squared(picture: Picture, sides: Option<[f64; 2]>) -> Result<Picture, DecodeError> {
    let Some([height, width]) = sides else { return Ok(picture) };
    let ratio = height / width;
    if (ratio - 1.0).abs() < TOLERANCE {
        return Ok(picture);
    }
    if !(1.0 / MOST..=MOST).contains(&ratio) {
        return Err(DicomError::PixelShape { height: height.to_string(), width: width.to_string() }.into());
    }
    let stored = picture.geometry();
    let times = |side: u16, ratio: f64| (f64::from(side) * ratio.max(1.0)).round() as u32;
    let [columns, rows] = [times(stored.width(), 1.0 / ratio), times(stored.height(), ratio)];
    let square = Geometry::new(columns, rows, stored.format())?;
    Ok(Picture::new(square, resampled(&picture, square))?)
}

/// The pixels in another size, in a straight line between the middles of those that there are.
fn resampled(picture: &Picture, to: Geometry) -> Vec<u8> {
    let from = picture.geometry();
    let (row, pixel) = (from.row_bytes(), from.format().bytes_per_pixel());
    let [rows, columns] = [steps(from.height(), to.height()), steps(from.width(), to.width())];
    let mut out = Vec::with_capacity(to.row_bytes() * usize::from(to.height()));
    let wide = matches!(from.format(), PixelFormat::Gray16 | PixelFormat::Rgb16);
    let mut mix = |bytes: &[u8], length: usize, step: &Step| {
        let [a, b] = [step.before, step.after].map(|at| &bytes[at * length..(at + 1) * length]);
        match wide {
            true => out.extend(a.chunks_exact(2).zip(b.chunks_exact(2)).flat_map(|(a, b)| {
                let [a, b] = [a, b].map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
                (step.between(a.into(), b.into()) as u16).to_le_bytes()
            })),
            false => out.extend(a.iter().zip(b).map(|(a, b)| step.between((*a).into(), (*b).into()) as u8)),
        }
    };
    if from.height() != to.height() {
        rows.iter().for_each(|step| mix(picture.bytes(), row, step));
    } else {
        for line in picture.bytes().chunks_exact(row) {
            columns.iter().for_each(|step| mix(line, pixel, step));
        }
    }
    out
}

/// Where a new pixel lies between two old ones.
struct Step {
    before: usize,
    after: usize,
    /// How far it is on the way, in 65536ths.
    way: u32,
}

impl Step {
    fn between(&self, a: u32, b: u32) -> u32 {
        (a * (65_536 - self.way) + b * self.way + 32_768) >> 16
    }
}

/// A step for each of `new` pixels where there were `old` ones.
fn steps(old: u16, new: u16) -> Vec<Step> {
    let last = usize::from(old) - 1;
    let place = |at: u16| {
        let place = (f64::from(at) + 0.5) * f64::from(old) / f64::from(new) - 0.5;
        let place = place.clamp(0.0, last as f64);
        let before = place as usize;
        let way = ((place - before as f64) * 65_536.0).round() as u32;
        Step { before, after: (before + 1).min(last), way }
    };
    (0..new).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_bytes_are_mixed_sample_by_sample() {
        let rgb = Geometry::new(32, 32, PixelFormat::Rgb8).unwrap();
        let bytes: Vec<u8> = (0..32 * 32).flat_map(|at| [(at % 32 * 8) as u8, 7, 255]).collect();
        let made = squared(Picture::new(rgb, bytes).unwrap(), Some([1.0, 2.0])).unwrap();
        assert_eq!((made.geometry().width(), made.geometry().height()), (64, 32));
        let first: Vec<&[u8]> = made.bytes().chunks_exact(3).take(4).collect();
        assert_eq!(first, [[0, 7, 255], [2, 7, 255], [6, 7, 255], [10, 7, 255]]);
    }

    #[test]
    fn the_ends_of_a_scale_stay_its_ends() {
        let step = |way| Step { before: 0, after: 1, way };
        for way in [0, 1, 32_768, 65_536] {
            assert_eq!(step(way).between(65_535, 65_535), 65_535);
            assert_eq!(step(way).between(0, 0), 0);
        }
        assert_eq!((step(0).between(1, 9), step(65_536).between(1, 9)), (1, 9));
    }
}
