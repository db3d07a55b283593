//! Values of a DICOM file as they lie there, for who writes another file of the same study.

use super::elements::{Element, Elements};
use super::syntax::Syntax;
use crate::decode::outcome::DecodeError;
use dicom_core::Tag;

/// Longest value that is read, in bytes; a longer one is left out.
const LONGEST: usize = 1024;

/// The values of the elements `wanted` at the top of the data set in `bytes`, with what they are
/// filled up with, each up to 1,024 bytes; what is not there, or longer, is left out. What lies behind
/// the last of them is not read, so that the beginning of a file is enough.
///
/// # Errors
/// [`DecodeError`]: it is no DICOM file, or damaged before the last of them.
pub fn dicom_values(bytes: &[u8], wanted: &[Tag]) -> Result<Vec<(Tag, Vec<u8>)>, DecodeError> {
    let syntax = Syntax::of(bytes)?;
    let (bytes, start) = syntax.data_set(bytes)?;
    let (mut elements, mut found) = (Elements::new(&bytes, start, syntax.form), Vec::new());
    while let Some(Element::Value { sequence, tag, bytes, .. }) = elements.next()? {
        if sequence.is_none() && Some(&tag) > wanted.iter().max() {
            break;
        }
        if sequence.is_none() && wanted.contains(&tag) && bytes.len() <= LONGEST {
            found.push((tag, bytes.to_vec()));
        }
    }
    Ok(found)
}
