//! A part of a picture covered with the picture's mean grey, before the gate, as a label or a hand
//! would.

use super::heat::Part;
use edge_core::PixelFormat;
use edge_model::decode::Picture;

/// The picture with this part covered; none of a camera's formats, to which no file is decoded.
pub(super) fn cover(picture: &Picture, part: Part) -> Option<Picture> {
    let geometry = picture.geometry();
    let sample = match geometry.format() {
        PixelFormat::Gray8 | PixelFormat::Rgb8 => 1,
        PixelFormat::Gray16 | PixelFormat::Rgb16 => 2,
        PixelFormat::Yuyv | PixelFormat::Uyvy => return None,
    };
    let mut bytes = picture.bytes().to_vec();
    let value = |sample: &[u8]| sample.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte));
    let sum: u64 = bytes.chunks_exact(sample).map(value).sum();
    let mean = (sum / (bytes.len() / sample) as u64).to_le_bytes();
    let [columns, rows] = part.pixels(geometry.width().into(), geometry.height().into());
    let pixel = geometry.format().bytes_per_pixel();
    for row in bytes.chunks_exact_mut(geometry.row_bytes()).take(rows.end).skip(rows.start) {
        let covered = row.get_mut(columns.start * pixel..columns.end * pixel)?;
        covered.chunks_exact_mut(sample).for_each(|value| value.copy_from_slice(&mean[..sample]));
    }
    Picture::new(geometry, bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_core::Geometry;

    #[test]
    fn the_part_has_the_mean_grey_and_the_rest_is_untouched() {
        for (format, channels, wide) in [
            (PixelFormat::Gray8, 1, false),
            (PixelFormat::Rgb8, 3, false),
            (PixelFormat::Gray16, 1, true),
            (PixelFormat::Rgb16, 3, true),
        ] {
            // The upper half black, the lower one of the greatest value but one.
            let sample: &[u8] = if wide { &[0xFE, 0xFF] } else { &[0xFE] };
            let (width, height) = (66, 60);
            let half = width * height / 2 * channels;
            let bytes = [vec![0; half * sample.len()], sample.repeat(half)].concat();
            let picture = Picture::new(Geometry::new(66, 60, format).unwrap(), bytes).unwrap();
            let covered = cover(&picture, Part::ninths()[1]).unwrap();
            let mean: &[u8] = if wide { &[0xFF, 0x7F] } else { &[0x7F] };
            let pairs = covered.bytes().chunks(sample.len()).zip(picture.bytes().chunks(sample.len()));
            for (at, (now, before)) in pairs.enumerate() {
                let (x, y) = (at / channels % width, at / channels / width);
                let inside = (22..44).contains(&x) && y < 20;
                assert_eq!(now, if inside { mean } else { before }, "{format:?} at {x}, {y}");
            }
        }
    }
}
