//! Turns and mirrors a picture as its EXIF orientation says: a phone's photograph of a film is
//! often stored lying down.

use super::outcome::{DecodeError, Picture};
use edge_core::Geometry;
pub(super) use image::metadata::Orientation;

/// Makes the picture, upright. Takes the pixels as they are where nothing is to be done.
pub(super) fn apply(
    stored: Geometry,
    pixels: Vec<u8>,
    orientation: Orientation,
) -> Result<Picture, DecodeError> {
    use Orientation::*;
    if orientation == NoTransforms {
        return Ok(Picture::new(stored, pixels)?);
    }
    let (width, height) = (usize::from(stored.width()), usize::from(stored.height()));
    let turned = matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH);
    let (new_width, new_height) = if turned { (height, width) } else { (width, height) };
    let geometry = Geometry::new(new_width as u32, new_height as u32, stored.format())?;
    let size = stored.format().bytes_per_pixel();
    let mut upright = Vec::with_capacity(pixels.len());
    for y in 0..new_height {
        for x in 0..new_width {
            let (from_x, from_y) = match orientation {
                NoTransforms => (x, y),
                FlipHorizontal => (width - 1 - x, y),
                Rotate180 => (width - 1 - x, height - 1 - y),
                FlipVertical => (x, height - 1 - y),
                Rotate90FlipH => (y, x),
                Rotate90 => (y, height - 1 - x),
                Rotate270FlipH => (width - 1 - y, height - 1 - x),
                Rotate270 => (width - 1 - y, x),
            };
            let at = (from_y * width + from_x) * size;
            upright.extend_from_slice(&pixels[at..at + size]);
        }
    }
    Ok(Picture::new(geometry, upright)?)
}
