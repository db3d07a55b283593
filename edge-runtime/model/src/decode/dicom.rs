//! DICOM: radiographs as X-ray machines and archives write them (PS3.3, PS3.5, PS3.10).
//!
//! ```text
//! bytes -> syntax (where the data set begins, how it is written) -> header (the tags that matter, where
//! the pixels lie) -> samples (stored values, unpacked) -> values (stored value to luminance) -> Picture
//! ```
//!
//! - Recognised by content: with a preamble, without one, without file meta information.
//! - The tags are read one after the other; values that are not needed, the patient's name among them,
//!   are passed over unread. However deep a file nests, nothing here calls itself.
//! - A monochrome picture becomes 16-bit luminance: stored value, rescale or modality LUT, then the VOI
//!   LUT or the first window, else the whole range that Bits Stored allows; MONOCHROME1 is inverted.
//!   Colour becomes RGB, or its luminance where that is stored.
//! - Padding is black, whatever window and inversion say. Pixels that are not square are resampled.
//! - Values that use the lower bits only, without a window, must not be judged: as dark as they are they
//!   could not be, and whether they are meant so no tag says.
//! - Sizes are checked against the tags before anything is allocated for pixels.
//! - What else cannot be read is refused with its name and what to do.

mod aspect;
mod coded;
mod elements;
mod error;
mod grey;
mod header;
mod padding;
mod patient;
mod pixels;
mod range;
mod rle;
mod syntax;
mod values;
mod values_of;

pub use error::DicomError;
pub use values_of::dicom_values;

use super::exam::Exam;
use super::outcome::{DecodeError, Picture};
use header::Header;

/// Bytes from a file's beginning that are enough for [`is_dicom`].
pub(super) const ENOUGH: u64 = 2048;

/// Whether the bytes are a DICOM file's, whatever its name.
pub(super) fn is_dicom(bytes: &[u8]) -> bool {
    syntax::data_set_begins(bytes).is_some()
}

/// Whose picture a file is; its bytes may end behind the tag that tells.
pub(super) fn patient(bytes: &[u8]) -> Option<[u8; 32]> {
    patient::patient(bytes)
}

/// Decodes a DICOM file of one picture.
pub(super) fn decode(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let syntax = syntax::Syntax::of(bytes)?;
    let (bytes, start) = syntax.data_set(bytes)?;
    let header = Header::read(&bytes, start, &syntax)?;
    let (picture, unsaid) = pixels::picture(&header, &syntax)?;
    let exam = Exam {
        study_uid: header.study_uid.clone(),
        accession_number: header.accession_number.clone(),
        view: header.tags.view(),
        // What the tags say helps more than what they do not.
        refused: header.tags.refused().or(unsaid),
    };
    Ok(aspect::squared(picture, header.pixel_sides)?.with_exam(exam))
}
