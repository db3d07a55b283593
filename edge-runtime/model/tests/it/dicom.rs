//! DICOM: every form held to what pydicom makes of it, and what must be said of what is not read.

use edge_core::Reason;
use edge_model::decode::{DecodeError, DicomError, Picture, decode};
use serde_json::Value;
use std::path::Path;
use test_support::dicom::{self, element};
use test_support::{picture, python};

/// Luminance of every pixel.
fn luminance(picture: &Picture) -> Vec<u16> {
    let format = picture.geometry().format();
    picture.bytes().chunks_exact(format.bytes_per_pixel()).map(|pixel| format.luminance(pixel)).collect()
}

/// What is wrong with our reading of a case of `tests/dicom.py`, if anything is.
fn judged(case: &Value, read: impl Fn(&[u8]) -> Result<Vec<u16>, String>) -> Result<(), String> {
    let text = |key: &str| case[key].as_str().expect("a text");
    let bytes = std::fs::read(text("file")).expect("a file of the judge");
    let read = read(&bytes);
    if let Some(refused) = case["refused"].as_str() {
        return match read {
            Ok(_) => Err(format!("read, expected `{refused}`")),
            Err(error) if error.contains(refused) => Ok(()),
            Err(error) => Err(format!("expected `{refused}`, got `{error}`")),
        };
    }
    let ours = read?;
    let theirs = std::fs::read(text("grey")).expect("what the judge made of it");
    let theirs: Vec<u16> = theirs.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
    if ours.len() != theirs.len() {
        return Err(format!("{} pixels, expected {}", ours.len(), theirs.len()));
    }
    // One of the file's own steps, and one of the numbers that both are rounded to.
    let step = 65_535.0 / case["steps"].as_f64().expect("a number") + 1.0;
    let furthest = ours.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or_default();
    match f64::from(furthest) <= step {
        true => Ok(()),
        false => Err(format!("{furthest} of 65535 apart, one step is {step:.0}")),
    }
}

fn cases(folder: &Path) -> Vec<Value> {
    python::output(python::script("dicom.py").arg(folder).env("PYTHONWARNINGS", "ignore"));
    let cases = std::fs::read(folder.join("cases.json")).expect("the judge's list");
    serde_json::from_slice(&cases).expect("a list")
}

#[test]
#[ignore = "needs Python: `cargo xtask test dicom` installs pydicom and GDCM and runs this test"]
fn dicom_judge_every_form_is_read_as_pydicom_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let cases = cases(folder.path());
    let read = |bytes: &[u8]| {
        let picture = decode(bytes).map_err(|error| error.to_string())?;
        match picture.refused() {
            Some(reason @ Reason::UnusedBits(..)) => Err(reason.to_string()),
            // Whatever else its tags say, its pixels are compared.
            _ => Ok(luminance(&picture)),
        }
    };
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| judged(case, read).err().map(|why| format!("{}: {why}", case["name"])))
        .collect();
    let compared = cases.iter().filter(|case| case["refused"].is_null()).count();
    println!("{} files, {compared} of them compared pixel by pixel", cases.len());
    assert_eq!(wrong, Vec::<String>::new(), "of {} files", cases.len());
    assert!(compared >= 120, "{compared}");

    // A reader that takes MONOCHROME1 for MONOCHROME2 is found, by every one and no other.
    let not_inverted = |bytes: &[u8]| {
        let light = read(bytes)?;
        let dark = bytes.windows(11).any(|text| text == b"MONOCHROME1");
        Ok(if dark { light.into_iter().map(|value| u16::MAX - value).collect() } else { light })
    };
    let found = cases.iter().filter(|case| judged(case, not_inverted).is_err()).count();
    assert!(found >= 8, "a planted fault is found in {found} files");

    // So is one that knows neither padding nor the shape of pixels: their tags become others.
    for (tag, least) in [([0x28, 0, 0x20, 1], 12), ([0x28, 0, 0x34, 0], 4), ([0x28, 0, 0x30, 0], 2)] {
        let without = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            for at in 0..bytes.len().saturating_sub(4) {
                if bytes[at..at + 4] == tag {
                    bytes[at + 2] += 1;
                }
            }
            read(&bytes)
        };
        let found = cases.iter().filter(|case| judged(case, without).is_err()).count();
        assert!(found >= least, "without {tag:X?} a fault is found in {found} files");
    }
}

/// A radiograph of 40 x 36 pixels of 12 bits with these elements before its size.
fn radiograph(more: &[Vec<u8>]) -> Vec<u8> {
    let samples: Vec<u16> = (0..40 * 36).map(|at| at * 2).collect();
    dicom::radiograph(40, 36, &samples, more)
}

#[test]
fn a_radiograph_becomes_luminance_by_the_range_of_its_bits() {
    let picture = decode(&radiograph(&[])).unwrap();
    assert_eq!((picture.geometry().width(), picture.geometry().height()), (40, 36));
    let light = luminance(&picture);
    assert_eq!((light[0], light[1439]), (0, 2878 * 16 + 2878 / 256), "12 bits fill 16");
    assert!(picture.exam().is_some_and(|exam| exam.refused.is_none()));
}

