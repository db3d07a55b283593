//! JPEG: baseline and progressive, greyscale, YCbCr or RGB.

use super::orient::{self, Orientation};
use super::outcome::{DecodeError, Picture};
use edge_core::{Geometry, PixelFormat};
use std::borrow::Cow;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Decodes a JPEG to its luminance plane, or to RGB where it is stored as RGB.
pub(super) fn decode(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let bytes = without_early_end(bytes)?;
    // Strict: the decoder otherwise fills what is missing with grey. Sizes are checked below, with a
    // better message.
    let options = DecoderOptions::default().set_strict_mode(true);
    let options = options.set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes.as_ref()), options);
    decoder.decode_headers().map_err(|error| damaged(error.to_string()))?;
    let info = decoder.info().ok_or_else(|| damaged("no header".to_owned()))?;
    let colours = decoder.input_colorspace().unwrap_or(ColorSpace::Unknown);
    // The decoder reads Adobe's marker before it counts the components: with three, "CMYK" is RGB and
    // "YCCK" is YCbCr.
    let (format, out) = match (info.components, colours) {
        (1, ColorSpace::Luma) | (3, ColorSpace::YCbCr | ColorSpace::YCCK) => {
            (PixelFormat::Gray8, ColorSpace::Luma)
        }
        (3, ColorSpace::RGB | ColorSpace::CMYK) => (PixelFormat::Rgb8, ColorSpace::RGB),
        (_, other) => return Err(DecodeError::ColourModel { got: format!("{other:?}") }),
    };
    let geometry = Geometry::new(info.width.into(), info.height.into(), format)?;
    decoder.set_options(options.jpeg_set_out_colorspace(out));
    let mut pixels = vec![0; geometry.row_bytes() * usize::from(geometry.height())];
    decoder.decode_into(&mut pixels).map_err(|error: DecodeErrors| damaged(error.to_string()))?;
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    orient::apply(geometry, pixels, orientation.unwrap_or(Orientation::NoTransforms))
}

/// Refuses a file without an end, and makes a lost middle show.
///
/// Even a strict decoder takes the end-of-image marker for an excuse: where it comes too early, the
/// rest of the picture becomes flat. In a file of one baseline scan, the common case, the marker is
/// therefore replaced by a few zeros, so that a scan that is too short runs into the end of the
/// data, which is an error. (The zeros are as many as the decoder reads ahead.) A scan of a
/// progressive file refines the whole picture and may end where it likes.
fn without_early_end(bytes: &[u8]) -> Result<Cow<'_, [u8]>, DecodeError> {
    const READ_AHEAD: [u8; 8] = [0; 8];
    let no_end = || damaged("no end-of-image marker".to_owned());
    // Compressed data escapes 0xFF, so that no marker can occur in it by chance.
    let find = |marker: u8, bytes: &[u8]| bytes.windows(2).position(|pair| pair == [0xFF, marker]);
    let Some(Scan { start, progressive }) = first_scan(bytes) else {
        return Ok(bytes.into()); // the decoder says what is wrong with the header
    };
    let scan = bytes.get(start..).unwrap_or_default();
    let end = find(0xD9, scan).ok_or_else(no_end)?;
    if progressive || find(0xDA, &scan[..end]).is_some() {
        return Ok(bytes.into());
    }
    Ok([&bytes[..start + end], &READ_AHEAD].concat().into())
}

/// Where the compressed data begins, and of what kind it is.
struct Scan {
    start: usize,
    progressive: bool,
}

/// Walks over the header's segments (ITU-T T.81, annex B) to the first scan; none where the header
/// is damaged.
fn first_scan(bytes: &[u8]) -> Option<Scan> {
    let (mut at, mut progressive) = (0, false);
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xFF)?;
        at += bytes.get(at..)?.iter().position(|&byte| byte != 0xFF)?;
        let marker = *bytes.get(at)?;
        at += 1;
        match marker {
            0xDA => return Some(Scan { start: at, progressive }),
            0x00 | 0x01 | 0xD0..=0xD9 => continue, // no segment
            0xC0 | 0xC1 => progressive = false,
            0xC2 => progressive = true,
            _ => {}
        }
        let &[high, low] = bytes.get(at..at + 2)? else { return None };
        at += usize::from(u16::from_be_bytes([high, low]));
    }
}

fn damaged(what: String) -> DecodeError {
    DecodeError::Damaged { format: "JPEG", what }
}
