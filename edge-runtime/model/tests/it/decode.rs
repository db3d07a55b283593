//! Decoding: every form of PNG and JPEG that is accepted gives the right pixels; everything else a
//! clear error.

use edge_core::PixelFormat::{self, Gray8, Gray16, Rgb8, Rgb16};
use edge_core::Reason;
use edge_model::decode::{DecodeError, Picture, decode, decode_mjpeg};
use image::{DynamicImage, ImageFormat, metadata::Orientation};
use png::{BitDepth, ColorType};
use proptest::prelude::*;
use test_support::picture;

const SIDE: u32 = 32;

/// `count` samples that differ from each other, of one or two bytes each, big-endian.
fn samples(count: usize, wide: bool) -> Vec<u8> {
    (0..count)
        .flat_map(|i| if wide { ((i * 97) as u16).to_be_bytes().to_vec() } else { vec![(i * 37) as u8] })
        .collect()
}

/// The samples in `bytes`, of one byte each or of two.
fn numbers(bytes: &[u8], wide: bool, of_two: fn([u8; 2]) -> u16) -> Vec<f64> {
    match wide {
        true => bytes.chunks(2).map(|pair| of_two([pair[0], pair[1]]).into()).collect(),
        false => bytes.iter().map(|&byte| byte.into()).collect(),
    }
}

fn decoded(bytes: &[u8], format: PixelFormat) -> Picture {
    let picture = decode(bytes).unwrap();
    assert_eq!(picture.geometry().format(), format);
    picture
}

fn error(bytes: &[u8]) -> String {
    decode(bytes).unwrap_err().to_string()
}

#[test]
fn png_of_8_and_16_bits_in_grey_and_colour_keeps_its_samples() {
    for (colour, depth, channels, format) in [
        (ColorType::Grayscale, BitDepth::Eight, 1, Gray8),
        (ColorType::Grayscale, BitDepth::Sixteen, 1, Gray16),
        (ColorType::Rgb, BitDepth::Eight, 3, Rgb8),
        (ColorType::Rgb, BitDepth::Sixteen, 3, Rgb16),
    ] {
        let wide = depth == BitDepth::Sixteen;
        let written = samples((SIDE * SIDE) as usize * channels, wide);
        let picture = decoded(&picture::png_of(SIDE, colour, depth, &written), format);
        let expected = if wide { written.chunks(2).flat_map(|v| [v[1], v[0]]).collect() } else { written };
        assert_eq!(picture.bytes(), expected, "{format:?}: samples are little-endian in a frame");
    }
}

#[test]
fn png_of_few_bits_widens_to_full_scale() {
    for (depth, per_byte, steps) in [(BitDepth::One, 8, 1), (BitDepth::Two, 4, 3), (BitDepth::Four, 2, 15)] {
        let packed = samples((SIDE * SIDE) as usize / per_byte, false);
        let bits = 8 / per_byte;
        let expected: Vec<u8> = packed
            .iter()
            .flat_map(|byte| (0..per_byte).map(move |i| byte >> (8 - bits * (i + 1)) & steps))
            .map(|value| value * (255 / steps))
            .collect();
        let picture = decoded(&picture::png_of(SIDE, ColorType::Grayscale, depth, &packed), Gray8);
        assert_eq!(picture.bytes(), expected, "{depth:?}");
    }
}

#[test]
fn transparency_is_composited_over_black() {
    for (colour, depth, channels, format) in [
        (ColorType::GrayscaleAlpha, BitDepth::Eight, 1, Gray8),
        (ColorType::GrayscaleAlpha, BitDepth::Sixteen, 1, Gray16),
        (ColorType::Rgba, BitDepth::Eight, 3, Rgb8),
        (ColorType::Rgba, BitDepth::Sixteen, 3, Rgb16),
    ] {
        let wide = depth == BitDepth::Sixteen;
        let written = samples((SIDE * SIDE) as usize * (channels + 1), wide);
        let values = numbers(&written, wide, u16::from_be_bytes);
        let full = if wide { 65535.0 } else { 255.0 };
        let expected: Vec<f64> = values
            .chunks(channels + 1)
            .flat_map(|pixel| pixel[..channels].iter().map(|v| (v * pixel[channels] / full).round()))
            .collect();
        let picture = decoded(&picture::png_of(SIDE, colour, depth, &written), format);
        assert_eq!(numbers(picture.bytes(), wide, u16::from_le_bytes), expected, "{format:?}");
    }
}

