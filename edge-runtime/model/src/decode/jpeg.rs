//! JPEG: baseline and progressive, of 8 bits a sample, greyscale, YCbCr or RGB.
//!
//! `jpeg-decoder` computes the picture. What it gets is not the file but what
//! [`stream`] makes of it, so that a picture that is incomplete is an error and one that is only
//! unusual is not. Colours are told as libjpeg tells them ([`header`]).

mod header;
mod huffman;
mod stream;

use super::orient::{self, Orientation};
use super::outcome::{DecodeError, Picture};
use edge_core::{Geometry, PixelFormat};
use header::{ColourModel, coding, damaged};
use jpeg_decoder::{ColorTransform, Decoder, Error, UnsupportedFeature};
use stream::Stream;

/// Decodes a JPEG to its luminance plane, or to RGB where it is stored as RGB, turned as its EXIF
/// orientation says.
pub(super) fn decode(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let (geometry, pixels, orientation) = stored(bytes)?;
    orient::apply(geometry, pixels, orientation)
}

/// The same as it is stored, where something else says how the picture lies: a DICOM file's tags.
pub(super) fn decode_as_stored(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let (geometry, pixels, _) = stored(bytes)?;
    orient::apply(geometry, pixels, Orientation::NoTransforms)
}

fn stored(bytes: &[u8]) -> Result<(Geometry, Vec<u8>, Orientation), DecodeError> {
    let Stream { frame, colours, exif, bytes } = Stream::read(bytes)?;
    let format = match colours {
        ColourModel::Grey | ColourModel::YCbCr => PixelFormat::Gray8,
        ColourModel::Rgb => PixelFormat::Rgb8,
        ColourModel::Other(got) => return Err(DecodeError::ColourModel { got }),
    };
    let geometry = Geometry::new(frame.width.into(), frame.height.into(), format)?;
    let mut decoder = Decoder::new(bytes.as_slice());
    if colours != ColourModel::Grey {
        // As RGB its samples come as they are stored; the first of YCbCr is the luminance.
        decoder.set_color_transform(ColorTransform::RGB);
    }
    let mut pixels = decoder.decode().map_err(refusal)?;
    if colours == ColourModel::YCbCr {
        let count = pixels.len() / 3;
        (0..count).for_each(|at| pixels[at] = pixels[3 * at]);
        pixels.truncate(count);
        pixels.shrink_to_fit();
    }
    let orientation = exif.and_then(Orientation::from_exif_chunk);
    Ok((geometry, pixels, orientation.unwrap_or(Orientation::NoTransforms)))
}

fn refusal(error: Error) -> DecodeError {
    match error {
        Error::Unsupported(UnsupportedFeature::NonIntegerSubsamplingRatio) => {
            coding("samplings of which one is no multiple of the other")
        }
        Error::Format(what) => damaged(what),
        other => damaged(other.to_string()),
    }
}
