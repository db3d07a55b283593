//! JPEGs whose markers say this or that of their colours, and whose bytes are not where they should
//! be.

use super::jpeg::{judged, written};
use super::markers::{DHT, Jpeg, Place, SOF, SOS, Segment, adobe, jfif};
use super::{Tally, drawn, run};
use edge_model::decode::{decode, decode_mjpeg};

#[test]
#[ignore = "needs djpeg and cjpeg: cargo xtask test codecs"]
fn colours_are_told_as_libjpeg_tells_them() {
    let mut tally = Tally::default();
    let picture = drawn(75, 61, true);
    let sources = [
        ("YCbCr", written(&picture, &["-sample", "2x2"], "").unwrap()),
        ("RGB", written(&picture, &["-rgb"], "").unwrap()),
        ("grey", written(&picture, &["-grayscale"], "").unwrap()),
    ];
    for (source, jpeg) in &sources {
        let bare = Jpeg::read(jpeg).without(0xE0..=0xEE);
        let grey = *source == "grey";
        for ids in [[1, 2, 3], [0, 1, 2], *b"RGB"].into_iter().take(if grey { 1 } else { 3 }) {
            let named = if grey { bare.clone() } else { bare.clone().with_ids(ids) };
            for (with_jfif, place) in [None, Some(Place::Front), Some(Place::BehindFrame)]
                .into_iter()
                .flat_map(|jfif| [Place::Front, Place::BehindFrame, Place::BeforeScan].map(|p| (jfif, p)))
            {
                for transform in [None, Some(0), Some(1), Some(2)] {
                    let mut file = named.clone();
                    if let Some(transform) = transform {
                        file = file.with(place, adobe(transform));
                    }
                    if let Some(place) = with_jfif {
                        file = file.with(place, jfif());
                    }
                    let name = format!("{source} {ids:?} JFIF {with_jfif:?} Adobe {transform:?} {place:?}");
                    let bytes = file.bytes();
                    tally.file(&name, decode, &bytes, &judged(&bytes), 2.0);
                }
            }
        }
    }
    tally.assert(7 * 9 * 4, &[]);
}

/// What libjpeg passes over, each in a file that is otherwise sound.
#[test]
#[ignore = "needs djpeg and cjpeg: cargo xtask test codecs"]
fn what_is_only_unusual_is_as_libjpeg_reads_it() {
    let mut tally = Tally::default();
    let picture = drawn(90, 70, true);
    for scans in ["", "-progressive", "0; 1; 2;"] {
        for restart in [&[][..], &["-restart", "4B"]] {
            let plain = written(&picture, restart, scans).unwrap();
            let whole = Jpeg::read(&plain);
            let mut between = whole.clone();
            between.0.iter_mut().filter(|s| s.marker != SOS).for_each(|s| s.data = vec![0, 7, 0xFF, 0, 9]);
            let mut front = plain.clone();
            front.splice(2..2, [0x12, 0x34]);
            let fill = |data: &mut Vec<u8>| data.extend([0xFF; 5]);
            let no_app14 = Segment::new(0xEE, b"Ducky\0\x01\0\x04\0\0\0\x64\0\0");
            let cases = [
                ("bytes between segments", between.bytes()),
                ("bytes behind the start", front),
                ("fill bytes before markers", whole.clone().with_data(fill).bytes()),
                (
                    "a restart marker at a scan's end",
                    whole.clone().with_data(|d| d.extend([0xFF, 0xD3])).bytes(),
                ),
                ("bytes at a scan's end", whole.clone().with_data(|d| d.extend([3, 1, 4, 1, 5, 9])).bytes()),
                ("another APP14", whole.clone().with(Place::Front, no_app14).bytes()),
                ("a short APP14", whole.clone().with(Place::Front, Segment::new(0xEE, b"Adobe")).bytes()),
                (
                    "an unknown APP9",
                    whole.clone().with(Place::BeforeScan, Segment::new(0xE9, &[9; 999])).bytes(),
                ),
                (
                    "a comment",
                    whole.clone().with(Place::BehindFrame, Segment::new(0xFE, b"\xFF\xD9")).bytes(),
                ),
                ("an empty APP0", whole.clone().with(Place::Front, Segment::new(0xE0, b"")).bytes()),
                (
                    "another picture behind",
                    [&plain[..], &run("jpegtran", &["-rotate", "180"], &plain)].concat(),
                ),
                ("padding behind", [&plain[..], &[0; 5000]].concat()),
            ];
            for (name, bytes) in cases {
                let name = format!("{name} {scans} {restart:?}");
                tally.file(&name, decode, &bytes, &judged(&plain), 2.0);
            }
        }
    }
    // Quantization tables of 16 bits, which make it extended instead of baseline.
    let coarse = written(&picture, &["-quality", "1"], "").unwrap();
    assert!(Jpeg::read(&coarse).0.iter().any(|segment| segment.marker == 0xC1));
    tally.file("16-bit tables", decode, &coarse, &judged(&coarse), 2.0);
    tally.assert(3 * 2 * 12 + 1, &[]);
}

