//! What decoding gives: a picture, or why not.

use super::dicom::DicomError;
use super::exam::Exam;
use edge_core::frame::{MAX_SIDE, MIN_SIDE};
use edge_core::{Frame, FrameError, Geometry, Reason};
use std::io;

/// Largest file that is read: the largest picture (8000 x 8000, three 16-bit samples) uncompressed,
/// and some more.
pub const MAX_FILE_BYTES: u64 = 400 << 20;

/// A decoded picture: rows from top to bottom without padding.
///
/// ```
/// use edge_core::{Geometry, PixelFormat};
/// use edge_model::decode::{DecodeError, Picture, decode};
///
/// let film = decode(include_bytes!("../../assets/normal-00.png"))?;
/// assert_eq!((film.geometry().width(), film.geometry().format()), (96, PixelFormat::Gray8));
///
/// // Or of pixels that are there already.
/// let black = Picture::new(Geometry::new(64, 64, PixelFormat::Gray8)?, vec![0; 64 * 64])?;
/// assert_eq!(black.frame().rows().count(), 64);
///
/// let error = decode(b"%PDF-1.7").unwrap_err();
/// assert!(matches!(error, DecodeError::Format { got: "PDF" }), "{error}");
/// # Ok::<(), DecodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    geometry: Geometry,
    bytes: Vec<u8>,
    exam: Option<Exam>,
}

impl Picture {
    /// Rows of `geometry.row_bytes()` bytes; too few are an error, any beyond the last row dropped.
    pub fn new(geometry: Geometry, mut bytes: Vec<u8>) -> Result<Self, FrameError> {
        Frame::packed(geometry, &bytes)?;
        bytes.truncate(geometry.row_bytes() * usize::from(geometry.height()));
        Ok(Self { geometry, bytes, exam: None })
    }

    /// The same picture with what its file says of it.
    pub fn with_exam(mut self, exam: Exam) -> Self {
        self.exam = Some(exam);
        self
    }

    /// The same picture, which must not be judged where there is a reason and none stands yet.
    pub fn refused_for(mut self, reason: Option<Reason>) -> Self {
        if let Some(reason) = reason {
            self.exam.get_or_insert_default().refused.get_or_insert(reason);
        }
        self
    }

    /// What its file says of it; none where that is nothing.
    pub fn exam(&self) -> Option<&Exam> {
        self.exam.as_ref()
    }

    /// Why the picture must not be judged, by what its file says or leaves unsaid; whatever the pixels
    /// show.
    pub fn refused(&self) -> Option<Reason> {
        self.exam.as_ref()?.refused
    }

    /// Its size in pixels, and their form.
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// All rows, one after the other, `geometry().row_bytes()` bytes each.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A view of it, as the stages take pictures.
    pub fn frame(&self) -> Frame<'_> {
        // `new` is the only constructor and made this very check; nothing changes the fields afterwards.
        Frame::packed(self.geometry, &self.bytes).expect("checked by Picture::new")
    }
}

/// Why there is no picture. The texts name no file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The file or stream itself.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// Not one byte.
    #[error("the file is empty (0 bytes); copy it again from its source")]
    Empty,
    /// More than [`MAX_FILE_BYTES`].
    #[error("the file is larger than {} MB; expected a single picture", MAX_FILE_BYTES >> 20)]
    TooLong,
    /// None of the formats that are read.
    #[error("expected a picture (JPEG, PNG, TIFF, BMP, WebP, DICOM), got {got}; export it as JPEG or PNG")]
    Format {
        /// What it is instead, as far as it shows.
        got: &'static str,
    },
    /// A side is too small or too large.
    #[error(transparent)]
    Size(#[from] FrameError),
    /// Several pictures in one file.
    #[error("expected a single picture, got an animated {format}; export one frame as JPEG or PNG")]
    Animated {
        /// The file's format.
        format: &'static str,
    },
    /// A colour model for printing, or another that has no defined luminance here.
    #[error("expected a greyscale, YCbCr or RGB JPEG, got {got}; export the picture in greyscale or RGB")]
    ColourModel {
        /// The colour model by its name.
        got: &'static str,
    },
    /// A kind of the format that is not read here, whole and sound as the file may be.
    #[error("this kind of {format} is not read here: {got}; export the picture as PNG or as a baseline JPEG")]
    Coding {
        /// The file's format.
        format: &'static str,
        /// The coding by its name.
        got: String,
    },
    /// One frame of a camera; the next may be whole.
    #[error("the camera's MJPEG frame is damaged or cut short ({})", one_line(what))]
    MjpegFrame {
        /// The decoder's own words.
        what: String,
    },
    /// A DICOM file that is whole and gives no picture.
    #[error(transparent)]
    Dicom(#[from] DicomError),
    /// The decoder refused it, or panicked.
    #[error("the {format} file is damaged or cut short ({}); copy it again from its source", one_line(what))]
    Damaged {
        /// The file's format.
        format: &'static str,
        /// The decoder's own words.
        what: String,
    },
}

impl DecodeError {
    /// Why a device that was to answer on the file shows a FAULT, which says what would help.
    pub fn reason(&self) -> Reason {
        match self {
            // The file itself, or the way that it came, is spoiled: sending it again may help.
            Self::Read(_) | Self::Empty | Self::MjpegFrame { .. } | Self::Damaged { .. } => {
                Reason::DamagedFrame
            }
            Self::Size(FrameError::Size { width, height }) => {
                let least = u32::from(MIN_SIDE);
                let small = [*width, *height].into_iter().find(|side| *side < least);
                small.map_or(Reason::WrongSize(*width.max(height), MAX_SIDE.into()), |side| {
                    Reason::WrongSize(side, least)
                })
            }
            Self::Size(_) => Reason::DamagedFrame,
            Self::TooLong
            | Self::Format { .. }
            | Self::Animated { .. }
            | Self::ColourModel { .. }
            | Self::Coding { .. }
            | Self::Dicom(_) => Reason::UnreadKind,
        }
    }

    /// A file of `format` that is damaged, in which way `what` says.
    pub(super) fn damaged(format: &'static str, what: impl Into<String>) -> Self {
        Self::Damaged { format, what: what.into() }
    }
}

/// A decoder's words without line breaks and what else could spoil a log that is read line by line.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}
