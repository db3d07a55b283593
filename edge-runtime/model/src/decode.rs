//! From a file's bytes to a [`Picture`]: JPEG, PNG, TIFF, BMP, WebP and DICOM, recognised by content,
//! never by name.
//!
//! - The size is checked from the header before any pixel is decoded.
//! - A JPEG's luminance plane is used as it is: it already is the BT.601 luminance that
//!   preprocessing wants, so colour JPEGs come out grey and exact. JPEGs stored as RGB and other
//!   formats keep their channels.
//! - Transparency is composited over black: what a viewer does not see must not decide. A picture that is
//!   transparent everywhere, and one whose file does not say which values are black and white, are read
//!   and must not be judged: [`Picture::refused`].
//! - The EXIF orientation is applied. Colour profiles and gamma are ignored.
//! - A file that is cut short or damaged is refused, even where a decoder could show a part of it:
//!   half a lung must not be judged as if it were whole.
//! - What is not read is refused by its name, with what to do: the JPEG codings that
//!   `jpeg-decoder` lacks, colours for printing, several pictures in one file.
//!
//! Held to libjpeg-turbo, libpng, libtiff and libwebp by the suite `codecs`, to pydicom by the suite
//! `dicom`.

mod alpha;
mod depth;
mod dicom;
mod exam;
mod jpeg;
mod kind;
mod mjpeg;
mod orient;
mod outcome;
mod png;
mod simple;
mod tiff;

pub use dicom::{DicomError, dicom_values};
pub use exam::{Exam, View};
pub use mjpeg::decode_mjpeg;
pub use outcome::{DecodeError, MAX_FILE_BYTES, Picture};

use crate::guard::guarded;
use kind::Kind;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Endings of the files that are taken from folders, where there are other files too, in small
/// letters and without the dot.
pub const ENDINGS: [&str; 11] =
    ["jpg", "jpeg", "jpe", "jfif", "png", "tif", "tiff", "bmp", "webp", "dcm", "dicom"];

/// Whether a file's name ends as a picture's does, in capitals or not.
pub fn has_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// Whether a file of a folder is taken for a picture: by its name's ending, or because it begins as a
/// DICOM file, which may have any name. What cannot be looked at is none, nor is what is hidden by a dot
/// before its name: some systems put `._film.jpg`, which is no picture, beside `film.jpg`.
pub fn is_picture(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && (has_ending(path) || begins_as_dicom(path).unwrap_or(false))
}

/// Whether a file begins as a DICOM file; other than a file does not.
///
/// # Errors
/// It cannot be looked at or read.
pub fn begins_as_dicom(path: &Path) -> io::Result<bool> {
    // More than a pipe or a device has to be waited for.
    if !path.metadata()?.is_file() {
        return Ok(false);
    }
    let mut begin = Vec::new();
    File::open(path)?.take(dicom::ENOUGH).read_to_end(&mut begin)?;
    Ok(dicom::is_dicom(&begin))
}

/// Bytes from a file's beginning in which [`patient`] looks.
const IDENTIFYING: u64 = 1 << 18;

/// Whose picture a DICOM file is: SHA-256 of its Patient ID, for whoever must keep one person's
/// pictures together. None for all other files, and where it tells nobody. A device has no use for it.
pub fn patient(path: &Path) -> Option<[u8; 32]> {
    if !begins_as_dicom(path).ok()? {
        return None;
    }
    let mut begin = Vec::new();
    File::open(path).ok()?.take(IDENTIFYING).read_to_end(&mut begin).ok()?;
    guarded(|| dicom::patient(&begin)).ok().flatten()
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
    let kind = Kind::of(bytes).map_err(|got| DecodeError::Format { got })?;
    let decode = match kind {
        Kind::Jpeg => jpeg::decode,
        Kind::Png => png::decode,
        Kind::Tiff => tiff::decode,
        Kind::Bmp => simple::decode_bmp,
        Kind::WebP => simple::decode_webp,
        Kind::Dicom => dicom::decode,
    };
    guarded(|| decode(bytes)).unwrap_or_else(|what| Err(DecodeError::damaged(kind.name(), what)))
}
