//! Pictures that cannot be decoded: each fault has its own message, which says what, why and what
//! to do.

use edge_model::decode::decode;
use test_support::picture;

fn refusal(bytes: &[u8]) -> String {
    decode(bytes).unwrap_err().to_string()
}

#[test]
fn empty_file() {
    assert_eq!(refusal(b""), "the file is empty (0 bytes); copy it again from its source");
}

#[test]
fn zero_bytes() {
    let expected = "expected a picture (JPEG, PNG, TIFF, BMP, WebP, DICOM), got zero bytes only; export it as JPEG or PNG";
    assert_eq!(refusal(&[0; 10_000]), expected);
}

#[test]
fn truncated_jpeg() {
    let whole = picture::jpeg(200, 200, None);
    let error = refusal(&whole[..whole.len() / 2]);
    let expected =
        "the JPEG file is damaged or cut short (no end-of-image marker); copy it again from its source";
    assert_eq!(error, expected);
}

#[test]
fn truncated_png() {
    let whole = picture::png(200, 200);
    let error = refusal(&whole[..whole.len() / 2]);
    assert!(error.starts_with("the PNG file is damaged or cut short ("), "{error}");
    assert!(error.ends_with("; copy it again from its source"), "{error}");
}

#[test]
fn one_pixel() {
    let expected = "expected a picture with sides of 32 to 8000 pixels, got 1x1; scale or crop it first";
    assert_eq!(refusal(&picture::png(1, 1)), expected);
}

#[test]
fn twenty_thousand_pixels() {
    let expected =
        "expected a picture with sides of 32 to 8000 pixels, got 20000x20000; scale or crop it first";
    assert_eq!(refusal(&picture::black_png(20_000, 20_000)), expected);
}

#[test]
fn cmyk_jpeg() {
    let expected =
        "expected a greyscale, YCbCr or RGB JPEG, got CMYK; export the picture in greyscale or RGB";
    assert_eq!(refusal(&picture::flat_jpeg(4, 0)), expected);
}

#[test]
fn animations() {
    let expected = "expected a single picture, got an animated PNG; export one frame as JPEG or PNG";
    assert_eq!(refusal(&picture::animated_png()), expected);
    let expected =
        "expected a picture (JPEG, PNG, TIFF, BMP, WebP, DICOM), got GIF; export it as JPEG or PNG";
    let two_frames = b"GIF89a\x40\0\x40\0\x80\0\0\0\0\0\xFF\xFF\xFF!\xFF\x0BNETSCAPE2.0\x03\x01\0\0\0";
    assert_eq!(refusal(two_frames), expected);
}