#[test]
fn palettes_become_colours() {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIDE, SIDE);
    encoder.set_color(ColorType::Indexed);
    encoder.set_palette(vec![10, 20, 30, 200, 100, 50]);
    encoder.set_trns(vec![255, 0]); // the second colour is transparent
    let indices: Vec<u8> = (0..SIDE * SIDE).map(|i| (i % 3 == 0) as u8).collect();
    encoder.write_header().unwrap().write_image_data(&indices).unwrap();
    let picture = decoded(&bytes, Rgb8);
    let expected: Vec<u8> =
        indices.iter().flat_map(|&i| if i == 0 { [10, 20, 30] } else { [0, 0, 0] }).collect();
    assert_eq!(picture.bytes(), expected);
}

#[test]
fn jpeg_gives_its_luminance() {
    let grey = decoded(&picture::jpeg(80, 60, None), Gray8);
    assert_eq!((grey.geometry().width(), grey.geometry().height()), (80, 60));
    let far = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(far(grey.bytes(), picture::gradient(80, 60).as_raw()) < 12);

    // The same picture stored as colour: equal up to the rounding of the colour conversion.
    let mut colour = Vec::new();
    let rgb = DynamicImage::ImageLuma8(picture::gradient(80, 60)).into_rgb8();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut colour, 95).encode_image(&rgb).unwrap();
    assert!(far(decoded(&colour, Gray8).bytes(), grey.bytes()) <= 2);
}

#[test]
fn bmp_webp_and_tiff_keep_their_samples() {
    let expected = decode(&picture::png(72, 40)).unwrap();
    for format in [ImageFormat::Bmp, ImageFormat::WebP] {
        let colour = decoded(&picture::of_format(72, 40, format), Rgb8);
        let grey = expected.bytes().iter().flat_map(|&value| [value; 3]).collect::<Vec<_>>();
        assert_eq!(colour.bytes(), grey, "{format:?}");
    }
    for polarity in [0, 1] {
        assert_eq!(decode(&picture::tiff(72, 40, polarity)).unwrap(), expected, "polarity {polarity}");
    }
}

/// Huffman tables that are left out are the standard ones, which `image` writes too.
#[test]
fn a_jpeg_without_tables_has_the_standard_ones() {
    let whole = picture::jpeg(72, 40, None);
    let bare = picture::without_tables(&whole);
    assert!(bare.len() + 200 < whole.len());
    assert_eq!(decode(&bare).unwrap(), decode(&whole).unwrap());
    assert_eq!(decode_mjpeg(&bare).unwrap(), decode(&whole).unwrap());
}

#[test]
fn every_exif_orientation_is_applied() {
    let plain = decode(&picture::jpeg(50, 34, None)).unwrap();
    let turned = |code: u8| decode(&picture::jpeg(50, 34, Some(picture::exif(code)))).unwrap();
    for code in 1..=8 {
        let turned = turned(code);
        let mut expected =
            DynamicImage::ImageLuma8(image::GrayImage::from_raw(50, 34, plain.bytes().to_vec()).unwrap());
        expected.apply_orientation(Orientation::from_exif(code).unwrap());
        assert_eq!(u32::from(turned.geometry().width()), expected.width(), "orientation {code}");
        assert_eq!(turned.bytes(), expected.as_bytes(), "orientation {code}");
    }
    // The comparison bites: a picture without symmetry differs from itself turned.
    assert_ne!(turned(3), plain);
}

