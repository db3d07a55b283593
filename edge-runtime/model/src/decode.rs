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
mod png;

use crate::guard::guarded;
use edge_core::{Frame, FrameError, Geometry};
use image::ImageFormat;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Largest file that is read: the largest picture (8000 x 8000, three 16-bit samples) uncompressed,
/// and some more.
pub const MAX_FILE_BYTES: u64 = 400 << 20;

/// Endings of the files that are taken from folders, where there are other files too.
const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];

/// Whether a file's name ends as a picture's does, in capitals or not.
pub fn has_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// A decoded picture: rows from top to bottom without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    geometry: Geometry,
    bytes: Vec<u8>,
}

impl Picture {
    /// Rows of `geometry.row_bytes()` bytes; too few are an error, any beyond the last row dropped.
    pub fn new(geometry: Geometry, mut bytes: Vec<u8>) -> Result<Self, FrameError> {
        Frame::packed(geometry, &bytes)?;
        bytes.truncate(geometry.row_bytes() * usize::from(geometry.height()));
        Ok(Self { geometry, bytes })
    }

    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn frame(&self) -> Frame<'_> {
        // `new` is the only constructor and made this very check; nothing changes the fields afterwards.
        Frame::packed(self.geometry, &self.bytes).expect("checked by Picture::new")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("the file is empty (0 bytes); copy it again from its source")]
    Empty,
    #[error("the file is larger than {} MB; expected a single JPEG or PNG picture", MAX_FILE_BYTES >> 20)]
    TooLong,
    #[error("expected a JPEG or PNG picture, got {got}; export the picture as JPEG or PNG")]
    Format { got: &'static str },
    #[error(transparent)]
    Size(#[from] FrameError),
    #[error("expected a single picture, got an animated {format}; export one frame as JPEG or PNG")]
    Animated { format: &'static str },
    /// A colour model for printing, or another that has no defined luminance here.
    #[error("expected a greyscale, YCbCr or RGB JPEG, got {got}; export the picture in greyscale or RGB")]
    ColourModel { got: String },
    #[error("the {format} file is damaged or cut short ({}); copy it again from its source", one_line(what))]
    Damaged { format: &'static str, what: String },
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

/// A decoder's words without line breaks and what else could spoil a log that is read line by line.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
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
