//! A DICOM file's bytes, coded in any way, whole or damaged, become a checked picture or an error of
//! one line; what goes with it is an examination's number and identifier, and nothing else.
#![no_main]

use edge_core::frame::{MAX_SIDE, MIN_SIDE};
use edge_model::decode::decode;
use fuzz::{assert_one_line, catching_panics, planted_fault};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| catching_panics(|| check(bytes)));

fn check(bytes: &[u8]) {
    let picture = match decode(bytes) {
        Ok(picture) => picture,
        Err(error) => return assert_one_line(&error),
    };
    let geometry = picture.geometry();
    let sides = MIN_SIDE..=MAX_SIDE;
    assert!(sides.contains(&geometry.width()) && sides.contains(&geometry.height()), "{geometry:?}");
    let whole = geometry.row_bytes() * usize::from(geometry.height());
    assert_eq!(picture.bytes().len() - usize::from(planted_fault()), whole, "{geometry:?}");
    let Some(exam) = picture.exam() else { return };
    assert_eq!(exam.refused, picture.refused());
    let uid = exam.study_uid.as_deref().unwrap_or("1");
    let is_uid = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    assert!(!uid.is_empty() && uid.len() <= 64 && is_uid(uid), "{uid:?}");
    let number = exam.accession_number.as_deref().unwrap_or("1");
    assert!(!number.is_empty() && number.chars().count() <= 64, "{number:?}");
    assert!(!number.contains(char::is_control), "{number:?}");
}