#[test]
fn progressive_and_baseline_jpegs_are_the_same_picture() {
    let progressive = decoded(&picture::flat_progressive_jpeg(), Gray8);
    assert_eq!(progressive, decode(&picture::flat_jpeg(1, 0)).unwrap());
    assert!(progressive.bytes().iter().all(|&value| value == 128));
}

/// 12 bits that lie in the lower ones of 16 are scaled where the file says so (sBIT).
#[test]
fn png_of_12_bits_in_16_is_scaled_or_not_judged() {
    let of_16: Vec<u16> = (0..SIDE * SIDE).map(|i| (i * 64) as u16).collect();
    let bytes = |shift: u16| of_16.iter().flat_map(|v| (v >> shift).to_be_bytes()).collect::<Vec<_>>();
    let plain = decoded(&picture::png_of(SIDE, ColorType::Grayscale, BitDepth::Sixteen, &bytes(0)), Gray16);
    let low = picture::png_of(SIDE, ColorType::Grayscale, BitDepth::Sixteen, &bytes(4));
    let read = decoded(&low, Gray16);
    assert_eq!(read.refused(), Some(Reason::UnusedBits(12, 16)));
    assert_eq!(numbers(read.bytes(), true, u16::from_le_bytes), numbers(&bytes(4), true, u16::from_be_bytes));

    // The chunk sBIT, behind the header.
    let chunk = [&b"sBIT"[..], &[12]].concat();
    let whole = [&1u32.to_be_bytes()[..], &chunk, &crc32(&chunk).to_be_bytes()].concat();
    let mut told = low.clone();
    told.splice(33..33, whole);
    let (told, values) = (decoded(&told, Gray16), |p: &Picture| numbers(p.bytes(), true, u16::from_le_bytes));
    assert_eq!((told.refused(), plain.refused()), (None, None));
    for (a, b) in values(&told).iter().zip(values(&plain)) {
        assert!((a - b).abs() <= 16.0, "{a} {b}");
    }
}

/// Whether 0 is black or white, what lies in the lower bits is not judged and no bright picture.
#[test]
fn tiff_of_12_bits_in_16_is_not_judged_and_of_16_is_itself() {
    let stored =
        |shift: u16| (0..SIDE * SIDE).flat_map(|i| ((i * 64) as u16 >> shift).to_le_bytes()).collect();
    let tiff = |polarity, samples: Vec<u8>| picture::tiff_of(SIDE, SIDE, polarity, 16, &samples);
    for polarity in [0, 1] {
        let low = decoded(&tiff(polarity, stored(4)), Gray16);
        assert_eq!(low.refused(), Some(Reason::UnusedBits(12, 16)), "polarity {polarity}");
    }
    let (white, black) = (decoded(&tiff(0, stored(0)), Gray16), decoded(&tiff(1, stored(0)), Gray16));
    assert_eq!(black.bytes(), stored(0));
    assert!(white.bytes().iter().zip(black.bytes()).all(|(white, black)| *white == !black));
}

/// A chunk may stand behind the picture's data.
#[test]
fn an_exif_orientation_at_the_end_of_a_png_is_applied() {
    let plain = picture::png(50, 34);
    let chunk = [&b"eXIf"[..], &picture::exif(3)].concat();
    let length = (chunk.len() - 4) as u32;
    let whole = [&length.to_be_bytes()[..], &chunk, &crc32(&chunk).to_be_bytes()].concat();
    let end = plain.len() - 12;
    let turned = [&plain[..end], &whole, &plain[end..]].concat();
    let expected: Vec<u8> = decode(&plain).unwrap().bytes().iter().rev().copied().collect();
    assert_eq!(decode(&turned).unwrap().bytes(), expected);
}

