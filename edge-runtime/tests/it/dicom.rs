//! DICOM files in the program: classified under any name, refused by what they say, and what of them
//! stands in the log.

use crate::support::log::decisions;
use crate::support::{Bench, film, program, run};
use phantoms::Label;
use std::fs;
use test_support::dicom::{element, radiograph_of};

/// The picture of [`film`] as DICOM of 12 bits, with these elements.
fn dicom(seed: u64, more: &[Vec<u8>]) -> Vec<u8> {
    dicom_of(12, seed, more)
}

/// The same that says it were of `bits` bits.
fn dicom_of(bits: u16, seed: u64, more: &[Vec<u8>]) -> Vec<u8> {
    let drawn = phantoms::draw(Label::Pneumonia, seed, 96);
    let samples: Vec<u16> = drawn.bytes().iter().map(|&byte| (u32::from(byte) * 4095 / 255) as u16).collect();
    radiograph_of(bits, 96, 96, &samples, more)
}

#[test]
fn a_dicom_file_is_answered_as_its_picture_under_any_name() {
    let bench = Bench::new();
    let folder = bench.path("mixed");
    fs::create_dir(&folder).unwrap();
    film(&folder, Label::Pneumonia, 1);
    for name in ["IM000001", "a.jpg", "b.dcm", "DX.1.2.826.0.1"] {
        bench.file(&format!("mixed/{name}"), dicom(1, &[]));
    }
    let whole = dicom(1, &[]);
    bench.file("mixed/no-preamble", &whole[132..]);
    bench.file("mixed/notes", "a text is passed over");
    let answers = run(program().args(["classify", "--json", &folder])).ended(0).json();
    assert_eq!(answers.len(), 6, "{answers:?}");
    let score = |answer: &serde_json::Value| answer["score"].as_f64().unwrap();
    for answer in &answers {
        assert_eq!(answer["state"], answers[0]["state"], "{answer}");
        assert!((score(answer) - score(&answers[0])).abs() <= 0.02, "{answer}");
    }
}

/// 12 bits in 16 are refused by that name, and the picture once the file says how they are meant.
#[test]
fn bits_that_are_not_used_are_refused_unless_there_is_a_window() {
    let bench = Bench::new();
    let answered = |file: &str| run(program().args(["classify", "--json", file])).ended(0).answer();
    let base = answered(&bench.file("12.dcm", dicom(1, &[])));
    let low = bench.file("low.dcm", dicom_of(16, 1, &[]));
    let refused = run(program().args(["classify", "--json", &low])).ended(3).json();
    let told = refused[0]["error"].as_str().unwrap();
    assert!(told.starts_with("12 bits in 16: the picture's values run from"), "{told}");
    assert!(told.contains("Window Center"), "{told}");
    let window = [element(0x28, 0x1050, b"DS", b"2048"), element(0x28, 0x1051, b"DS", b"4096")];
    let shown = answered(&bench.file("shown.dcm", dicom_of(16, 1, &window)));
    assert_eq!(shown["state"], base["state"]);
    let score = |answer: &serde_json::Value| answer["score"].as_f64().unwrap();
    assert!((score(&shown) - score(&base)).abs() <= 0.02, "{shown}");
}

#[test]
fn what_a_file_says_of_itself_is_believed() {
    let bench = Bench::new();
    for (said, code) in [
        (element(8, 0x60, b"CS", b"CT"), 50),
        (element(0x18, 0x15, b"CS", b"HAND"), 51),
        (element(0x18, 0x5101, b"CS", b"LL"), 52),
        (element(0x10, 0x1010, b"AS", b"045Y"), 53),
    ] {
        let file = bench.file("said.dcm", dicom(1, &[said]));
        let answer = run(program().args(["classify", "--json", &file])).ended(0).answer();
        assert_eq!((&answer["state"], &answer["reason_code"]), (&"INVALID".into(), &code.into()), "{answer}");
        assert!(answer["score"].is_null(), "{answer}");
    }
}

#[test]
fn the_log_holds_an_examination_as_it_is_told_to_and_never_a_patient() {
    let bench = Bench::new();
    fs::create_dir(bench.path("films")).unwrap();
    let said = [
        element(8, 0x50, b"SH", b"A-4711"),
        element(0x10, 0x10, b"PN", b"Secret^Name"),
        element(0x10, 0x20, b"LO", b"SECRET-1"),
        element(0x20, 0x0D, b"UI", b"1.2.3.4711"),
    ];
    bench.file("films/1.dcm", dicom(1, &said));
    for (studies, number, hashed) in
        [("off", None, false), ("plain", Some("A-4711"), false), ("hashed", None, true)]
    {
        let log = format!("{studies}.jsonl");
        let config = format!(
            "[capture]\nsource = \"replay:films\"\n[log]\nfile = \"{log}\"\nstudies = \"{studies}\"\n"
        );
        let config = bench.file("device.toml", config);
        run(program().args(["run", "--json", "--config", &config])).ended(0);
        let log = bench.path(&log);
        let [line] = decisions(log.as_ref()).try_into().expect("one decision");
        let exam = line.exam.unwrap_or_default();
        assert_eq!(exam.accession_number.as_deref(), number, "{studies}");
        assert_eq!(exam.accession_number_sha256.is_some(), hashed, "{studies}");
        let text = fs::read_to_string(&log).unwrap();
        // Whole, with what no hash has: 4711 alone occurs in one by chance.
        for identifier in ["A-4711", "1.2.3.4711"] {
            assert_eq!(text.contains(identifier), studies == "plain", "{text}");
        }
        assert!(!text.to_uppercase().contains("SECRET"), "{text}");
    }
}
