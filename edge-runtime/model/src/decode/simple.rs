//! BMP and WebP, as `image` reads them: 8 bits a sample.

use super::alpha::over_black;
use super::orient;
use super::outcome::{DecodeError, Picture};
use edge_core::{Geometry, PixelFormat};
use image::codecs::bmp::BmpDecoder;
use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError};
use std::io::Cursor;

pub(super) fn decode_bmp(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(|error| refusal("BMP", error))?;
    picture("BMP", decoder)
}

pub(super) fn decode_webp(bytes: &[u8]) -> Result<Picture, DecodeError> {
    // The length of what follows it; the decoder fills up what is missing.
    let told = bytes.get(4..8).and_then(<[u8]>::first_chunk).map_or(u32::MAX, |l| u32::from_le_bytes(*l));
    if bytes.len() as u64 - 8 < u64::from(told) {
        return Err(DecodeError::damaged("WebP", "fewer bytes than its header tells"));
    }
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|error| refusal("WebP", error))?;
    if decoder.has_animation() {
        return Err(DecodeError::Animated { format: "WebP" });
    }
    picture("WebP", decoder)
}

fn picture(name: &'static str, mut decoder: impl ImageDecoder) -> Result<Picture, DecodeError> {
    let (width, height) = decoder.dimensions();
    let (format, alpha) = match decoder.color_type() {
        ColorType::L8 => (PixelFormat::Gray8, false),
        ColorType::Rgb8 => (PixelFormat::Rgb8, false),
        ColorType::Rgba8 => (PixelFormat::Rgb8, true),
        got => return Err(DecodeError::Coding { format: name, got: format!("{got:?}") }),
    };
    let geometry = Geometry::new(width, height, format)?; // before anything is allocated
    let orientation = decoder.orientation().map_err(|error| refusal(name, error))?;
    let size = usize::try_from(decoder.total_bytes())
        .map_err(|_| DecodeError::damaged(name, "more pixels than can be held"))?;
    let mut pixels = vec![0; size];
    decoder.read_image(&mut pixels).map_err(|error| refusal(name, error))?;
    let refused = if alpha { over_black(&mut pixels, format) } else { None };
    Ok(orient::apply(geometry, pixels, orientation)?.refused_for(refused))
}

fn refusal(format: &'static str, error: ImageError) -> DecodeError {
    match error {
        ImageError::Unsupported(what) => DecodeError::Coding { format, got: what.to_string() },
        error => DecodeError::damaged(format, error.to_string()),
    }
}
