//! The picture as it was judged, made small for eyes: grey, nothing outside of what was judged.
//!
//! It is made in the device's loop, where alone the pixels lie still; so its work is bounded
//! whatever the picture's size ([`LONGEST`]), and its memory is used again.

use edge_core::gate::QualityMetrics;
use edge_core::{Frame, PixelFormat};

/// Longest side, in pixels.
pub const LONGEST: usize = 512;

/// In which quarters of a small pixel, along each side, the large picture is looked at.
const SAMPLES: [usize; 2] = [1, 3];

/// A small picture, with what network and gate found in the large one.
#[derive(Debug, Default)]
pub struct Reduced {
    width: usize,
    /// `width * height` bytes, rows from the top; none where there is no picture.
    grey: Vec<u8>,
    features: Vec<u8>,
    figures: Option<QualityMetrics>,
    /// Where in a row's bytes each small pixel is looked at.
    columns: Vec<[usize; 2]>,
}

impl Reduced {
    /// Forgets the picture, and keeps its memory.
    pub fn clear(&mut self) {
        self.width = 0;
        self.grey.clear();
        self.features.clear();
        self.figures = None;
    }

    /// Takes a frame. `features` are those of the network, where it looked at it.
    pub fn take(&mut self, frame: &Frame, figures: &QualityMetrics, features: Option<&[u8]>) {
        self.clear();
        self.figures = Some(*figures);
        self.features.extend_from_slice(features.unwrap_or_default());
        let [wide, high] = [frame.geometry().width(), frame.geometry().height()].map(usize::from);
        let longest = wide.max(high);
        // Rounded down; no side is 0.
        let small = |side: usize| if longest > LONGEST { (side * LONGEST / longest).max(1) } else { side };
        let (width, height) = (small(wide), small(high));
        self.width = width;
        self.grey.reserve(width * height);
        let format = frame.geometry().format();
        let bytes = format.bytes_per_pixel();
        self.columns.clear();
        self.columns.extend((0..width).map(|x| SAMPLES.map(|part| place(x, part, wide, width) * bytes)));
        let (mut rows, mut next, mut row) = (frame.rows(), 0, &[][..]);
        for y in 0..height {
            let [first, second] = SAMPLES.map(|part| {
                let place = place(y, part, high, height);
                if place >= next {
                    row = rows.nth(place - next).unwrap_or_default();
                    next = place + 1;
                }
                row
            });
            // What a camera sends is one byte, which is many times faster than luminance in general.
            match format {
                PixelFormat::Gray8 | PixelFormat::Yuyv => {
                    self.extend([first, second], |at| at.first().copied())
                }
                PixelFormat::Uyvy => self.extend([first, second], |at| at.get(1).copied()),
                _ => self.extend([first, second], |at| Some((format.luminance(at.get(..bytes)?) >> 8) as u8)),
            }
        }
    }

    /// Another row: the means of two rows of the large picture, of which `grey` reads a pixel.
    fn extend(&mut self, rows: [&[u8]; 2], grey: impl Fn(&[u8]) -> Option<u8>) {
        let at = |row: &[u8], place| u16::from(row.get(place..).and_then(&grey).unwrap_or(0));
        let both = |row, [left, right]: [usize; 2]| at(row, left) + at(row, right);
        let mean = |columns: &[usize; 2]| ((both(rows[0], *columns) + both(rows[1], *columns)) / 4) as u8;
        self.grey.extend(self.columns.iter().map(mean));
    }

    /// Pixels in a row and rows; 0 and 0 where there is no picture.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.grey.len().checked_div(self.width).unwrap_or(0))
    }

    /// The pixels, rows from the top.
    pub fn grey(&self) -> &[u8] {
        &self.grey
    }

    /// The network's features, height x width x channels; empty where it did not look.
    pub fn features(&self) -> &[u8] {
        &self.features
    }

    /// What the gate measured; none where there is no picture.
    pub fn figures(&self) -> Option<&QualityMetrics> {
        self.figures.as_ref()
    }
}

