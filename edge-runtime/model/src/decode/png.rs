//! PNG: every colour type and depth, interlaced or not; palettes become RGB, transparency becomes
//! black.

use super::alpha::over_black;
use super::depth::to_full_scale;
use super::orient::{self, Orientation};
use super::outcome::{DecodeError, MAX_FILE_BYTES, Picture};
use edge_core::{Geometry, PixelFormat};
use png::{BitDepth, ColorType, Decoder, DecodingError, Info, Limits, Transformations};
use std::io::Cursor;

pub(super) fn decode(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let limits = Limits { bytes: MAX_FILE_BYTES as usize };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    let (width, height) = decoder.read_header_info().map_err(damaged)?.size();
    Geometry::new(width, height, PixelFormat::Gray8)?; // the size alone: before anything is allocated
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(damaged)?;
    if is_animated(reader.info()) {
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
    let low = wide.then(|| {
        let colours = format.bytes_per_pixel() / 2;
        to_full_scale(&mut pixels, colours, alpha, significant_bits(reader.info()))
    });
    let hidden = alpha.then(|| over_black(&mut pixels, format));
    let refused = hidden.flatten().or(low.flatten());
    // What lies behind the picture's data may say how it lies; a file that ends there has said all.
    let _ = reader.finish();
    let exif = reader.info().exif_metadata.as_deref();
    let orientation = exif.and_then(Orientation::from_exif_chunk);
    let picture = orient::apply(geometry, pixels, orientation.unwrap_or(Orientation::NoTransforms))?;
    Ok(picture.refused_for(refused))
}

/// Whether there is more than the one picture that any viewer shows.
fn is_animated(info: &Info) -> bool {
    // A first frame that is the picture itself has its control before the picture's data.
    info.animation_control.is_some_and(|animation| animation.num_frames > 1 || info.frame_control.is_none())
}

/// What the chunk sBIT says of the colours, the most where they differ.
fn significant_bits(info: &Info) -> Option<u8> {
    let colours = if info.color_type.samples() < 3 { 1 } else { 3 };
    info.sbit.as_deref()?.iter().take(colours).copied().max()
}

fn damaged(error: DecodingError) -> DecodeError {
    DecodeError::damaged("PNG", error.to_string())
}
