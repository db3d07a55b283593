//! Data folders as people have them: what is read, what is left out and said, what is refused and
//! with which way out. The names alone are tested beside the code; here files are opened.

use ::phantoms::{Label, draw};
use image::codecs::png::PngEncoder;
use image::imageops::{FilterType, resize};
use image::{ExtendedColorType, GrayImage, ImageEncoder};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::Command;
use test_support::dicom;
use trainer::dataset::split::Split;
use trainer::dataset::{self, DataOptions, Dataset, DatasetError, Part, Sample, content_hash, phantoms};

pub fn grey(label: Label, seed: u64) -> GrayImage {
    GrayImage::from_raw(96, 96, draw(label, seed, 96).bytes().to_vec()).unwrap()
}

pub fn png(picture: &GrayImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (width, height) = picture.dimensions();
    PngEncoder::new(&mut bytes).write_image(picture, width, height, ExtendedColorType::L8).unwrap();
    bytes
}

pub fn put(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// `count` pictures of each class, named as Kermany's.
pub fn kermany(root: &Path, part: &str, count: u64) {
    for i in 0..count {
        let name = format!("{part}NORMAL/IM-{i:04}-0001.png");
        put(root, &name, &png(&grey(Label::Normal, 2 * i)));
        let name = format!("{part}PNEUMONIA/person{i}_virus_{i}.png");
        put(root, &name, &png(&grey(Label::Pneumonia, 2 * i + 1)));
    }
}

fn load(root: &Path, options: &DataOptions) -> Result<Dataset, DatasetError> {
    dataset::load(root, Part::Learning, 32, options)
}

fn plain(root: &Path) -> Dataset {
    load(root, &DataOptions::default()).unwrap()
}

fn refused(root: &Path) -> String {
    load(root, &DataOptions::default()).map(|data| data.samples.len()).unwrap_err().to_string()
}

#[test]
fn all_bad_files_are_in_one_message() {
    let root = tempfile::tempdir().unwrap();
    kermany(root.path(), "", 3);
    let whole = png(&grey(Label::Normal, 90));
    for (name, bytes) in [
        ("a.jpg", &b""[..]),
        ("b\n.jpg", b"<!DOCTYPE html>"),
        ("c.png", &whole[..whole.len() / 2]),
        ("d.png", &[0; 900]),
    ] {
        put(root.path(), &format!("NORMAL/{name}"), bytes);
    }
    let error = refused(root.path());
    assert!(error.contains("4 files cannot be used; remove or replace them"), "{error}");
    for part in ["NORMAL/a.jpg: the file is empty", "NORMAL/b\\n.jpg: ", "NORMAL/c.png: ", "NORMAL/d.png: "] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
}

#[test]
fn content_decides_and_what_is_left_out_is_counted() {
    let root = tempfile::tempdir().unwrap();
    kermany(root.path(), "set/", 3);
    let picture = png(&grey(Label::Normal, 50));
    put(root.path(), "set/NORMAL/film.JFIF", &picture);
    put(root.path(), "set/NORMAL/IM000001", &png(&grey(Label::Normal, 51)));
    put(root.path(), "set/NORMAL/README", b"some words");
    put(root.path(), "set/NORMAL/._film.JFIF", b"\0\x05\x16\x07");
    put(root.path(), "set/NORMAL/Thumbs.db", b"x");
    put(root.path(), "notes.txt", b"x");
    let data = plain(root.path());
    assert_eq!(data.samples.len(), 8);
    let left: Vec<_> = data.findings.left_out.0.iter().map(|(why, n)| (why.as_str(), n.count)).collect();
    let expected = [
        ("files of an operating system", 2),
        ("no picture by its content (unknown content)", 1),
        ("no picture by its ending .txt", 1),
    ];
    assert_eq!(left, expected);
    assert_eq!(data.findings.patients_unknown, 2, "the two whose names tell nothing");
    let said = data.findings.to_string();
    assert!(said.contains("Of 2 of 8 pictures nothing tells whose they are"), "{said}");
}

#[test]
fn the_same_film_with_both_labels_is_refused_unless_that_is_allowed() {
    let root = tempfile::tempdir().unwrap();
    kermany(root.path(), "train/", 3);
    std::fs::copy(
        root.path().join("train/NORMAL/IM-0000-0001.png"),
        root.path().join("train/PNEUMONIA/again.png"),
    )
    .unwrap();
    let error = refused(root.path());
    assert!(error.contains("1 groups of identical pictures have both labels"), "{error}");
    assert!(error.contains("train/NORMAL/IM-0000-0001.png = train/PNEUMONIA/again.png"), "{error}");
    let allowed = DataOptions { allow_contradictions: true, ..DataOptions::default() };
    let findings = load(root.path(), &allowed).unwrap().findings;
    assert_eq!((findings.contradictory.count, findings.identical.count), (1, 1));
}

/// A device refuses them unseen, by what their own file says: nothing is learned from them, and they do not
/// stop a flow after its training. What is measured is measured whole.
#[test]
fn films_that_no_device_would_judge_are_counted_and_not_learned_from() {
    let root = tempfile::tempdir().unwrap();
    kermany(root.path(), "train/", 3);
    kermany(root.path(), "test/", 2);
    let film = |name: &str, said: &[Vec<u8>]| {
        let samples: Vec<u16> = (0..96 * 96).map(|i| (i % 96 * 40) as u16).collect();
        put(root.path(), name, &dicom::radiograph(96, 96, &samples, said));
    };
    let age = |text: &[u8]| vec![dicom::element(0x10, 0x1010, b"AS", text)];
    film("train/NORMAL/child.dcm", &age(b"003Y"));
    film("train/NORMAL/adult.dcm", &age(b"044Y"));
    film("train/PNEUMONIA/old.dcm", &age(b"071Y"));
    film("train/PNEUMONIA/side.dcm", &[dicom::element(0x18, 0x5101, b"CS", b"LL")]);
    film("train/PNEUMONIA/scan.dcm", &[dicom::element(0x08, 0x60, b"CS", b"CT")]);
    film("test/NORMAL/adult.dcm", &age(b"044Y"));
    let data = plain(root.path());
    assert!(data.samples.iter().any(|sample| sample.id == "train/NORMAL/child.dcm"));
    assert_eq!(data.samples.len(), 7);
    let left: Vec<(&str, usize)> =
        data.findings.left_out.0.iter().map(|(why, n)| (why.as_str(), n.count)).collect();
    assert_eq!(
        left,
        [
            ("no device would judge it: the file says: a patient older than 71 months", 2),
            ("no device would judge it: the file says: no radiograph, another modality", 1),
            ("no device would judge it: the file says: not a frontal view", 1),
        ]
    );
    let survey = dataset::survey(root.path(), &DataOptions::default()).unwrap();
    assert_eq!(survey.findings, data.findings, "`check` says the same");
    let test = dataset::load(root.path(), Part::Test, 32, &DataOptions::default()).unwrap();
    assert_eq!((test.samples.len(), test.findings.left_out.count()), (5, 0));
}

/// As on a device, with what to do: a film that is nearly one grey, or transparent, teaches nothing, and
/// can be written anew.
#[test]
fn films_that_say_too_little_of_themselves_are_named_and_stop_the_reading() {
    let root = tempfile::tempdir().unwrap();
    kermany(root.path(), "", 3);
    let samples: Vec<u16> = (0..96 * 96).map(|i| (i % 96 * 40) as u16).collect();
    put(root.path(), "NORMAL/low.dcm", &dicom::radiograph_of(16, 96, 96, &samples, &[]));
    put(root.path(), "PNEUMONIA/hidden.png", &test_support::picture::transparent_png(96));
    let error = load(root.path(), &DataOptions::default()).unwrap_err().to_string();
    for told in ["2 files", "low.dcm: 12 bits in 16: ", "hidden.png: every pixel is transparent; "] {
        assert!(error.contains(told), "{told}: {error}");
    }
    std::fs::remove_file(root.path().join("PNEUMONIA/hidden.png")).unwrap();
    let window = [dicom::element(0x28, 0x1050, b"DS", b"1900"), dicom::element(0x28, 0x1051, b"DS", b"3801")];
    put(root.path(), "NORMAL/low.dcm", &dicom::radiograph_of(16, 96, 96, &samples, &window));
    assert_eq!(plain(root.path()).samples.len(), 7);
}

#[test]
fn films_in_training_and_test_and_copies_in_another_coding_are_named() {
    let root = tempfile::tempdir().unwrap();
    kermany(root.path(), "train/", 4);
    kermany(root.path(), "test/", 2);
    let smaller = resize(&grey(Label::Normal, 6), 80, 80, FilterType::Triangle);
    put(root.path(), "train/NORMAL/scaled.png", &png(&smaller));
    put(
        root.path(),
        "test/NORMAL/scaled.png",
        &png(&resize(&grey(Label::Normal, 4), 80, 80, FilterType::Triangle)),
    );
    let findings = plain(root.path()).findings;
    assert_eq!(findings.alike.listed, [["train/NORMAL/IM-0003-0001.png", "train/NORMAL/scaled.png"]]);
    assert_eq!(findings.in_training_and_test.count, 5, "{:?}", findings.in_training_and_test);
    assert!(findings.to_string().contains("figures on test/ are flattered"), "{findings}");
    // The same is said where test/ is what is measured.
    let test = dataset::load(root.path(), Part::Test, 32, &DataOptions::default()).unwrap();
    assert_eq!((test.samples.len(), test.findings.in_training_and_test.count), (5, 5));
}

#[test]
fn a_viewers_names_tell_no_patients_and_that_is_said() {
    let root = tempfile::tempdir().unwrap();
    for i in 0..6 {
        put(root.path(), &format!("NORMAL/IM-0001-{i:04}.png"), &png(&grey(Label::Normal, 2 * i)));
        put(root.path(), &format!("PNEUMONIA/IM-0002-{i:04}.png"), &png(&grey(Label::Pneumonia, 2 * i + 1)));
    }
    let data = plain(root.path());
    assert_eq!((data.findings.patients, data.findings.patients_unknown), (12, 12));
    put(
        root.path(),
        "patients.csv",
        (0..6)
            .fold("image,patient\n".to_owned(), |list, i| {
                format!("{list}IM-0001-{i:04}.png,{0}\nIM-0002-{i:04}.png,{0}\n", i / 2)
            })
            .as_bytes(),
    );
    let options = DataOptions { patients: Some(root.path().join("patients.csv")), ..DataOptions::default() };
    let data = load(root.path(), &options).unwrap();
    assert_eq!((data.findings.patients, data.findings.patients_unknown), (3, 0));
}

/// Patients as the trainer told them apart when the shipped models were made.
fn patient_then(name: &str) -> String {
    if let Some((person, _)) = name.split_once('_').filter(|(p, _)| p.starts_with("person")) {
        return person.to_owned();
    }
    if let Some(at) = name.find("IM-") {
        let end = name[at + 3..].find('-').map_or(name.len(), |dash| at + 3 + dash);
        return name[..end].to_owned();
    }
    name.to_owned()
}

/// SHA-256 of the ids that validate, of the folder below.
const VALIDATION: &str = "2c00f9bcd83e140df36869f9e4e5fcddb40c4265c15e7f345fa9939f76f3053b";

/// Models are compared by their validation patients, over years: which these are stays.
#[test]
fn the_split_of_kermanys_names_is_what_it_always_was() {
    let first = phantoms::load(40, 32).samples.remove(0);
    let sample = |i: usize| {
        let (id, positive) = match i % 5 {
            0 => (format!("train/NORMAL/IM-{:04}-0001.jpeg", i / 7), false),
            1 => (format!("train/NORMAL/NORMAL2-IM-{:04}-0001-000{}.jpeg", i / 9, i % 3), false),
            2 => (format!("train/PNEUMONIA/person{}_virus_{i}.jpeg", i / 6), true),
            3 => (format!("train/PNEUMONIA/person{}_bacteria_{i}.jpeg", i / 6), true),
            _ => (format!("val/PNEUMONIA/person{}_bacteria_{i}_1.jpeg", i / 6), true),
        };
        let mut content = [0; 32];
        content[..8].copy_from_slice(&(i as u64 / 2).to_le_bytes());
        Sample { id, positive, content, ..first.clone() }
    };
    let mut samples: Vec<Sample> = (0..1000).map(sample).collect();
    samples.sort_by(|a, b| a.id.cmp(&b.id));
    samples.dedup_by(|a, b| a.id == b.id);
    let ids: Vec<(String, bool)> = samples.iter().map(|s| (s.id.clone(), s.positive)).collect();
    let stem = |id: &str| Path::new(id).file_stem().unwrap().to_str().unwrap().to_owned();
    let by = |patients: Vec<String>| {
        let with = samples.iter().zip(patients).map(|(s, patient)| Sample { patient, ..s.clone() });
        let with: Vec<Sample> = with.collect();
        Split::draw(&with, 0.2, 1)
    };
    let now = by(dataset::patients_of(&ids));
    assert_eq!(now, by(ids.iter().map(|(id, _)| patient_then(&stem(id))).collect()));
    let hash: String = Sha256::digest(now.validation.join("\n")).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hash, VALIDATION);
    // Planted: files instead of patients.
    assert_ne!(now, by(ids.iter().map(|(id, _)| id.clone()).collect()));
}

