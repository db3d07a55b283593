//! PNG: every colour type and depth, interlaced or not; palettes become RGB, transparency becomes
//! black.

use super::orient::{self, Orientation};
use super::outcome::{DecodeError, MAX_FILE_BYTES, Picture};
use edge_core::{Geometry, PixelFormat};
use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};
use std::io::Cursor;

pub(super) fn decode(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let limits = Limits { bytes: MAX_FILE_BYTES as usize };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    let (width, height) = decoder.read_header_info().map_err(damaged)?.size();
    Geometry::new(width, height, PixelFormat::Gray8)?; // the size alone: before anything is allocated
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(damaged)?;
    if reader.info().animation_control.is_some() {
        return Err(DecodeError::Animated { format: "PNG" });
    }
    let (colours, depth) = reader.output_color_type();
    let wide = depth == BitDepth::Sixteen;
    let (format, alpha) = match colours {
        ColorType::Grayscale => (if wide { PixelFormat::Gray16 } else { PixelFormat::Gray8 }, false),
        ColorType::GrayscaleAlpha => (if wide { PixelFormat::Gray16 } else { PixelFormat::Gray8 }, true),
        ColorType::Rgb | ColorType::Indexed => {
            (if wide { PixelFormat::Rgb16 } else { PixelFormat::Rgb8 }, false)
        }
        ColorType::Rgba => (if wide { PixelFormat::Rgb16 } else { PixelFormat::Rgb8 }, true),
    };
    let geometry = Geometry::new(width, height, format)?;
    let size = reader.output_buffer_size().ok_or_else(|| damaged(DecodingError::LimitsExceeded))?;
    let mut pixels = vec![0; size];
    reader.next_frame(&mut pixels).map_err(damaged)?;
    if wide {
        pixels.as_chunks_mut::<2>().0.iter_mut().for_each(|sample| sample.reverse()); // PNG is big-endian
    }
    if alpha {
        over_black(&mut pixels, format);
    }
    let exif = reader.info().exif_metadata.as_deref();
    let orientation = exif.and_then(Orientation::from_exif_chunk);
    orient::apply(geometry, pixels, orientation.unwrap_or(Orientation::NoTransforms))
}

/// Multiplies each sample by its pixel's alpha, which follows the samples of `format`, and closes
/// the gaps.
fn over_black(pixels: &mut Vec<u8>, format: PixelFormat) {
    let colour = format.bytes_per_pixel();
    let wide = matches!(format, PixelFormat::Gray16 | PixelFormat::Rgb16);
    let pixel = colour + if wide { 2 } else { 1 };
    let count = pixels.len() / pixel;
    for i in 0..count {
        let (from, to) = (i * pixel, i * colour);
        if wide {
            let sample = |at: usize| u32::from(u16::from_le_bytes([pixels[at], pixels[at + 1]]));
            let alpha = sample(from + colour);
            let mut mixed = [0; 6];
            for at in (0..colour).step_by(2) {
                // 65535 * 65535 + 32767 still fits 32 bits.
                let value = ((sample(from + at) * alpha + 32767) / 65535) as u16;
                mixed[at..at + 2].copy_from_slice(&value.to_le_bytes());
            }
            pixels[to..to + colour].copy_from_slice(&mixed[..colour]);
        } else {
            let alpha = u32::from(pixels[from + colour]);
            for at in 0..colour {
                pixels[to + at] = ((u32::from(pixels[from + at]) * alpha + 127) / 255) as u8;
            }
        }
    }
    pixels.truncate(count * colour);
}

fn damaged(error: DecodingError) -> DecodeError {
    DecodeError::Damaged { format: "PNG", what: error.to_string() }
}
