//! JPEGs as `cjpeg` and `jpegtran` write them: sampling x scans x restarts x sizes x turns.

use super::markers::{Jpeg, SOF, SOS};
use super::{Decoder, Pnm, Tally, drawn, run, try_run};
use edge_core::{Geometry, PixelFormat};
use edge_model::decode::{DecodeError, Picture, decode};

/// `jpeg-decoder`'s transform and libjpeg's differ by a step where they round.
const MOST: f64 = 2.0;

/// Sampling of the three components as cjpeg takes it.
const SAMPLINGS: [&str; 11] = [
    "1x1,1x1,1x1",
    "2x1,1x1,1x1",
    "1x2,1x1,1x1",
    "2x2,1x1,1x1",
    "4x1,1x1,1x1",
    "1x4,1x1,1x1",
    "4x2,1x1,1x1",
    // Chroma that differ from each other, and luminance that is coarser than chroma.
    "2x2,2x1,1x2",
    "1x1,2x1,2x1",
    "1x1,2x2,1x1",
    "2x1,1x2,1x1",
];

/// Scan scripts; what begins with `-` is an option instead.
const SCANS: [(&str, &str); 7] = [
    ("one scan", ""),
    ("optimised", "-optimize"),
    ("progressive", "-progressive"),
    ("a scan each", "0; 1; 2;"),
    ("two scans", "0; 1 2;"),
    ("progressive by spectrum", "0 1 2: 0-0, 0, 0; 0: 1-63, 0, 0; 1: 1-63, 0, 0; 2: 1-63, 0, 0;"),
    (
        "progressive, means apart and refined",
        "0: 0-0, 0, 1; 1: 0-0, 0, 0; 2: 0-0, 0, 0; 0: 1-5, 0, 2; 1: 1-63, 0, 0; 2: 1-63, 0, 0; \
         0: 6-63, 0, 2; 0: 1-63, 2, 1; 0: 1-63, 1, 0; 0: 0-0, 1, 0;",
    ),
];

const RESTARTS: [&[&str]; 3] = [&[], &["-restart", "1"], &["-restart", "3B"]];
const SIZES: [(usize, usize); 2] = [(67, 45), (96, 80)];

/// A file of cjpeg's; none where libjpeg does not write such a one.
pub fn written(picture: &Pnm, options: &[&str], scans: &str) -> Option<Vec<u8>> {
    let script = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(script.path(), scans).unwrap();
    let mut all = [&["-quality", "92"], options].concat();
    if scans.starts_with('-') {
        all.push(scans);
    } else if !scans.is_empty() {
        all.extend(["-scans", script.path().to_str().unwrap()]);
    }
    try_run("cjpeg", &all, &picture.bytes())
}

/// The luminance that libjpeg-turbo reads.
pub fn judged(jpeg: &[u8]) -> Pnm {
    Pnm::read(&run("djpeg", &["-grayscale", "-pnm"], jpeg))
}

fn matrix(samplings: &[&str], decode: Decoder) -> Tally {
    let mut tally = Tally::default();
    for (width, height) in SIZES {
        let picture = drawn(width, height, true);
        for (sampling, (kind, scans), restart) in samplings
            .iter()
            .flat_map(|s| SCANS.iter().flat_map(move |k| RESTARTS.iter().map(move |r| (s, k, r))))
        {
            let options = [&["-sample", sampling], *restart].concat();
            let name = format!("{width}x{height} {sampling} {kind} {restart:?}");
            let Some(jpeg) = written(&picture, &options, scans) else { panic!("cjpeg wrote no {name}") };
            tally.file(&name, decode, &jpeg, &judged(&jpeg), MOST);
        }
    }
    tally
}

#[test]
#[ignore = "needs djpeg and cjpeg: cargo xtask test codecs"]
fn every_sampling_scan_script_and_restart_is_as_libjpeg_reads_it() {
    matrix(&SAMPLINGS, decode).assert(SAMPLINGS.len() * SCANS.len() * RESTARTS.len() * SIZES.len(), &[]);
}

#[test]
#[ignore = "needs djpeg and cjpeg: cargo xtask test codecs"]
fn samplings_that_the_decoder_lacks_are_refused_by_name() {
    let may_be = [
        ("4x1,2x1", "scans of one component that is sampled neither most nor least"),
        ("1x4,1x2", "scans of one component that is sampled neither most nor least"),
    ];
    let tally = matrix(&["4x1,2x1,1x1", "1x4,1x2,1x1", "3x1,1x1,1x1", "1x3,1x1,1x1"], decode);
    tally.assert(100, &may_be);
    assert!(!tally.refused.is_empty());

    // libjpeg writes no 3 to 2, so the header alone says it.
    let mut odd = Jpeg::read(&written(&drawn(64, 48, true), &["-sample", "3x1"], "").unwrap());
    let frame = odd.0.iter_mut().find(|segment| SOF.contains(&segment.marker)).unwrap();
    frame.body[10] = 0x21;
    let error = decode(&odd.bytes()).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("samplings of which one is no multiple of the other"), "{error}");
}