/// What names a model's training data is made of names, labels and contents, and of nothing else.
#[test]
fn the_hash_of_a_plain_folder_is_what_it_always_was() {
    let root = tempfile::tempdir().unwrap();
    kermany(root.path(), "", 3);
    let mut expected = Sha256::new();
    for (class, positive) in [("NORMAL", 0u8), ("PNEUMONIA", 1)] {
        let mut names: Vec<_> = std::fs::read_dir(root.path().join(class))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        for name in names {
            let id = format!("{class}/{name}");
            expected.update(id.as_bytes());
            expected.update([0, positive]);
            expected.update(Sha256::digest(std::fs::read(root.path().join(id)).unwrap()));
        }
    }
    let expected: String = expected.finalize().iter().map(|b| format!("{b:02x}")).collect();
    put(root.path(), "NORMAL/.DS_Store", b"x");
    let data = plain(root.path());
    assert_eq!(content_hash(&data.samples), expected);
    assert_eq!(data.findings.sha256, expected);
    let survey = dataset::survey(root.path(), &DataOptions::default()).unwrap();
    assert_eq!(survey.findings, data.findings, "a survey finds what a reading finds");
}

fn trainer(arguments: &[&str], root: &Path) -> (bool, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
    let output = program.args(arguments).arg("--data").arg(root).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn check_says_what_training_would_read() {
    let root = tempfile::tempdir().unwrap();
    kermany(root.path(), "", 3);
    put(root.path(), "NORMAL/.DS_Store", b"x");
    let (done, said, _) = trainer(&["check", "--few-pictures"], root.path());
    assert!(done && said.contains("6 pictures, 3 NORMAL and 3 PNEUMONIA"), "{said}");
    assert!(said.contains("left out: files of an operating system: 1 (NORMAL/.DS_Store)"), "{said}");
    let (_, json, _) = trainer(&["check", "--json"], root.path());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["normal"], &json["patients"]), (&3.into(), &6.into()));
    put(root.path(), "COVID19/x.png", &png(&grey(Label::Normal, 70)));
    let (done, _, error) = trainer(&["check"], root.path());
    assert!(!done && error.contains("--classes \"NORMAL=NORMAL,PNEUMONIA=PNEUMONIA\""), "{error}");
    let classes = ["check", "--few-pictures", "--classes", "NORMAL=NORMAL,PNEUMONIA=PNEUMONIA"];
    let (done, said, _) = trainer(&classes, root.path());
    assert!(done && said.contains("COVID19, which --classes does not name: 1"), "{said}");
}