#[test]
fn a_picture_of_which_nothing_can_be_seen_is_black_and_not_judged() {
    use ColorType::{GrayscaleAlpha, Rgba};
    for (colour, depth, format) in [
        (GrayscaleAlpha, BitDepth::Eight, Gray8),
        (GrayscaleAlpha, BitDepth::Sixteen, Gray16),
        (Rgba, BitDepth::Eight, Rgb8),
        (Rgba, BitDepth::Sixteen, Rgb16),
    ] {
        let wide = depth == BitDepth::Sixteen;
        let channels = if colour == Rgba { 4 } else { 2 };
        let mut written = samples((SIDE * SIDE) as usize * channels, wide);
        let pixel = written.len() / (SIDE * SIDE) as usize;
        let alpha = pixel / channels;
        written.chunks_mut(pixel).for_each(|pixel| pixel[(channels - 1) * alpha..].fill(0));
        let hidden = decoded(&picture::png_of(SIDE, colour, depth, &written), format);
        assert_eq!(hidden.refused(), Some(Reason::Transparent), "{format:?}");
        assert!(hidden.bytes().iter().all(|byte| *byte == 0), "{format:?}");
        // One pixel that hardly shows is a picture.
        written[pixel - 1] = 1;
        assert_eq!(decoded(&picture::png_of(SIDE, colour, depth, &written), format).refused(), None);
    }
    let mut webp = std::io::Cursor::new(Vec::new());
    image::RgbaImage::from_pixel(64, 64, image::Rgba([90, 90, 90, 0]))
        .write_to(&mut webp, ImageFormat::WebP)
        .unwrap();
    assert_eq!(decoded(webp.get_ref(), Rgb8).refused(), Some(Reason::Transparent));
}

/// An animation of one frame is a picture, unless that frame is another than the one that viewers show.
#[test]
fn an_animated_png_of_one_frame_is_a_picture() {
    let with_frames = |count: u32, separate: bool| {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 64, 64);
        encoder.set_color(ColorType::Grayscale);
        encoder.set_animated(count, 0).unwrap();
        encoder.set_sep_def_img(separate).unwrap();
        let mut writer = encoder.write_header().unwrap();
        for _ in 0..count + u32::from(separate) {
            writer.write_image_data(picture::gradient(64, 64).as_raw()).unwrap();
        }
        writer.finish().unwrap();
        bytes
    };
    let one = decode(&with_frames(1, false)).unwrap();
    assert_eq!(one, decode(&picture::png(64, 64)).unwrap());
    for (count, separate) in [(2, false), (1, true)] {
        assert!(error(&with_frames(count, separate)).contains("an animated PNG"));
    }
}

/// A thumbnail's markers, and what comes behind the end of the picture, are not the picture's.
#[test]
fn other_jpegs_inside_and_behind_a_jpeg_are_not_read() {
    let plain = picture::jpeg(72, 40, None);
    let mut thumbnail = picture::exif(1);
    thumbnail.extend(picture::flat_jpeg(1, 0));
    let mut bytes = picture::jpeg(72, 40, Some(thumbnail));
    bytes.extend(picture::flat_jpeg(4, 0));
    assert_eq!(decode(&bytes).unwrap(), decode(&plain).unwrap());
}

