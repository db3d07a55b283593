//! The program over many frames: its memory stays flat and no file stays open. As many frames as
//! `PNEUMOSCOPE_SOAK_FRAMES` says, thousands where it says nothing (fewer in tract, which is not
//! optimised in tests and would keep all others waiting); `cargo xtask soak` runs a day of them.

use crate::support::log::assert_sound;
use crate::support::{film, process};
use phantoms::Label;
use std::fs;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a process has of the machine.
#[derive(Clone, Copy, Debug)]
struct Holds {
    /// Resident memory that is its own, in kB.
    memory: u64,
    files: usize,
}

impl Holds {
    /// None once the process has ended.
    fn of(process: &Child) -> Option<Self> {
        let folder = format!("/proc/{}", process.id());
        let status = fs::read_to_string(format!("{folder}/status")).ok()?;
        let memory = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
        let memory = memory.trim().trim_end_matches(" kB").parse().ok()?;
        Some(Self { memory, files: fs::read_dir(format!("{folder}/fd")).ok()?.count() })
    }
}

#[test]
#[ignore = "takes its time: cargo xtask test soak"]
fn core_stays_as_it_was_after_its_first_frames() {
    soak("core", 10_000);
}

#[test]
#[ignore = "takes its time: cargo xtask test soak"]
fn tract_stays_as_it_was_after_its_first_frames() {
    soak("tract", 4000);
}

#[test]
fn what_grows_is_found() {
    let at = |memory, files| Holds { memory, files };
    assert!(judge(&[at(3000, 7), at(4000, 9), at(3000, 7), at(3000, 7)]).is_ok());
    assert!(judge(&[at(3000, 7), at(3500, 7), at(4000, 7), at(4500, 7)]).unwrap_err().contains("memory"));
    assert!(judge(&[at(3000, 7), at(3000, 8), at(3000, 9), at(3000, 11)]).unwrap_err().contains("files"));
    assert!(judge(&[at(3000, 7)]).unwrap_err().contains("too few"));
}

/// Memory within 1 MB of what it was at first; a rotation of the log has its folder and two more
/// files open for a moment.
fn judge(looks: &[Holds]) -> Result<String, String> {
    let [first, _, _, ..] = looks else { return Err("too few looks to say anything".into()) };
    let memory = looks.iter().map(|look| look.memory).max().unwrap_or_default();
    let files = looks.iter().map(|look| look.files).max().unwrap_or_default();
    let (count, at_first) = (looks.len(), first.memory);
    let said = format!("{count} looks; memory {at_first} to {memory} kB, files {} to {files}", first.files);
    if memory > first.memory + 1024 || files > first.files + 3 { Err(said) } else { Ok(said) }
}

fn soak(engine: &str, default: u64) {
    let frames: u64 = match std::env::var("PNEUMOSCOPE_SOAK_FRAMES") {
        Ok(frames) => frames.parse().expect("PNEUMOSCOPE_SOAK_FRAMES is a number"),
        Err(_) => default,
    };
    let folder = tempfile::tempdir().unwrap();
    let films = folder.path().join("films");
    fs::create_dir(&films).unwrap();
    for seed in 0..8 {
        let label = if seed % 2 == 0 { Label::Normal } else { Label::Pneumonia };
        film(&films, label, seed);
    }
    let log = folder.path().join("log.jsonl");
    let mut program = process();
    program.args(["run", "--engine", engine, "--frames", &frames.to_string()]);
    program.arg("--source").arg(format!("replay:{}?loop", films.display()));
    program.arg("--log").arg(&log);
    let started = Instant::now();
    let mut process = program.stdout(Stdio::null()).spawn().unwrap();
    // What is held at the start: once the log has its first lines, everything is there.
    while fs::metadata(&log).map_or(0, |log| log.len()) < 100_000 {
        assert!(process.try_wait().unwrap().is_none(), "it ended early");
        thread::sleep(Duration::from_millis(5));
    }
    let mut looks = Vec::new();
    while process.try_wait().unwrap().is_none() {
        looks.extend(Holds::of(&process));
        thread::sleep(Duration::from_millis(50));
    }
    assert!(process.wait().unwrap().success());
    let said = judge(&looks).unwrap();
    println!("{engine}: {frames} frames in {:.0} s, {said}", started.elapsed().as_secs_f64());
    let verified = assert_sound(&log);
    let closed = verified.files.len() as u64 - 1; // a line at the end of each full file
    assert_eq!(verified.last_seq, Some(frames + closed + 1), "started, every frame, closed, stopped");
}