/// A camera's frames: without tables, in a buffer that is larger, with bytes before restart markers.
#[test]
#[ignore = "needs djpeg and cjpeg: cargo xtask test codecs"]
fn frames_of_cameras_are_as_libjpeg_reads_them() {
    let mut tally = Tally::default();
    let avi = || Segment::new(0xE0, b"AVI1\0\0\0\0\0\0\0\0\0\0");
    for (width, height) in [(96, 80), (90, 70)] {
        for restart in [&[][..], &["-restart", "1"], &["-restart", "7B"]] {
            let options = [&["-sample", "2x1"], restart].concat();
            let jpeg = written(&drawn(width, height, true), &options, "").unwrap();
            let (whole, judge) = (Jpeg::read(&jpeg), judged(&jpeg));
            let bare = whole.clone().without(DHT..=DHT).without(0xE0..=0xE0);
            assert!(bare.bytes().len() + 400 < jpeg.len(), "the tables are out");
            let before_restarts = |count: usize| {
                whole.clone().with_data(|data| {
                    let marker = |&at: &usize| data[at] == 0xFF && matches!(data[at + 1], 0xD0..=0xD7);
                    let at: Vec<_> = (0..data.len() - 1).rev().filter(marker).collect();
                    at.iter().for_each(|&at| drop(data.splice(at..at, vec![0x5A; count])));
                })
            };
            let cases = [
                ("no tables", bare.bytes()),
                ("no tables, AVI1", bare.clone().with(Place::Front, avi()).bytes()),
                ("zeros behind", [&jpeg[..], &vec![0; jpeg.len()]].concat()),
                ("an older frame's rest behind", [&jpeg[..], &jpeg[jpeg.len() / 2..]].concat()),
                ("a byte before restart markers", before_restarts(1).bytes()),
                ("two bytes before restart markers", before_restarts(2).bytes()),
            ];
            for (name, bytes) in cases {
                tally.file(&format!("{name} {restart:?}"), decode_mjpeg, &bytes, &judge, 2.0);
            }
            // Truncated, with and without an end, and padded: dropped, and none of it a picture.
            for length in (2..jpeg.len() - 2).step_by(97) {
                let cut = &jpeg[..length];
                for frame in [cut.to_vec(), [cut, &[0; 999]].concat(), [cut, &[0xFF, 0xD9]].concat()] {
                    let error = decode_mjpeg(&frame).map(|_| ()).unwrap_err().to_string();
                    assert!(error.starts_with("the camera's MJPEG frame is damaged"), "{error}");
                }
            }
        }
    }
    tally.assert(2 * 3 * 6, &[]);
}

/// Codings that only the frame header tells, put there by hand: each is named.
#[test]
#[ignore = "needs cjpeg: cargo xtask test codecs"]
fn other_frames_are_refused_by_name() {
    let jpeg = Jpeg::read(&written(&drawn(64, 64, false), &["-grayscale"], "").unwrap());
    for (marker, precision, name) in [
        (0xC1, 12, "12 bits a sample"),
        (0xC2, 12, "12 bits a sample"),
        (0xC3, 8, "lossless JPEG"),
        (0xC3, 12, "lossless JPEG"),
        (0xC5, 8, "hierarchical coding"),
        (0xC9, 8, "arithmetic coding"),
        (0xF7, 8, "JPEG-LS"),
    ] {
        let mut other = jpeg.clone();
        let frame = other.0.iter_mut().find(|segment| SOF.contains(&segment.marker)).unwrap();
        (frame.marker, frame.body[0]) = (marker, precision);
        let error = decode(&other.bytes()).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(&format!("not read here: {name};")), "{error}");
    }
}