#[test]
#[ignore = "needs djpeg and cjpeg: cargo xtask test codecs"]
fn grey_of_any_sampling_and_size_is_as_libjpeg_reads_it() {
    let mut tally = Tally::default();
    for width in 48..=64 {
        let picture = drawn(width, 113 - width, false);
        for sampling in ["1x1", "2x2", "1x2", "4x1", "3x2"] {
            let Some(jpeg) = written(&picture, &["-grayscale", "-sample", sampling, "-restart", "5B"], "")
            else {
                panic!("cjpeg wrote no grey {sampling}")
            };
            tally.file(&format!("{width} {sampling}"), decode, &jpeg, &judged(&jpeg), MOST);
        }
    }
    tally.assert(17 * 5, &[]);
}

#[test]
#[ignore = "needs djpeg, cjpeg and jpegtran: cargo xtask test codecs"]
fn what_was_turned_or_rewritten_without_loss_is_as_libjpeg_reads_it() {
    let mut tally = Tally::default();
    let changes: [&[&str]; 9] = [
        &["-rotate", "90"],
        &["-rotate", "180"],
        &["-flip", "horizontal"],
        &["-transpose"],
        &["-transverse", "-progressive"],
        &["-crop", "49x41+16+16"],
        &["-grayscale"],
        &["-restart", "2B"],
        &["-optimize", "-restart", "1"],
    ];
    for sampling in ["2x1,1x1,1x1", "1x2,1x1,1x1", "2x2,1x1,1x1", "4x1,1x1,1x1"] {
        for scans in ["", "-progressive", "0; 1; 2;"] {
            let jpeg = written(&drawn(101, 83, true), &["-sample", sampling], scans).unwrap();
            for change in changes {
                let changed = run("jpegtran", &[&["-copy", "all"], change].concat(), &jpeg);
                let name = format!("{sampling} {scans} {change:?}");
                tally.file(&name, decode, &changed, &judged(&changed), MOST);
            }
        }
    }
    tally.assert(4 * 3 * changes.len(), &[]);
}

#[test]
#[ignore = "needs cjpeg: cargo xtask test codecs"]
fn arithmetic_coding_is_refused_by_name() {
    for options in [&["-arithmetic"][..], &["-arithmetic", "-progressive"]] {
        let jpeg = written(&drawn(64, 48, true), options, "").unwrap();
        let expected = "this kind of JPEG is not read here: arithmetic coding; \
                        export the picture as PNG or as a baseline JPEG";
        assert_eq!(decode(&jpeg).unwrap_err().to_string(), expected);
    }
}

/// Wherever data are lost, in whatever scan or interval: an error, never flat grey for what is missing.
#[test]
#[ignore = "needs cjpeg: cargo xtask test codecs"]
fn what_lost_a_part_of_its_data_is_refused() {
    let picture = drawn(96, 80, true);
    for (options, scans) in [
        (&["-restart", "3B"][..], ""),
        (&[], ""),
        (&["-sample", "2x2,1x1,1x1"], "0; 1; 2;"),
        (&["-restart", "1"], "0; 1; 2;"),
        (&[], SCANS[5].1),
    ] {
        let whole = Jpeg::read(&written(&picture, options, scans).unwrap());
        decode(&whole.bytes()).unwrap();
        let lengths: Vec<_> = whole.0.iter().map(|segment| segment.data.len()).collect();
        for (at, length) in lengths.into_iter().enumerate().filter(|(_, length)| *length > 40) {
            // A scan's end is lost, its beginning, its middle; the markers around it are all there.
            for lost in [length / 3..length, length - 9..length, 0..length / 2, length / 3..length / 2] {
                let mut cut = whole.clone();
                assert_eq!(cut.0[at].marker, SOS);
                cut.0[at].data.drain(lost.clone());
                let error = decode(&cut.bytes()).map(|_| ()).unwrap_err();
                assert!(matches!(error, DecodeError::Damaged { .. }), "{scans} {lost:?}: {error}");
            }
        }
    }
}

/// The decoder that stood here before, zune-jpeg, by way of `image`.
fn old_decoder(bytes: &[u8]) -> Result<Picture, DecodeError> {
    let image = image::load_from_memory(bytes)
        .map_err(|error| DecodeError::Coding { format: "JPEG", got: error.to_string() })?;
    let geometry = Geometry::new(image.width(), image.height(), PixelFormat::Rgb8)?;
    Ok(Picture::new(geometry, image.into_rgb8().into_raw())?)
}

#[test]
#[ignore = "needs djpeg and cjpeg: cargo xtask test codecs"]
fn a_planted_decoder_that_is_wrong_is_found() {
    let tally = matrix(&["2x2,1x1,1x1"], old_decoder);
    let plain = |name: &&String| name.contains("one scan") || name.contains("optimised");
    assert_eq!(tally.wrong.iter().filter(plain).count(), 0, "{:#?}", tally.wrong);
    assert!(tally.wrong.iter().any(|name| name.contains("a scan each")), "{:#?}", tally.wrong);

    let darker: Decoder = |bytes| {
        let picture = decode(bytes)?;
        let darker = picture.bytes().iter().map(|&byte| byte.saturating_sub(4)).collect();
        Ok(Picture::new(picture.geometry(), darker)?)
    };
    let tally = matrix(&["1x1,1x1,1x1"], darker);
    assert_eq!((tally.right, tally.wrong.len()), (0, SCANS.len() * RESTARTS.len() * SIZES.len()));
}
