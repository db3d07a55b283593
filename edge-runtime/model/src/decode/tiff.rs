//! TIFF: greyscale or RGB of 8 or 16 bits, one page, uncompressed or by PackBits, LZW or Deflate.

use super::depth::to_full_scale;
use super::orient::{self, Orientation};
use super::outcome::{DecodeError, MAX_FILE_BYTES, Picture};
use edge_core::{Geometry, PixelFormat};
use std::io::Cursor;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};

pub(super) fn decode(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_FILE_BYTES as usize;
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(refusal)?.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(refusal)?;
    Geometry::new(width, height, PixelFormat::Gray8)?; // before anything is allocated
    if decoder.more_images() {
        return Err(other("several pages"));
    }
    let mut tag = |tag| decoder.find_tag_unsigned::<u16>(tag).map_err(refusal);
    let orientation = tag(Tag::Orientation)?.and_then(|code| u8::try_from(code).ok());
    let white_is_zero = tag(Tag::PhotometricInterpretation)? == Some(0);
    let planes_apart = tag(Tag::PlanarConfiguration)? == Some(2);
    if tag(Tag::FillOrder)? == Some(2) {
        return Err(other("bits in reverse order"));
    }
    let format = match decoder.colortype().map_err(refusal)? {
        ColorType::Gray(8) => PixelFormat::Gray8,
        ColorType::Gray(16) => PixelFormat::Gray16,
        ColorType::RGB(8 | 16) if planes_apart => return Err(other("a plane a colour")),
        ColorType::RGB(8) => PixelFormat::Rgb8,
        ColorType::RGB(16) => PixelFormat::Rgb16,
        ColorType::Gray(bits) | ColorType::RGB(bits) => {
            return Err(other(format!("{bits} bits a sample")));
        }
        ColorType::RGBA(_) | ColorType::GrayA(_) => return Err(other("transparency")),
        colours => return Err(other(format!("{colours:?}"))),
    };
    let (pixels, refused) = match (decoder.read_image().map_err(refusal)?, format) {
        (DecodingResult::U8(pixels), PixelFormat::Gray8 | PixelFormat::Rgb8) => (pixels, None),
        (DecodingResult::U16(samples), PixelFormat::Gray16 | PixelFormat::Rgb16) => {
            // The decoder has turned samples of which 0 is white: how many bits they use shows as they were.
            let turn = if white_is_zero { u16::MAX } else { 0 };
            let mut pixels: Vec<u8> = samples.iter().flat_map(|s| (s ^ turn).to_le_bytes()).collect();
            let refused = to_full_scale(&mut pixels, 1, false, None);
            pixels.iter_mut().for_each(|byte| *byte ^= turn as u8);
            (pixels, refused)
        }
        _ => return Err(other("samples that are no plain numbers from 0 on")),
    };
    let orientation = orientation.and_then(Orientation::from_exif);
    let geometry = Geometry::new(width, height, format)?;
    let picture = orient::apply(geometry, pixels, orientation.unwrap_or(Orientation::NoTransforms))?;
    Ok(picture.refused_for(refused))
}

fn other(got: impl Into<String>) -> DecodeError {
    DecodeError::Coding { format: "TIFF", got: got.into() }
}

fn refusal(error: TiffError) -> DecodeError {
    match error {
        TiffError::UnsupportedError(what) => other(what.to_string()),
        error => DecodeError::damaged("TIFF", error.to_string()),
    }
}
