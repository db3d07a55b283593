//! A picture file's bytes, or a camera's MJPEG frame, whole or damaged, become a checked picture or
//! an error of one line.
#![no_main]

use edge_core::frame::{MAX_SIDE, MIN_SIDE};
use edge_model::decode::{decode, decode_mjpeg};
use fuzz::{assert_one_line, catching_panics, planted_fault};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| catching_panics(|| check(bytes)));

fn check(bytes: &[u8]) {
    // A frame is decoded as a file is; only its errors are told otherwise.
    if let Err(error) = decode_mjpeg(bytes) {
        assert_one_line(&error);
    }
    let picture = match decode(bytes) {
        Ok(picture) => picture,
        Err(error) => return assert_one_line(&error),
    };
    let geometry = picture.geometry();
    let sides = MIN_SIDE..=MAX_SIDE;
    assert!(sides.contains(&geometry.width()) && sides.contains(&geometry.height()), "{geometry:?}");
    let mut rows = picture.frame().rows().map(<[u8]>::len).collect::<Vec<_>>();
    if planted_fault() {
        rows.pop();
    }
    assert_eq!(rows, vec![geometry.row_bytes(); usize::from(geometry.height())], "{geometry:?}");
    assert_eq!(picture.bytes().len(), rows.iter().sum::<usize>(), "{geometry:?}");
}
