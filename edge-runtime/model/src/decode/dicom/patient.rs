//! Whose picture a file is, for whoever must keep one person's pictures together.

use super::elements::{Element, Elements};
use super::syntax::Syntax;
use dicom_dictionary_std::tags;
use sha2::{Digest, Sha256};

/// SHA-256 of Patient ID (0010,0020); none where there is none, or the bytes are no DICOM file's. They
/// may end behind that tag.
pub(super) fn patient(bytes: &[u8]) -> Option<[u8; 32]> {
    let syntax = Syntax::of(bytes).ok().filter(|syntax| !syntax.deflated)?;
    let mut elements = Elements::new(bytes, syntax.start, syntax.form);
    // They are sorted by their tags.
    while let Ok(Some(Element::Value { sequence, tag, bytes, .. })) = elements.next() {
        if sequence.is_none() && tag == tags::PATIENT_ID {
            let number = bytes.trim_ascii().strip_suffix(b"\0").unwrap_or(bytes).trim_ascii();
            return (!number.is_empty()).then(|| Sha256::digest(number).into());
        }
        if tag > tags::PATIENT_ID && sequence.is_none() {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::dicom::{element, file, radiograph};

    #[test]
    fn a_patient_is_the_hash_of_the_number_and_nothing_else_is() {
        let of = |id: &[u8]| {
            let whole = radiograph(32, 32, &[7; 1024], &[element(0x10, 0x20, b"LO", id)]);
            // What lies behind the tag is not needed.
            assert_eq!(patient(&whole), patient(&whole[..400]));
            patient(&whole)
        };
        assert_eq!(of(b"17"), Some(Sha256::digest(b"17").into()));
        assert_eq!(of(b" 17 "), of(b"17"));
        assert_ne!(of(b"171"), of(b"17"));
        assert_eq!([of(b""), of(b"  ")], [None; 2]);
        assert_eq!(patient(&radiograph(32, 32, &[7; 1024], &[])), None);
        // A number in a sequence is of somebody else.
        let item = [&[0xFE, 0xFF, 0, 0xE0, 12, 0, 0, 0][..], &element(0x10, 0x20, b"LO", b"mum1")].concat();
        let inside = radiograph(32, 32, &[7; 1024], &[element(8, 0x1140, b"SQ", &item)]);
        assert_eq!(patient(&inside), None);
        assert_eq!(patient(&file("1.2.840.10008.1.2.1.99", &[element(0x10, 0x20, b"LO", b"17")])), None);
        assert_eq!(patient(b"no DICOM file"), None);
    }
}
