//! To an archive, which is DCMTK's `storescp`: what it gets is held to DCMTK's and dicom3tools' checks.

use crate::support::broker::{free_port, listens};
use crate::support::{Bench, Running, comes};
use edge_runtime::log::Reader;
use phantoms::Label;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use test_support::dicom::{element, radiograph};

/// The device's program, beside ours.
fn device_program() -> PathBuf {
    Path::new(assert_cmd::cargo::cargo_bin!("pneumoscope-deliver")).with_file_name("edge-runtime")
}

fn plain(port: u16) -> String {
    format!(
        "[pacs]\nenabled = true\nhost = \"127.0.0.1\"\nport = {port}\nretry_max_s = 1\nprogram = \"{}\"\n",
        device_program().display()
    )
}

/// A radiograph of a study and a patient of its own.
fn study(number: u64) -> Vec<u8> {
    enlarged(number, 1)
}

/// The same, each of its pixels so many in both directions.
fn enlarged(number: u64, times: u32) -> Vec<u8> {
    let label = if number.is_multiple_of(2) { Label::Normal } else { Label::Pneumonia };
    let drawn = phantoms::draw(label, number, 300);
    let side = 300 * times;
    let at = |x: u32, y: u32| drawn.bytes()[(y / times * 300 + x / times) as usize];
    let samples: Vec<u16> = (0..side)
        .flat_map(|y| (0..side).map(move |x| (x, y)))
        .map(|(x, y)| u16::from(at(x, y)) << 4)
        .collect();
    let uid = |last: &str| format!("1.2.826.0.1.3680043.8.498.{number}.{last}");
    radiograph(
        side as u16,
        side as u16,
        &samples,
        &[
            element(8, 0x05, b"CS", b"ISO_IR 100"),
            element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.1.1"),
            element(8, 0x18, b"UI", uid("1").as_bytes()),
            element(8, 0x20, b"DA", b"20261129"),
            element(8, 0x50, b"SH", format!("A{number}").as_bytes()),
            element(8, 0x60, b"CS", b"DX"),
            element(0x10, 0x10, b"PN", b"M\xfcller^Nobody"),
            element(0x10, 0x20, b"LO", format!("P{number}").as_bytes()),
            element(0x10, 0x21, b"LO", b"not to be sent"),
            element(0x20, 0x0D, b"UI", uid("2").as_bytes()),
            element(0x20, 0x0E, b"UI", uid("3").as_bytes()),
        ],
    )
}

/// The device answers all files of its folder.
fn judged(bench: &Bench, files: usize) {
    let config = fs::read_to_string(bench.path("device.toml")).unwrap();
    bench.write("device.toml", config.replace("[log]", "existing = true\nquiet_ms = 50\n[log]"));
    let mut device = Command::new(device_program());
    let _device = Running::start(device.args(["run", "--json", "--config"]).arg(bench.path("device.toml")));
    let answered = || {
        let all =
            Reader::open(bench.log_path()).map(|log| log.filter_map(|entry| entry.unwrap().decision).count());
        all.unwrap_or(0)
    };
    assert!(comes(|| answered() == files), "{} answers", answered());
}

struct Archive {
    folder: PathBuf,
    port: u16,
    _running: Running,
}

impl Archive {
    fn start(bench: &Bench, port: u16) -> Self {
        let folder = bench.path("archive");
        fs::create_dir_all(&folder).unwrap();
        let mut storescp = Command::new("storescp");
        storescp.args(["--aetitle", "ARCHIVE", "--output-directory"]).arg(&folder).arg(port.to_string());
        let running = Running::start(&mut storescp);
        assert!(comes(|| listens(port)));
        Self { folder, port, _running: running }
    }

