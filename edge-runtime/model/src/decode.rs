//! From a file's bytes to a [`Picture`]: JPEG and PNG, recognised by content, never by name.
//!
//! - The size is checked from the header before any pixel is decoded.
//! - A JPEG's luminance plane is used as it is: it already is the BT.601 luminance that
//!   preprocessing wants, so colour JPEGs come out grey, exact and at a third of the memory. JPEGs
//!   stored as RGB and PNGs keep their channels.
//! - Transparency is composited over black: what a viewer does not see must not decide.
//! - The EXIF orientation is applied. Colour profiles and gamma are ignored.
//! - A file that is cut short or damaged is refused, even where a decoder could show a part of it:
//!   half a lung must not be judged as if it were whole.

mod jpeg;
mod orient;
mod outcome;
mod png;

pub use outcome::{DecodeError, MAX_FILE_BYTES, Picture};

use crate::guard::guarded;
use image::ImageFormat;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Endings of the files that are taken from folders, where there are other files too.
const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];

/// Whether a file's name ends as a picture's does, in capitals or not.
pub fn has_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// Decodes a picture from a file; the error's text does not repeat the path.
pub fn open(path: impl AsRef<Path>) -> Result<Picture, DecodeError> {
    read(File::open(path)?)
}

/// Decodes a picture from a stream, such as standard input; reads at most [`MAX_FILE_BYTES`].
pub fn read(source: impl Read) -> Result<Picture, DecodeError> {
    let mut bytes = Vec::new();
    source.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(DecodeError::TooLong);
    }
    decode(&bytes)
}

/// Decodes the bytes of a file. What a decoder panics on is [`DecodeError::Damaged`] too.
pub fn decode(bytes: &[u8]) -> Result<Picture, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    let (format, decode): (_, fn(&[u8]) -> _) = match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => ("JPEG", jpeg::decode),
        Ok(ImageFormat::Png) => ("PNG", png::decode),
        other => return Err(DecodeError::Format { got: name(other.ok(), bytes) }),
    };
    guarded(|| decode(bytes)).unwrap_or_else(|what| Err(DecodeError::Damaged { format, what }))
}

/// Names content that is neither JPEG nor PNG, as far as it shows.
fn name(format: Option<ImageFormat>, bytes: &[u8]) -> &'static str {
    match format {
        Some(ImageFormat::Gif) => "GIF",
        Some(ImageFormat::WebP) => "WebP",
        Some(ImageFormat::Tiff) => "TIFF",
        Some(ImageFormat::Bmp) => "BMP",
        Some(ImageFormat::Pnm) => "PNM",
        Some(ImageFormat::Avif) => "AVIF",
        _ if bytes.get(128..132) == Some(b"DICM") => "DICOM",
        _ if bytes.starts_with(b"%PDF") => "PDF",
        _ if bytes.iter().all(|&b| b == 0) => "zero bytes only",
        _ => "unknown content",
    }
}
