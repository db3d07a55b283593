//! DICOM files in the program: classified under any name, refused by what they say, and what of them
//! stands in the log.

use crate::support::log::{assert_sound, decisions};
use crate::support::{Bench, comes, film, process, program, room, run};
use edge_core::State;
use phantoms::Label;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use test_support::dicom::{element, file as dicom_file, form, fragment, radiograph_of};

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

/// 12 bits in 16 are not judged by that name, and are once the file says how they are meant.
#[test]
fn bits_that_are_not_used_are_invalid_unless_there_is_a_window() {
    let bench = Bench::new();
    let answered = |file: &str| run(program().args(["classify", "--json", file])).ended(0).answer();
    let base = answered(&bench.file("12.dcm", dicom(1, &[])));
    let low = answered(&bench.file("low.dcm", dicom_of(16, 1, &[])));
    assert_eq!((&low["state"], &low["reason_code"]), (&"INVALID".into(), &54.into()), "{low}");
    let told = low["reason"].as_str().unwrap();
    assert!(told.starts_with("12 bits in 16: ") && told.contains("with its window"), "{told}");
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

/// Not even by a watched folder, which gives them to the device by their content: the answer is FAULT.
#[test]
fn a_coding_that_is_not_read_is_named_with_the_remedy_and_the_others_are_answered() {
    let bench = Bench::new();
    fs::create_dir(bench.path("films")).unwrap();
    film(bench.path("films"), Label::Normal, 1);
    let coded = [form(96, 96, 8).concat(), fragment(b"no matter what")].to_vec();
    for (uid, name, told) in [
        ("1.2.840.10008.1.2.4.202", "ht.dcm", "High-Throughput JPEG 2000 with RPCL Options"),
        ("1.2.840.10008.1.2.4.110", "xl.dcm", "JPEG XL Lossless"),
        ("1.2.840.10008.1.2.4.102", "clip.dcm", "MPEG-4"),
    ] {
        let path = bench.file(&format!("films/{name}"), dicom_file(uid, &coded));
        let answers = run(program().args(["classify", "--json", &bench.path("films")])).ended(3).json();
        let [refused] = answers.iter().filter(|answer| answer["path"] == *path).collect::<Vec<_>>()[..]
        else {
            panic!("{answers:?}")
        };
        let error = refused["error"].as_str().unwrap();
        assert!(error.contains(told) && error.contains("uncompressed"), "{error}");
        assert_eq!(answers.iter().filter(|answer| answer["state"].is_string()).count(), 1);
    }
}

/// A device that watches a folder and is given these files, one after the other: what its lines of JSON
/// say, without what differs from run to run.
fn watched(bench: &Bench, files: &[(&str, Vec<u8>)]) -> Vec<Value> {
    fs::create_dir(bench.path("films")).unwrap();
    let config =
        "[capture]\nsource = \"folder:films\"\nquiet_ms = 50\n[log]\nfile = \"log.jsonl\"\nnames = true\n";
    let config = bench.file("device.toml", config);
    let mut device = process();
    let device = device.args(["run", "--json", "--config", &config]).stdout(Stdio::piped()).spawn().unwrap();
    // From the first listing on what comes is new.
    assert!(comes(|| Path::new(&bench.path("log.jsonl.answered")).exists()));
    let log = bench.path("log.jsonl");
    for (number, (name, bytes)) in files.iter().enumerate() {
        bench.file(&format!("films/{name}"), bytes);
        assert!(comes(|| fs::exists(&log).unwrap() && decisions(log.as_ref()).len() > number), "{name}");
    }
    kill_process(Pid::from_child(&device), Signal::TERM).unwrap();
    let ended = device.wait_with_output().unwrap();
    assert!(ended.status.success());
    assert_sound(log.as_ref());
    let said = String::from_utf8(ended.stdout).unwrap();
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A drawn radiograph of this state by itself, as a file of a study, with its view where it says one.
fn of_study(uid: &str, state: State, view: Option<&str>) -> Vec<u8> {
    let drawn = room::drawn(state);
    let samples: Vec<u16> = drawn.bytes().iter().map(|&byte| (u32::from(byte) * 4095 / 255) as u16).collect();
    let mut said = vec![element(0x20, 0x0D, b"UI", uid.as_bytes())];
    said.extend(view.map(|view| element(0x18, 0x5101, b"CS", view.as_bytes())));
    radiograph_of(12, drawn.geometry().width(), drawn.geometry().height(), &samples, &said)
}

/// By its identifier, whatever the files are called; a lateral view decides nothing.
#[test]
fn files_of_one_study_are_one_answer_the_worst_of_its_frontal_views() {
    let bench = Bench::new();
    let (one, two, three) = ("1.2.3.4711", "1.2.3.4712", "1.2.3.4713");
    let files = [
        ("IM0001.dcm", of_study(one, State::Negative, Some("PA"))),
        ("zebra", of_study(one, State::Positive, None)),
        ("IM0002.dcm", of_study(two, State::Negative, Some("AP"))),
        ("side.dcm", of_study(one, State::Negative, Some("LL"))),
        ("again.dcm", of_study(one, State::Negative, Some("AP"))),
        ("alone.dcm", of_study(three, State::Positive, Some("LL"))),
    ];
    let said = watched(&bench, &files);
    let log = bench.path("log.jsonl");
    let logged: Vec<_> = decisions(log.as_ref())
        .into_iter()
        .map(|line| {
            (line.name.unwrap(), line.pictures.unwrap(), line.state, line.shown_state, line.shown_reason.code)
        })
        .collect();
    let expected = [
        ("IM0001.dcm", 1, "NEGATIVE", "NEGATIVE", 2),
        ("zebra", 2, "POSITIVE", "POSITIVE", 1),
        ("IM0002.dcm", 1, "NEGATIVE", "NEGATIVE", 2),
        ("side.dcm", 3, "INVALID", "POSITIVE", 1),
        ("again.dcm", 4, "NEGATIVE", "POSITIVE", 1),
        ("alone.dcm", 1, "INVALID", "INVALID", 52),
    ]
    .map(|(name, pictures, own, shown, code)| {
        (name.to_owned(), pictures, own.to_owned(), shown.to_owned(), code)
    });
    assert_eq!(logged, expected);
    // All lines of a study name it as one, and by no number of an examination.
    let studies: Vec<_> = said.iter().map(|line| line["study"].as_str().unwrap()).collect();
    let [first, second, other, third, fourth, alone] = studies[..] else { panic!("{studies:?}") };
    assert_eq!([first; 3], [second, third, fourth]);
    assert!(first != other && first != alone && other != alone, "{studies:?}");
    let all = format!("{said:?}{}", fs::read_to_string(&log).unwrap());
    assert!(!all.contains("1.2.3.47"), "{all}");
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
