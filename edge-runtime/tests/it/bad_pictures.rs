//! The program on pictures that it cannot read: one clear line each, the others are answered, exit
//! code 3.

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
    assert_eq!(lines[0]["fault"], false, "the file is to blame");
    assert_eq!(lines[1]["path"], *good);
    assert!(lines[1]["state"].is_string(), "the good one is answered: {}", lines[1]);
    let error = lines[0]["error"].as_str().unwrap().to_owned();
    assert_eq!(run.stderr, format!("error: {bad}: {error}\n"), "one line on standard error");
    error
}

#[test]
fn a_bad_picture_is_told_and_the_others_are_answered() {
    assert_eq!(refusal("a.png", b""), "the file is empty (0 bytes); copy it again from its source");
    let whole = picture::jpeg(200, 200, None);
    assert!(
        refusal("a.jpg", &whole[..whole.len() / 2]).starts_with("the JPEG file is damaged or cut short (")
    );
    assert!(refusal("a.png", &picture::png(1, 1)).ends_with("got 1x1; scale or crop it first"));
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
