//! JPEG: baseline and progressive, greyscale, YCbCr or RGB.

use super::orient::{self, Orientation};
use super::{DecodeError, Picture};
use edge_core::{Geometry, PixelFormat};
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Decodes a JPEG to its luminance plane, or to RGB where it is stored as RGB.
pub(super) fn decode(bytes: &[u8]) -> Result<Picture, DecodeError> {
    // Strict: the decoder otherwise fills what is missing with grey. Sizes are checked below, with a better message.
    let options = DecoderOptions::default().set_strict_mode(true);
    let options = options.set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let info = decoder.info().ok_or_else(|| damaged(DecodeErrors::ExhaustedData))?;
    let colours = decoder.input_colorspace().unwrap_or(ColorSpace::Unknown);
    // The decoder reads Adobe's marker before it counts the components: with three, "CMYK" is RGB and "YCCK" is YCbCr.
    let (format, out) = match (info.components, colours) {
        (1, ColorSpace::Luma) | (3, ColorSpace::YCbCr | ColorSpace::YCCK) => {
            (PixelFormat::Gray8, ColorSpace::Luma)
        }
        (3, ColorSpace::RGB | ColorSpace::CMYK) => (PixelFormat::Rgb8, ColorSpace::RGB),
        (_, other) => return Err(DecodeError::ColourModel { got: format!("{other:?}") }),
    };
    let geometry = Geometry::new(info.width.into(), info.height.into(), format)?;
    if !ends(bytes) {
        return Err(DecodeError::Damaged { format: "JPEG", what: "no end-of-image marker".to_owned() });
    }
    decoder.set_options(options.jpeg_set_out_colorspace(out));
    let mut pixels = vec![0; geometry.row_bytes() * usize::from(geometry.height())];
    decoder.decode_into(&mut pixels).map_err(damaged)?;
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    orient::apply(geometry, pixels, orientation.unwrap_or(Orientation::NoTransforms))
}

/// Whether an end-of-image marker follows the last start of a scan. Compressed data escapes 0xFF, so that neither
/// marker can occur in it by chance; a file that is cut off anywhere has lost its end.
fn ends(bytes: &[u8]) -> bool {
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xFF, marker]);
    last(0xD9) > last(0xDA)
}

fn damaged(error: DecodeErrors) -> DecodeError {
    DecodeError::Damaged { format: "JPEG", what: error.to_string() }
}
