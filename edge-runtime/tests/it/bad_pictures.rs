//! The program on pictures that it cannot read: one clear line each, the others are answered, exit code 3.

use crate::support::{Bench, picture};

/// Classifies one bad file beside a good one; gives the error's text without the path.
fn refusal(name: &str, bytes: &[u8]) -> String {
    let bench = Bench::new();
    let bad = bench.file(name, bytes);
    let good = bench.file("good.png", picture::png(64, 64));
    let run = bench.run(["classify", "--json", &bad, &good]).ended(3);
    let lines = run.json();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["path"], *bad);
    assert_eq!(lines[1]["path"], *good);
    assert!(lines[1]["state"].is_string(), "the good one is answered: {}", lines[1]);
    let error = lines[0]["error"].as_str().unwrap().to_owned();
    assert_eq!(run.stderr, format!("error: {bad}: {error}\n"), "one line on standard error");
    error
}

#[test]
fn empty_file() {
    assert_eq!(refusal("a.png", b""), "the file is empty (0 bytes); copy it again from its source");
}

#[test]
fn zero_bytes() {
    let expected = "expected a JPEG or PNG picture, got zero bytes only; export the picture as JPEG or PNG";
    assert_eq!(refusal("a.jpg", &[0; 10_000]), expected);
}

#[test]
fn truncated_jpeg() {
    let whole = picture::jpeg(200, 200, None);
    let error = refusal("a.jpg", &whole[..whole.len() / 2]);
    let expected =
        "the JPEG file is damaged or cut short (no end-of-image marker); copy it again from its source";
    assert_eq!(error, expected);
}

#[test]
fn truncated_png() {
    let whole = picture::png(200, 200);
    let error = refusal("a.png", &whole[..whole.len() / 2]);
    assert!(error.starts_with("the PNG file is damaged or cut short ("), "{error}");
    assert!(error.ends_with("; copy it again from its source"), "{error}");
}

#[test]
fn one_pixel() {
    let expected = "expected a picture with sides of 32 to 8000 pixels, got 1x1; scale or crop it first";
    assert_eq!(refusal("a.png", &picture::png(1, 1)), expected);
}

#[test]
fn twenty_thousand_pixels() {
    let expected =
        "expected a picture with sides of 32 to 8000 pixels, got 20000x20000; scale or crop it first";
    assert_eq!(refusal("a.png", &picture::black_png(20_000, 20_000)), expected);
}

#[test]
fn cmyk_jpeg() {
    let expected =
        "expected a greyscale, YCbCr or RGB JPEG, got CMYK; export the picture in greyscale or RGB";
    assert_eq!(refusal("a.jpg", &picture::flat_jpeg(4, 0)), expected);
}

#[test]
fn animations() {
    let expected = "expected a single picture, got an animated PNG; export one frame as JPEG or PNG";
    assert_eq!(refusal("a.png", &picture::animated_png()), expected);
    let expected = "expected a JPEG or PNG picture, got GIF; export the picture as JPEG or PNG";
    let two_frames = b"GIF89a\x40\0\x40\0\x80\0\0\0\0\0\xFF\xFF\xFF!\xFF\x0BNETSCAPE2.0\x03\x01\0\0\0";
    assert_eq!(refusal("a.gif", two_frames), expected);
}

#[test]
fn missing_file() {
    let bench = Bench::new();
    let run = bench.classify(&bench.path("nothing.png")).ended(3);
    assert!(run.json()[0]["error"].as_str().unwrap().starts_with("cannot be read: "), "{}", run.stdout);
}

#[test]
fn a_wrong_extension_does_not_matter() {
    let bench = Bench::new();
    bench.classify(&bench.file("really a png.jpg", picture::png(64, 64))).clean();
    bench.classify(&bench.file("no extension", picture::jpeg(64, 64, None))).clean();
}

#[test]
fn a_folder_without_pictures() {
    let bench = Bench::new();
    bench.file("sub/notes.txt", b"no picture");
    let expected = "no picture in this folder; expected files ending in .jpg";
    bench.classify(&bench.path("sub")).refused(3, expected);
}

#[cfg(unix)]
#[test]
fn a_directory_loop_ends() {
    let bench = Bench::new();
    bench.file("films/b/2.png", picture::png(64, 64));
    bench.file("films/1.png", picture::png(64, 64));
    let films = bench.path("films");
    std::os::unix::fs::symlink(&films, bench.path("films/b/again")).unwrap();
    let run = bench.classify(&films).ended(3);
    let lines = run.json();
    assert_eq!(lines.iter().filter(|line| line["state"].is_string()).count(), 2, "each picture once");
    let expected = format!("this link leads back to {films} above it; not followed");
    assert!(lines.iter().any(|line| line["error"] == expected.as_str()), "{}", run.stdout);
}

/// These tests bite: the same wrapper on a good picture fails, because no error comes.
#[test]
#[should_panic(expected = "left: Some(0)")]
fn a_planted_fault_is_seen() {
    refusal("fine.png", &picture::png(64, 64));
}
