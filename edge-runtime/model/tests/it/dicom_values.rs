//! DICOM values that mean something else than they are: bits that are not used, padding, pixels that
//! are not square.

use edge_core::{PixelFormat, Reason};
use edge_model::decode::{DecodeError, Picture, decode};
use edge_model::model_file::ModelFile;
use test_support::dicom::{self, element, number};
use test_support::picture;

const WIDTH: u16 = 40;
const HEIGHT: u16 = 36;

/// What a case is called, its samples, and the elements that stand in.
type Case = (&'static str, Vec<u16>, Vec<Vec<u8>>);

/// A file of these samples with elements that stand in for those of a plain picture of 16 bits.
fn file(samples: &[u16], more: &[Vec<u8>]) -> Vec<u8> {
    sized(WIDTH, HEIGHT, samples, more)
}

fn sized(width: u16, height: u16, samples: &[u16], more: &[Vec<u8>]) -> Vec<u8> {
    let samples: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut elements = dicom::form(width, height, 16);
    // A later element takes the place of an earlier one.
    elements.extend(more.iter().cloned());
    elements.push(element(0x7FE0, 0x10, b"OW", &samples));
    dicom::file("1.2.840.10008.1.2.1", &elements)
}

/// A ramp over as many values from `first` on as the picture has pixels, in steps.
fn ramp(first: i32, step: i32) -> Vec<u16> {
    (0..i32::from(WIDTH) * i32::from(HEIGHT)).map(|at| (first + at * step) as u16).collect()
}

fn numbers(number: u16, kind: &[u8; 2], text: &str) -> Vec<u8> {
    element(0x28, number, kind, text.as_bytes())
}

fn monochrome1() -> Vec<u8> {
    element(0x28, 4, b"CS", b"MONOCHROME1")
}

fn signed() -> Vec<u8> {
    number(0x103, 1)
}

/// Bits Stored and High Bit.
fn stored(bits: u16) -> [Vec<u8>; 2] {
    [number(0x101, bits), number(0x102, bits - 1)]
}

fn padding(value: u16) -> Vec<u8> {
    number(0x120, value)
}

fn luminance(picture: &Picture) -> Vec<u16> {
    assert_eq!(picture.geometry().format(), PixelFormat::Gray16);
    picture.bytes().chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// The item of a lookup table of 16 bits: entries from input 0 on.
fn lut(outputs: &[u16]) -> Vec<u8> {
    let words = |words: &[u16]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let descriptor = element(0x28, 0x3002, b"US", &words(&[outputs.len() as u16, 0, 16]));
    let item = [descriptor, element(0x28, 0x3006, b"OW", &words(outputs))].concat();
    [&[0xFE, 0xFF, 0, 0xE0][..], &(item.len() as u32).to_le_bytes(), &item].concat()
}

#[test]
fn values_in_the_lower_bits_without_a_window_are_not_judged_by_that_name() {
    let scaled = [numbers(0x1053, b"DS", "0.5"), numbers(0x1052, b"DS", "-100")];
    let twelve = Reason::UnusedBits(12, 16);
    let table: [(Case, Reason); 13] = [
        (("as they are", ramp(0, 2), vec![]), twelve),
        (
            ("ten bits", ramp(100, 0).into_iter().zip(0..).map(|(v, at)| v + at % 900).collect(), vec![]),
            Reason::UnusedBits(10, 16),
        ),
        (("monochrome1", ramp(0, 2), vec![monochrome1()]), twelve),
        (("signed, from 0", ramp(0, 2), vec![signed()]), twelve),
        (("signed, around 0", ramp(-1024, 2), vec![signed()]), twelve),
        (("signed, from the least", ramp(-32_768, 2), vec![signed()]), twelve),
        (("signed, monochrome1", ramp(-1024, 2), vec![signed(), monochrome1()]), twelve),
        (("below the greatest", ramp(65_535 - 2878, 2), vec![]), twelve),
        (("a rescale", ramp(0, 2), scaled.to_vec()), twelve),
        (("a rescale of monochrome1", ramp(0, 2), [&scaled[..], &[monochrome1()]].concat()), twelve),
        (
            (
                "of 14 stored",
                ramp(0, 0).into_iter().zip(0..).map(|(v, at)| v + at % 1000).collect(),
                stored(14).to_vec(),
            ),
            Reason::UnusedBits(10, 14),
        ),
        (
            (
                "a window of no width",
                ramp(0, 2),
                vec![numbers(0x1050, b"DS", "2000"), numbers(0x1051, b"DS", "0")],
            ),
            twelve,
        ),
        (
            (
                "a modality table into the lower bits",
                ramp(0, 45),
                vec![element(0x28, 0x3000, b"SQ", &lut(&(0..4000).collect::<Vec<_>>()))],
            ),
            twelve,
        ),
    ];
    for ((which, samples, more), expected) in table {
        let picture = decode(&file(&samples, &more)).expect(which);
        assert_eq!(picture.refused(), Some(expected), "{which}");
        assert!(expected.to_string().contains("send it with its window"), "{expected}");
    }
}

/// What is dark, or blank, or says what is black and white is a picture, and the gate's to judge.
#[test]
fn values_that_the_file_explains_or_that_reach_further_are_read() {
    let window = [numbers(0x1050, b"DS", "1440"), numbers(0x1051, b"DS", "2880")];
    let blank = ramp(0, 0).into_iter().zip(0..).map(|(value, at)| value + at % 40).collect();
    let table: [Case; 9] = [
        ("a window", ramp(0, 2), window.to_vec()),
        ("a window of monochrome1", ramp(0, 2), [&window[..], &[monochrome1()]].concat()),
        ("a window of signed", ramp(0, 2), [&window[..], &[signed()]].concat()),
        (
            "a VOI table",
            ramp(0, 2),
            vec![element(0x28, 0x3010, b"SQ", &lut(&(0..4000).map(|v| v * 16).collect::<Vec<_>>()))],
        ),
        ("12 stored", ramp(0, 2), stored(12).to_vec()),
        ("thirteen bits", ramp(0, 3), vec![]),
        ("the middle of the range", ramp(30_000, 2), vec![]),
        ("a blank exposure", blank, vec![]),
        ("one value", ramp(7, 0), vec![]),
    ];
    for (which, samples, more) in table {
        assert_eq!(decode(&file(&samples, &more)).expect(which).refused(), None, "{which}");
    }
    let shown = luminance(&decode(&file(&ramp(0, 2), &window)).unwrap());
    assert!(shown[0] == 0 && shown[1439] > 65_500, "by the window");
}

/// Another reason not to judge a picture comes first: it helps more.
#[test]
fn a_picture_that_is_not_judged_anyway_is_not_asked_for_its_window() {
    let scan = decode(&file(&ramp(0, 2), &[element(8, 0x60, b"CS", b"CT")])).unwrap();
    assert_eq!(scan.refused(), Some(Reason::OtherModality));
}

/// A sixteenth of the range has at most a deviation that the gate refuses: nothing is lost.
#[test]
fn no_picture_is_refused_that_the_gate_would_have_taken() {
    let model = ModelFile::from_bytes(include_bytes!("../../../../models/pneumonia/model.onnx")).unwrap();
    let least = model.metadata().gate.min_deviation;
    assert!(u16::MAX / 16 / 2 < least, "{least}");
}

#[test]
fn padding_is_black_and_of_no_range() {
    // All of the range but for the padding, which is what makes it so.
    let mut samples = ramp(0, 2);
    samples[..WIDTH.into()].fill(u16::MAX);
    assert_eq!(luminance(&decode(&file(&samples, &[])).unwrap())[0], 65_535, "no padding: white");
    let padded = decode(&file(&samples, &[padding(u16::MAX)])).unwrap();
    assert_eq!(padded.refused(), Some(Reason::UnusedBits(12, 16)));
    // As it is: what could be told of it was not.
    assert_eq!(luminance(&padded)[usize::from(WIDTH)], 2 * WIDTH);
    // Above what BitsStored allows it is no value.
    let twelve = [&stored(12)[..], &[padding(0x8000)]].concat();
    assert_eq!(luminance(&decode(&file(&ramp(0, 2), &twelve)).unwrap())[0], 0);

    let black = |samples: &[u16], more: &[Vec<u8>], is: &dyn Fn(usize) -> bool| {
        let plain: Vec<Vec<u8>> =
            more.iter().filter(|e| !matches!(e[2..4], [0x20 | 0x21, 1])).cloned().collect();
        let (with, without) =
            (decode(&file(samples, more)).unwrap(), decode(&file(samples, &plain)).unwrap());
        for (at, (with, without)) in luminance(&with).into_iter().zip(luminance(&without)).enumerate() {
            assert_eq!(with, if is(at) { 0 } else { without }, "pixel {at}");
        }
    };
    let wide = ramp(0, 45);
    black(&wide, &[monochrome1(), padding(0)], &|at| at == 0);
    black(&wide, &[monochrome1(), padding(450), number(0x121, 0)], &|at| at <= 10);
    black(&wide, &[padding(45), number(0x121, 450)], &|at| (1..=10).contains(&at));
    let both = ramp(-30_000, 41);
    let minus = |value: i16| element(0x28, 0x120, b"SS", &value.to_le_bytes());
    black(&both, &[signed(), monochrome1(), minus(-30_000)], &|at| at == 0);
    black(&both, &[signed(), monochrome1(), padding(-30_000i16 as u16)], &|at| at == 0);
    let window = [numbers(0x1050, b"DS", "100"), numbers(0x1051, b"DS", "10"), padding(64_755)];
    black(&wide, &window, &|at| at == 1439);

    let told = decode(&file(&ramp(9, 0), &[padding(9)])).unwrap_err().to_string();
    assert!(told.contains("holds no picture (all of its pixels are padding)"), "{told}");
}

/// Rows of a ramp, each pixel of them the same.
fn rows(width: u16, height: u16) -> Vec<u16> {
    (0..height).flat_map(|y| vec![y * (60_000 / height); width.into()]).collect()
}

const PIXEL_SPACING: u16 = 0x30;
const ASPECT_RATIO: u16 = 0x34;

fn imager(text: &str) -> Vec<u8> {
    element(0x18, 0x1164, b"DS", text.as_bytes())
}

#[test]
fn pixels_that_are_not_square_are_made_square() {
    let spacing = |text| numbers(PIXEL_SPACING, b"DS", text);
    let ratio = |text| numbers(ASPECT_RATIO, b"IS", text);
    let scanned = element(0x18, 0x2010, b"DS", b"0.1\\0.2");
    let table = [
        (vec![], [64, 48]),
        (vec![ratio("2\\1")], [64, 96]),
        (vec![ratio("1\\2")], [128, 48]),
        (vec![ratio("4\\3")], [64, 64]),
        (vec![spacing("0.3\\0.2")], [64, 72]),
        (vec![imager("0.2\\0.3")], [96, 48]),
        (vec![scanned], [128, 48]),
        // The first that is there: the one at the patient, the one at the detector, the ratio.
        (vec![imager("0.4\\0.2"), spacing("0.2\\0.2"), ratio("2\\1")], [64, 48]),
        (vec![imager("0.2\\0.1"), ratio("1\\1")], [64, 96]),
        // Rounded in the file, and no numbers.
        (vec![spacing("0.1430\\0.1434")], [64, 48]),
        (vec![spacing("0.2")], [64, 48]),
        (vec![spacing("0\\0.2")], [64, 48]),
        (vec![spacing("-1\\0.2")], [64, 48]),
        (vec![spacing("x\\0.2"), ratio("2\\1")], [64, 96]),
        (vec![spacing("inf\\0.2")], [64, 48]),
    ];
    for (more, expected) in table {
        let made = decode(&sized(64, 48, &rows(64, 48), &more)).unwrap().geometry();
        assert_eq!([made.width(), made.height()], expected, "{more:?}");
    }
    for (mistaken, told) in [("1\\5", "got 1 by 5"), ("500\\1", "got 500 by 1")] {
        let error = decode(&sized(64, 48, &rows(64, 48), &[ratio(mistaken)])).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(error.reason(), Reason::UnreadKind);
    }
}

#[test]
fn between_pixels_a_picture_is_a_straight_line() {
    let made = decode(&sized(64, 48, &rows(64, 48), &[numbers(ASPECT_RATIO, b"IS", "2\\1")])).unwrap();
    let light = luminance(&made);
    // New row y has its middle at y / 2 - 1 / 4 of the old ones.
    let expected = |y: usize| (y as f64 / 2.0 - 0.25).clamp(0.0, 47.0) * f64::from(60_000 / 48);
    for (at, light) in light.iter().enumerate() {
        assert!((f64::from(*light) - expected(at / 64)).abs() <= 1.0, "row {}: {light}", at / 64);
    }
    let tall = decode(&sized(64, 5000, &rows(64, 5000), &[numbers(ASPECT_RATIO, b"IS", "2\\1")]));
    assert!(matches!(tall, Err(DecodeError::Size(_))), "{tall:?}");
}

/// The shape that the gate measures is the film's, in colours too.
#[test]
fn a_coded_colour_picture_is_made_square_too() {
    let mut coded = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(100, 50).write_to(&mut coded, image::ImageFormat::Jpeg).unwrap();
    let coded = dicom::fragment(coded.get_ref());
    let mut elements = dicom::form(100, 50, 8);
    elements.extend([number(2, 3), element(0x28, 4, b"CS", b"YBR_FULL_422")]);
    elements.extend([numbers(ASPECT_RATIO, b"IS", "2\\1"), coded]);
    let made = decode(&dicom::file("1.2.840.10008.1.2.4.50", &elements)).unwrap();
    assert_eq!((made.geometry().elongation_permille(), made.geometry().height()), (1000, 100));
}

#[test]
fn a_size_or_a_kind_is_told_with_what_helps() {
    let reason = |bytes: &[u8]| decode(bytes).unwrap_err().reason();
    assert_eq!(reason(&picture::png(20, 40)), Reason::WrongSize(20, 32));
    assert_eq!(reason(&picture::png(40, 3)), Reason::WrongSize(3, 32));
    assert_eq!(reason(&picture::png(40, 8001)), Reason::WrongSize(8001, 8000));
    assert_eq!(reason(b"%PDF-1.7"), Reason::UnreadKind);
    assert_eq!(reason(&picture::png(40, 40)[..60]), Reason::DamagedFrame);
    assert_eq!(reason(b""), Reason::DamagedFrame);
}