#[test]
fn what_the_file_says_goes_with_the_picture_and_nothing_of_the_patient() {
    let said = radiograph(&[
        element(8, 0x50, b"SH", b"A-4711"),
        element(8, 0x60, b"CS", b"DX"),
        element(0x10, 0x10, b"PN", b"Secret^Name "),
        element(0x10, 0x20, b"LO", b"SECRET-1"),
        element(0x10, 0x1010, b"AS", b"006Y"),
        element(0x18, 0x5101, b"CS", b"PA"),
        element(0x20, 0x0D, b"UI", b"1.2.3\0"),
    ]);
    let picture = decode(&said).unwrap();
    let exam = picture.exam().unwrap();
    assert_eq!(exam.study_uid.as_deref(), Some("1.2.3"));
    assert_eq!(exam.accession_number.as_deref(), Some("A-4711"));
    assert_eq!(exam.refused, Some(Reason::OtherAge(72, 71)));
    assert_eq!(picture.refused(), exam.refused);
    assert!(!format!("{exam:?}").to_uppercase().contains("SECRET"), "{exam:?}");
}

/// Rows and columns are the tags': no EXIF orientation in the coded picture turns them.
#[test]
fn a_jpeg_in_a_file_lies_as_the_tags_say() {
    for code in [3, 6, 8] {
        let file = |exif| {
            let coded = dicom::fragment(&picture::jpeg(50, 34, exif));
            decode(&dicom::file("1.2.840.10008.1.2.4.50", &[dicom::form(50, 34, 8).concat(), coded])).unwrap()
        };
        assert_eq!(luminance(&file(Some(picture::exif(code)))), luminance(&file(None)), "orientation {code}");
    }
}

/// By name and number, with what helps: `gdcmconv` where it knows the coding, and none for films.
#[test]
fn what_is_coded_in_a_way_that_is_not_read_is_refused_by_name() {
    const SENT: &str = "have it sent uncompressed (Explicit VR Little Endian)";
    const CONVERTED: &str = "or convert it, such as by `gdcmconv --raw IN OUT`";
    const FILM: &str = "it is a film: send the one radiograph by itself, uncompressed";
    let refusal = |uid: &str| {
        let coded = dicom::fragment(&picture::jpeg(50, 34, None));
        let error = decode(&dicom::file(uid, &[dicom::form(50, 34, 8).concat(), coded])).unwrap_err();
        assert_eq!(error.reason(), Reason::UnreadKind, "{uid}");
        error.to_string()
    };
    for (uid, name, remedy) in [
        ("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 Image Compression (Lossless Only)", SENT),
        ("1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 with RPCL Options", SENT),
        ("1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000 Image Compression", SENT),
        ("1.2.840.10008.1.2.4.110", "JPEG XL Lossless", SENT),
        ("1.2.840.10008.1.2.4.111", "JPEG XL Recompression", SENT),
        ("1.2.840.10008.1.2.4.112", "JPEG XL", SENT),
        ("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2", SENT),
        ("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level", FILM),
        ("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile", FILM),
        ("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile", FILM),
        ("1.2.3.4", "an unknown transfer syntax", SENT),
    ] {
        let told = refusal(uid);
        let begin = format!("the DICOM file's pixels are stored as {name}");
        assert!(told.starts_with(&begin), "{told}");
        assert!(told.ends_with(&format!(" ({uid}), which is not read; {remedy}")), "{told}");
    }
    // One that is read, but not of this kind of frame.
    let mut coded = picture::jpeg(50, 34, None);
    let frame = coded.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    coded[frame + 1] = 0xC9;
    let elements = [dicom::form(50, 34, 8).concat(), dicom::fragment(&coded)];
    let told = decode(&dicom::file("1.2.840.10008.1.2.4.51", &elements)).unwrap_err().to_string();
    assert!(told.contains("process C9") && told.ends_with(&format!("{SENT}, {CONVERTED}")), "{told}");
}

#[test]
fn a_sequence_in_sequences_without_end_is_no_picture_and_no_crash() {
    // Each level opens a sequence and an item in it, both of undefined length.
    let open = [&element(0x40, 0x275, b"SQ", &[])[..8], &[0xFF; 4], &[0xFE, 0xFF, 0, 0xE0], &[0xFF; 4]];
    let nested = [dicom::file("1.2.840.10008.1.2.1", &[]), open.concat().repeat(200_000)].concat();
    let error = decode(&nested).unwrap_err();
    assert!(matches!(error, DecodeError::Damaged { .. } | DecodeError::Dicom(DicomError::NoPicture { .. })));
}

#[test]
fn a_length_beyond_the_file_allocates_nothing() {
    let mut bytes = radiograph(&[]);
    let samples = bytes.len() - 2880;
    bytes[samples - 4..samples].copy_from_slice(&0x7FFF_FFFEu32.to_le_bytes());
    let counted = allocation_counter::measure(|| {
        let error = decode(&bytes).unwrap_err().to_string();
        assert!(error.contains("(7FE0,0010) reaches beyond its end"), "{error}");
    });
    assert!(counted.bytes_max < 1 << 20, "{} bytes", counted.bytes_max);
}

#[test]
fn any_part_of_a_file_is_an_error_of_one_line() {
    let whole = radiograph(&[]);
    for length in (0..whole.len()).step_by(7) {
        let error = decode(&whole[..length]).unwrap_err().to_string();
        assert!(!error.contains(char::is_control), "{length}: {error:?}");
    }
}
