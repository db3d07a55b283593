//! Data sets element by element, and names that the same line of a log gives again.

use anyhow::Result;
use base::log::Hash;
use dicom_core::value::{DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

pub type Element = DataElement<InMemDicomObject>;

/// A text; what is not ASCII becomes a question mark, since the file's own character set holds for all.
pub fn text(tag: Tag, vr: VR, value: &str) -> Element {
    let ascii: String =
        value.chars().map(|c| if c.is_ascii() && !c.is_control() { c } else { '?' }).collect();
    DataElement::new(tag, vr, PrimitiveValue::from(ascii))
}

/// A value as it lies in another file; filled up to an even length it stays so.
pub fn bytes(tag: Tag, vr: VR, value: &[u8]) -> Element {
    DataElement::new(tag, vr, PrimitiveValue::U8(value.into()))
}

pub fn number(tag: Tag, value: u16) -> Element {
    DataElement::new(tag, VR::US, PrimitiveValue::from(value))
}

/// One that must be there and has no value.
pub fn empty(tag: Tag, vr: VR) -> Element {
    DataElement::new(tag, vr, PrimitiveValue::Empty)
}

pub fn sequence(tag: Tag, items: Vec<Vec<Element>>) -> Element {
    let items: Vec<InMemDicomObject> = items.into_iter().map(InMemDicomObject::from_element_iter).collect();
    DataElement::new(tag, VR::SQ, DataSetSequence::from(items))
}

/// A coded name (PS3.16, section 8).
pub fn code(tag: Tag, value: &str, scheme: &str, meaning: &str) -> Element {
    let item = vec![
        text(tags::CODE_VALUE, VR::SH, value),
        text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme),
        text(tags::CODE_MEANING, VR::LO, meaning),
    ];
    sequence(tag, vec![item])
}

/// What refers to an instance.
pub fn reference(class: &str, uid: &str) -> Vec<Element> {
    vec![
        text(tags::REFERENCED_SOP_CLASS_UID, VR::UI, class),
        text(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, uid),
    ]
}

/// A UID made of a line of the log and a purpose (PS3.5 B.2): the same each time, so that what is sent
/// again is the same instance.
pub fn uid(line: Hash, purpose: &str) -> String {
    let Hash(hash) = Hash::of(format!("{line} {purpose}").as_bytes());
    let half = hash.first_chunk::<16>().map_or(0, |half| u128::from_be_bytes(*half));
    format!("2.25.{half}")
}

/// Date and time as DICOM writes them, of a log's `2026-11-29T21:00:00.123Z`.
pub fn date_and_time(time: &str) -> (String, String) {
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    let (date, time) = time.split_once('T').unwrap_or((time, ""));
    let time = time.split('.').next().unwrap_or_default();
    (digits(date).chars().take(8).collect(), digits(time).chars().take(6).collect())
}

/// Encodes a data set in a transfer syntax that nothing compresses.
pub fn encode(object: &InMemDicomObject, explicit: bool) -> Result<Vec<u8>> {
    use dicom_transfer_syntax_registry::entries::{EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN};
    let syntax =
        if explicit { EXPLICIT_VR_LITTLE_ENDIAN.erased() } else { IMPLICIT_VR_LITTLE_ENDIAN.erased() };
    let mut bytes = Vec::new();
    object.write_dataset_with_ts(&mut bytes, &syntax)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_again_and_within_their_limits() {
        let line = Hash::of(b"a line");
        let name = uid(line, "report");
        assert_eq!(name, uid(line, "report"));
        assert!(name.len() <= 64 && name.starts_with("2.25.") && !name.starts_with("2.25.0"), "{name}");
        assert_ne!(name, uid(line, "image"));
        assert_ne!(name, uid(Hash::of(b"another"), "report"));
        let told = date_and_time("2026-11-29T21:05:09.123Z");
        assert_eq!(told, ("20261129".to_owned(), "210509".to_owned()));
        assert_eq!(date_and_time(""), (String::new(), String::new()));
    }
}