#[test]
fn a_training_on_few_pictures_is_refused_before_its_run_begins() {
    let root = tempfile::tempdir().unwrap();
    kermany(root.path(), "", 6);
    let run = root.path().join("run");
    let (done, _, error) = trainer(&["train", "--side", "32", "--run", run.to_str().unwrap()], root.path());
    assert!(!done && error.contains("expected 20 pictures at least"), "{error}");
    assert!(error.contains("--few-pictures") && !run.join("run.json").exists(), "{error}");

    // `check` says the same, behind what it found.
    let (done, said, told) = trainer(&["check"], root.path());
    let refused = error.trim().strip_prefix("error: ").unwrap();
    assert!(!done && told.contains("`train` refuses these data") && told.contains(refused), "{told}");
    assert!(said.contains("12 pictures, 6 NORMAL and 6 PNEUMONIA"), "{said}");
    let (_, json, _) = trainer(&["check", "--json"], root.path());
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["normal"], 6);
}

/// Most memory that looking through 100,000 files may take, in kB: libtorch's own, and some 300 bytes
/// a file. The pictures themselves would be 6.6 GB.
#[cfg(target_os = "linux")]
const MOST_KB: u64 = 600_000;

#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes a while: cargo xtask test flow"]
fn flow_a_hundred_thousand_files_are_checked_in_bounded_memory() {
    use crate::support::most_memory;
    use trainer::random::{Purpose, SeededRng};
    let root = tempfile::tempdir().unwrap();
    for i in 0..100_000u64 {
        let mut rng = SeededRng::new(1, Purpose::Sample, 0, i);
        let noise = GrayImage::from_fn(32, 32, |_, _| image::Luma([(128.0 + 40.0 * rng.normal()) as u8]));
        let class = if i % 2 == 0 { "NORMAL" } else { "PNEUMONIA" };
        put(root.path(), &format!("{class}/{i:08}_000.png"), &png(&noise));
    }
    let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
    let (most, output) = most_memory(program.args(["check", "--data"]).arg(root.path()), "VmHWM");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("100000 pictures, 50000 NORMAL and 50000 PNEUMONIA"), "{said}");
    assert!((1..MOST_KB).contains(&most), "{most} kB at most");
    println!("{most} kB");
}