    fn files(&self) -> BTreeSet<PathBuf> {
        fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

/// What a tool says of a file; it must find it good.
fn said(tool: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(tool).args(arguments).arg(file).output().expect("DCMTK is installed");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{tool}: {text}");
    text
}

fn pacs(bench: &Bench) -> Value {
    let status: Value = serde_json::from_slice(&bench.output(&["status", "--json"]).stdout).unwrap();
    status["destinations"][1].clone()
}

#[test]
#[ignore = "needs DCMTK: `cargo xtask test delivery` installs it and runs this test"]
fn delivery_pacs_a_report_and_a_picture_of_each_study_pass_the_checks_of_others() {
    let bench = Bench::new("");
    for number in 1..=2 {
        bench.write(&format!("inbox/{number}"), study(number));
    }
    // One that is no DICOM file has no study.
    bench.write("inbox/film.png", fs::read(drawn_png(&bench)).unwrap());
    judged(&bench, 3);
    let port = free_port();
    bench.configure(&plain(port));
    let running = bench.run();
    assert!(comes(|| pacs(&bench)["phase"] == "waiting"), "{}", pacs(&bench));
    let archive = Archive::start(&bench, port);
    assert!(comes(|| pacs(&bench)["behind"] == 0), "{}", pacs(&bench));
    assert_eq!(pacs(&bench)["why"], Value::Null);
    drop(running);
    let files = archive.files();
    assert_eq!(files.len(), 4, "a report and a picture each: {files:?}");
    for file in &files {
        let dump = said(
            "dcmdump",
            &["+P", "0008,0016", "+P", "0010,0010", "+P", "0010,0020", "+P", "0020,000d", "+P", "0008,0050"],
            file,
        );
        let number = if dump.contains("[P1]") { 1 } else { 2 };
        for part in [
            format!("[P{number}]"),
            format!("[1.2.826.0.1.3680043.8.498.{number}.2]"),
            format!("[A{number}]"),
        ] {
            assert!(dump.contains(&part), "{part}: {dump}");
        }
        let bytes = fs::read(file).unwrap();
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(holds(b"M\xfcller^Nobody"), "as the file had it");
        assert!(!holds(b"not to be sent"));
        if dump.contains("=BasicTextSRStorage") {
            let text = said("dsrdump", &["+Pl"], file);
            for part in ["it is not a diagnosis", "SHA-256 of the model", "Thresholds", "Score", "State"] {
                assert!(text.contains(part), "{part}: {text}");
            }
            assert!(said("dsr2html", &[], file).contains("it is not a diagnosis"));
        } else {
            assert!(dump.contains("=SecondaryCaptureImageStorage"), "{dump}");
            let picture = edge_model::decode::open(file).unwrap();
            assert!(picture.frame().geometry().width() >= 640, "with its text");
        }
        let verdict = Command::new("dciodvfy").arg(file).output().expect("dicom3tools is installed");
        let verdict = String::from_utf8_lossy(&verdict.stderr).into_owned();
        let errors: Vec<&str> = verdict.lines().filter(|line| line.starts_with("Error")).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    // Without its cursor all is sent again, and nothing is new.
    fs::remove_file(bench.path("state/pacs.cursor.json")).unwrap();
    fs::remove_file(bench.path("status.json")).unwrap();
    let _running = bench.run();
    assert!(
        comes(|| pacs(&bench)["behind"] == 0 && pacs(&bench)["lines"].as_u64() >= Some(3)),
        "{}",
        pacs(&bench)
    );
    assert_eq!(archive.files(), files);
    let checked = bench.output(&["check-config", "--connect"]);
    assert!(
        String::from_utf8_lossy(&checked.stdout).contains(&format!("127.0.0.1:{} answers", archive.port))
    );
}

/// Killed as soon as one more instance has arrived, again and again: between a report and its picture,
/// in the middle of the next, before the cursor is saved.
#[test]
#[ignore = "needs DCMTK: `cargo xtask test delivery` installs it and runs this test"]
fn delivery_pacs_each_study_arrives_however_often_it_is_killed() {
    const STUDIES: usize = 8;
    let bench = Bench::new("");
    for number in 1..=STUDIES {
        bench.write(&format!("inbox/{number}"), study(number as u64));
    }
    judged(&bench, STUDIES);
    let archive = Archive::start(&bench, free_port());
    bench.configure(&plain(archive.port));
    for arrived in 1..2 * STUDIES {
        let running = bench.run();
        assert!(comes(|| archive.files().len() >= arrived), "{arrived}: {}", pacs(&bench));
        drop(running);
    }
    let _running = bench.run();
    assert!(comes(|| pacs(&bench)["behind"] == 0), "{}", pacs(&bench));
    let (refused, gaps) = (&pacs(&bench)["refused"], &pacs(&bench)["gaps"]);
    assert_eq!((refused.as_u64(), gaps.as_u64()), (Some(0), Some(0)));
    let mut instances = BTreeSet::new();
    for file in archive.files() {
        let dump = said("dcmdump", &["+P", "0008,0016", "+P", "0010,0020"], &file);
        let study = (1..=STUDIES).find(|number| dump.contains(&format!("[P{number}]")));
        instances.insert((study.expect("one of ours"), dump.contains("=BasicTextSRStorage")));
    }
    assert_eq!(instances.len(), 2 * STUDIES, "a report and a picture each: {instances:?}");
}

/// The drawn picture of a film, as a PNG.
fn drawn_png(bench: &Bench) -> PathBuf {
    let source = bench.write("source.dcm", study(9));
    let png = bench.path("drawn.png");
    let mut classify = Command::new(device_program());
    let done = classify.args(["classify", "--json", "--heatmap"]).arg(&png).arg(&source).output().unwrap();
    assert!(png.exists(), "{}", String::from_utf8_lossy(&done.stdout));
    png
}

#[test]
#[ignore = "needs DCMTK: `cargo xtask test delivery` installs it and runs this test"]
fn delivery_pacs_memory_does_not_grow_with_the_pictures() {
    let peak = |files: u64, times| {
        let bench = Bench::new("");
        for number in 1..=files {
            bench.write(&format!("inbox/{number}"), enlarged(number, times));
        }
        judged(&bench, files as usize);
        let archive = Archive::start(&bench, free_port());
        bench.configure(&plain(archive.port));
        let running = bench.run();
        assert!(comes(|| pacs(&bench)["behind"] == 0), "{}", pacs(&bench));
        assert_eq!((pacs(&bench)["why"].clone(), archive.files().len()), (Value::Null, 2 * files as usize));
        running.greatest_memory()
    };
    let (small, large) = (peak(12, 1), peak(2, 10));
    println!("greatest memory: {small} kB with pictures of 300 x 300, {large} kB with 3,000 x 3,000");
    // A file's first mebibyte is read at once; of its picture, a row at a time.
    assert!(large <= small + 2500, "{small} kB, {large} kB");
}

#[test]
#[ignore = "needs DCMTK: `cargo xtask test delivery` installs it and runs this test"]
fn delivery_pacs_a_planted_other_patient_under_the_same_name_is_not_sent() {
    let bench = Bench::new("");
    bench.write("inbox/1", study(1));
    judged(&bench, 1);
    bench.write("inbox/1", study(2));
    let archive = Archive::start(&bench, free_port());
    bench.configure(&plain(archive.port));
    let _running = bench.run();
    assert!(comes(|| pacs(&bench)["behind"] == 0), "{}", pacs(&bench));
    let why = pacs(&bench)["why"].as_str().unwrap_or_default().to_owned();
    assert!(why.contains("another picture now"), "{}", pacs(&bench));
    assert!(archive.files().is_empty());
}
