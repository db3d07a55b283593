//! The program on pictures that it cannot read: one clear line each, the others are answered, exit
//! code 3. And on such as are read and say too little of themselves: INVALID, exit code 0.

use crate::support::{Bench, picture};
use serde_json::Value;

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

/// What the answer on a file is: state, number of the reason, its words, whether there is a score.
fn answered(line: &Value) -> (&str, u64, &str, bool) {
    let text = |key: &str| line[key].as_str().unwrap();
    (text("state"), line["reason_code"].as_u64().unwrap(), text("reason"), line["score"].is_f64())
}

/// By a file, by a folder and by a replay, for programs and for people.
#[test]
fn a_picture_that_says_too_little_of_itself_is_invalid_and_no_error() {
    let bench = Bench::new();
    let low = bench.file("films/low.png", picture::low_png(96));
    let hidden = bench.file("films/hidden.png", picture::transparent_png(96));
    let both = [
        (&hidden, 55, "every pixel is transparent; send the picture without transparency"),
        (&low, 54, "12 bits in 16: the file does not say which values are black and white; send it with"),
    ];
    let said = |line: &Value, (code, words)| {
        let (state, reason, told, scored) = answered(line);
        assert_eq!((state, reason, scored), ("INVALID", code, false), "{line}");
        assert!(told.starts_with(words), "{told}");
    };
    for (file, code, words) in both {
        said(&bench.classify(file).clean().answer(), (code, words));
        let told = bench.run(["classify", file]).clean().stdout;
        assert!(told.contains("INVALID") && told.contains(&words[..25]), "{told}");
    }
    let log = bench.path("log.jsonl");
    let replay = format!("replay:{}", bench.path("films"));
    for lines in [
        bench.classify(&bench.path("films")).clean().json(),
        bench.run(["run", "--json", "--source", &replay, "--log", &log]).ended(0).json(),
    ] {
        assert_eq!(lines.len(), 2);
        lines.iter().zip(both).for_each(|(line, (_, code, words))| said(line, (code, words)));
    }
}

/// One that shows something, be it a single pixel, is judged by what it shows.
#[test]
#[should_panic(expected = "INVALID")]
fn a_planted_picture_that_can_be_seen_is_not_called_transparent() {
    let bench = Bench::new();
    let line = bench.classify(&bench.file("fine.png", picture::black_png(96, 96))).clean().answer();
    assert_eq!(answered(&line).1, 55, "INVALID for another reason: {line}");
}

/// These tests bite: the same wrapper on a good picture fails, because no error comes.
#[test]
#[should_panic(expected = "left: Some(0)")]
fn a_planted_fault_is_seen() {
    refusal("fine.png", &picture::png(64, 64));
}