/// Wherever a file is cut: an error, or (where only trailing bytes are lost) the same picture.
/// Never half a picture.
#[test]
fn a_file_that_is_cut_short_anywhere_is_refused() {
    let jpegs = [picture::jpeg(72, 40, None), picture::flat_jpeg(3, 1), picture::flat_progressive_jpeg()];
    let others = [
        picture::png(40, 40),
        picture::tiff(40, 40, 1),
        picture::of_format(40, 40, ImageFormat::Bmp),
        picture::of_format(40, 40, ImageFormat::WebP),
    ];
    for whole in others.into_iter().chain(jpegs) {
        let picture = decode(&whole).unwrap();
        let mut refused = 0;
        for length in 0..whole.len() {
            match decode(&whole[..length]) {
                Ok(cut) => assert_eq!(cut, picture, "cut to {length} of {} bytes", whole.len()),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > whole.len() - 20, "{refused} of {}", whole.len());
    }
}

/// A file whose middle is lost but whose end is there: a lenient decoder fills the rest with grey.
#[test]
fn a_jpeg_with_a_hole_is_refused() {
    let whole = picture::jpeg(200, 200, None);
    let (third, end) = (whole.len() / 3, whole.len() - 2);
    for hole in [third..end, third..2 * third, end - 300..end] {
        let mut bytes = whole.clone();
        bytes.drain(hole.clone());
        assert!(matches!(decode(&bytes), Err(DecodeError::Damaged { .. })), "{hole:?} of {end}");
    }
}

#[test]
fn colour_models_for_printing_are_refused() {
    // The refusals are not due to how these files are made: with fewer components they are fine.
    for (components, transform, format) in [(1, 0, Gray8), (3, 0, Rgb8), (3, 1, Gray8), (3, 2, Gray8)] {
        decoded(&picture::flat_jpeg(components, transform), format);
    }
    let refusal = "expected a greyscale, YCbCr or RGB JPEG, got CMYK; export the picture in greyscale or RGB";
    assert_eq!(error(&picture::flat_jpeg(4, 0)), refusal);
    assert_eq!(error(&picture::flat_jpeg(4, 2)), refusal.replace("CMYK", "YCCK"));
}

#[test]
fn sizes_are_refused_from_the_header() {
    let refused = |size: &str| {
        format!("expected a picture with sides of 32 to 8000 pixels, got {size}; scale or crop it first")
    };
    assert_eq!(error(&picture::png(1, 1)), refused("1x1"));
    assert_eq!(error(&picture::black_png(20_000, 40)), refused("20000x40"));
    assert_eq!(error(&picture::jpeg(31, 64, None)), refused("31x64"));
    // A header that promises 4 GB of pixels: refused at once, not after decoding.
    let mut huge = picture::png(40, 40);
    huge[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let crc = crc32(&huge[12..29]);
    huge[29..33].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(error(&huge), refused("65536x65536"));
    assert!(decode(&picture::black_png(8000, 32)).is_ok());
}

/// The checksum of PNG chunks, ISO 3309.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn what_is_no_picture_is_named() {
    assert!(matches!(decode(&[]), Err(DecodeError::Empty)));
    for (bytes, name) in [
        (&b"GIF89a\x40\0\x40\0\0\0\0"[..], "GIF"),
        (b"RIFF\x1a\0\0\0WAVEfmt ", "unknown content"),
        (b"\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000"),
        (b"\0\0\0\x18ftypheic", "HEIC, AVIF or a film"),
        (b"%PDF-1.7", "PDF"),
        (b"hello, this is no picture", "unknown content"),
        (&[0; 4096], "zero bytes only"),
    ] {
        let expected = format!(
            "expected a picture (JPEG, PNG, TIFF, BMP, WebP, DICOM), got {name}; export it as JPEG or PNG"
        );
        assert_eq!(error(bytes), expected);
    }
    let animated = "expected a single picture, got an animated PNG; export one frame as JPEG or PNG";
    assert_eq!(error(&picture::animated_png()), animated);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn damage_anywhere_is_no_panic(
        which in 0usize..4,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let files =
            [picture::png(40, 40), picture::jpeg(72, 40, None), picture::flat_jpeg(3, 0), picture::animated_png()];
        let mut bytes = files[which].clone();
        for (index, value) in damage {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(picture) = decode(&bytes) {
            prop_assert!(picture.frame().rows().all(|row| row.len() == picture.geometry().row_bytes()));
        }
    }

    #[test]
    fn any_bytes_behind_a_signature_are_no_panic(
        png in any::<bool>(),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let signature: &[u8] = if png { b"\x89PNG\r\n\x1a\n" } else { b"\xFF\xD8\xFF" };
        prop_assert!(decode(&[signature, &bytes].concat()).is_err());
    }
}