/// Where in `from` pixels a quarter of pixel `at` of `to` lies; always below `from`.
fn place(at: usize, quarter: usize, from: usize, to: usize) -> usize {
    (4 * at + quarter) * from / (4 * to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_core::{Geometry, PixelStats};

    const FIGURES: QualityMetrics = QualityMetrics {
        elongation_permille: 1000,
        stats: PixelStats { mean: 1, deviation: 2, black_permille: 3, white_permille: 4 },
        sharpness: 5,
        layout: 6,
        features: None,
        familiarity: None,
    };

    fn reduced(width: u32, height: u32, format: PixelFormat, bytes: &[u8]) -> Reduced {
        let geometry = Geometry::new(width, height, format).unwrap();
        let mut reduced = Reduced::default();
        reduced.take(&Frame::packed(geometry, bytes).unwrap(), &FIGURES, None);
        reduced
    }

    #[test]
    fn a_small_picture_stays_as_it_is() {
        let bytes: Vec<u8> = (0..48 * 32).map(|at| (at % 251) as u8).collect();
        let same = reduced(48, 32, PixelFormat::Gray8, &bytes);
        assert_eq!((same.size(), same.grey()), ((48, 32), &bytes[..]));
        let yuyv: Vec<u8> = bytes.iter().flat_map(|grey| [*grey, 9]).collect();
        assert_eq!(reduced(48, 32, PixelFormat::Yuyv, &yuyv).grey(), bytes);
        let uyvy: Vec<u8> = bytes.iter().flat_map(|grey| [9, *grey]).collect();
        assert_eq!(reduced(48, 32, PixelFormat::Uyvy, &uyvy).grey(), bytes);
        let deep: Vec<u8> = bytes.iter().flat_map(|grey| [7, *grey]).collect();
        assert_eq!(reduced(48, 32, PixelFormat::Gray16, &deep).grey(), bytes);
        let colour: Vec<u8> = bytes.iter().flat_map(|grey| [*grey; 3]).collect();
        assert_eq!(reduced(48, 32, PixelFormat::Rgb8, &colour).grey(), bytes);
    }

    #[test]
    fn a_large_one_is_looked_at_in_every_part_and_keeps_its_shape() {
        // Left half black, right half white; the last row grey.
        let (width, height) = (2000, 1500);
        let mut bytes = vec![0; width * height];
        for row in bytes.chunks_mut(width) {
            row[width / 2..].fill(255);
        }
        let small = reduced(width as u32, height as u32, PixelFormat::Gray8, &bytes);
        assert_eq!(small.size(), (512, 384));
        assert!(small.grey().chunks(512).all(|row| row[..256] == [0; 256] && row[256..] == [255; 256]));
        // A line of one pixel is seen at its place, in part.
        let mut bytes = vec![0; 1024 * 1024];
        bytes[513 * 1024..514 * 1024].fill(200);
        let small = reduced(1024, 1024, PixelFormat::Gray8, &bytes);
        let rows: Vec<_> = small.grey().chunks(512).map(|row| row[7]).collect();
        assert_eq!((rows[255], rows[256], rows[257]), (0, 100, 0));
        assert_eq!(reduced(8000, 32, PixelFormat::Gray8, &vec![1; 8000 * 32]).size(), (512, 2));
    }

    #[test]
    fn of_the_next_picture_nothing_is_left_of_the_one_before() {
        let mut used = reduced(64, 64, PixelFormat::Gray8, &[7; 64 * 64]);
        let geometry = Geometry::new(40, 32, PixelFormat::Gray8).unwrap();
        used.take(&Frame::packed(geometry, &[9; 40 * 32]).unwrap(), &FIGURES, Some(&[1, 2]));
        assert_eq!((used.size(), used.features()), ((40, 32), &[1, 2][..]));
        assert!(used.grey().iter().all(|grey| *grey == 9));
        used.clear();
        assert_eq!((used.size(), used.features(), used.figures()), ((0, 0), &[][..], None));
    }
}
