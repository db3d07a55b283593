//! Pixels that are not square: the picture is resampled until they are.
//!
//! The network sees every picture squashed to a square. What depends on a pixel's shape is what the
//! gate measures of the picture's shape, and what people and the trainer see.

use super::error::DicomError;
use crate::decode::outcome::{DecodeError, Picture};
use edge_core::frame::MAX_SIDE;
use edge_core::{Geometry, PixelFormat};
use image::imageops::FilterType;
use image::{DynamicImage, ImageBuffer};

/// Sides that differ by less are equal: spacings are written with few digits.
const TOLERANCE: f64 = 0.01;
/// No detector and no scanner has pixels more elongated than this; such numbers are a mistake.
const MOST: f64 = 4.0;

/// The picture with square pixels. `sides` are a pixel's height and width in any unit, both above 0;
/// the longer one is divided, or where that is too large a picture, the shorter ones are joined.
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
    let [columns, rows] = [f64::from(stored.width()), f64::from(stored.height())];
    let fits = |side: f64| side.round() <= f64::from(MAX_SIDE);
    let [columns, rows] = match ratio > 1.0 {
        true if fits(rows * ratio) => [columns, rows * ratio],
        true => [columns / ratio, rows],
        false if fits(columns / ratio) => [columns / ratio, rows],
        false => [columns, rows * ratio],
    };
    let square = Geometry::new(columns.round() as u32, rows.round() as u32, stored.format())?;
    Ok(Picture::new(square, resampled(picture, square)?)?)
}

/// The pixels in another size, between neighbours in a straight line.
fn resampled(picture: Picture, to: Geometry) -> Result<Vec<u8>, DecodeError> {
    let (from, bytes) = (picture.geometry(), picture.into_bytes());
    let (width, height) = (from.width().into(), from.height().into());
    let words =
        |bytes: &[u8]| bytes.as_chunks::<2>().0.iter().map(|word| u16::from_le_bytes(*word)).collect();
    let image = match from.format() {
        PixelFormat::Gray8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLuma8),
        PixelFormat::Rgb8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgb8),
        PixelFormat::Gray16 => {
            ImageBuffer::from_raw(width, height, words(&bytes)).map(DynamicImage::ImageLuma16)
        }
        PixelFormat::Rgb16 => {
            ImageBuffer::from_raw(width, height, words(&bytes)).map(DynamicImage::ImageRgb16)
        }
        PixelFormat::Yuyv | PixelFormat::Uyvy => None,
    };
    let image = image.ok_or_else(|| DecodeError::damaged("DICOM", "its pixels are of a camera's form"))?;
    let image = image.resize_exact(to.width().into(), to.height().into(), FilterType::Triangle);
    let little = |words: Vec<u16>| words.into_iter().flat_map(u16::to_le_bytes).collect();
    Ok(match image {
        DynamicImage::ImageLuma16(image) => little(image.into_raw()),
        DynamicImage::ImageRgb16(image) => little(image.into_raw()),
        image => image.into_bytes(),
    })
}
