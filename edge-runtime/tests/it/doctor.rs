//! The doctor on machines that are folders: each check with what it must find planted.

use crate::support::log::{SMALL, place, write};
use crate::support::{Bench, assert_contains, comes, film, program, run};
use edge_core::agree::{FrameStamp, Indication};
use edge_core::decide::Thresholds;
use edge_core::{Decision, Frame, Geometry, PixelFormat, Reason, State};
use edge_runtime::capture::{CaptureError, Shot, Source, now_ms};
use edge_runtime::config::{Config, Lights, Line, LineSpec};
use edge_runtime::doctor::{self, Finding, Machine, Room};
use edge_runtime::log::Log;
use edge_runtime::self_test::Verdict::{self, Failed, Ok as Good, Warning};
use edge_runtime::signal::gpio::{ChipInfo, LineInfo, choose};
use phantoms::Label;
use status::{Status, Versioned};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// A machine of files and scripts.
pub struct Planted(TempDir);

impl Planted {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn machine(&self) -> Machine {
        Machine::new(self.0.path())
    }

    pub fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.machine().path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub fn program(&self, name: &str, script: &str) -> &Self {
        let path = format!("/usr/bin/{name}");
        self.file(&path, &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(self.machine().path(&path), fs::Permissions::from_mode(0o755)).unwrap();
        self
    }
}

/// What must be found, and that there is a remedy where something is wrong and only there.
#[track_caller]
pub fn assert_found(finding: &Finding, verdict: Verdict, part: &str) {
    assert!(finding.verdict == verdict && finding.found.contains(part), "{part}: {finding:?}");
    assert_eq!(finding.remedy.is_some(), verdict != Good, "{finding:?}");
}

#[test]
fn power_is_read_bit_by_bit() {
    let planted = Planted::new();
    assert_found(&doctor::power(&planted.machine()), Good, "does not tell");
    for (told, verdict, part) in [
        ("0", Good, "enough"),
        ("50005", Failed, "too low now"),
        ("50000", Warning, "too low since the start"),
        ("e0008", Warning, "slowed down now"),
        ("80000", Warning, "slowed down since"),
        ("zzz", Warning, "unknown: zzz"),
    ] {
        planted.file("/sys/devices/platform/soc/soc:firmware/get_throttled", &format!("{told}\n"));
        assert_found(&doctor::power(&planted.machine()), verdict, part);
    }
    let other = Planted::new();
    other.program("vcgencmd", "test \"$1\" = get_throttled && echo throttled=0x50005");
    assert_found(&doctor::power(&other.machine()), Failed, "too low now");
}

#[test]
fn the_hottest_place_counts() {
    let planted = Planted::new();
    assert_found(&doctor::temperature(&planted.machine()), Good, "does not tell");
    planted
        .file("/sys/class/thermal/cooling_device0/temp", "99000")
        .file("/sys/class/thermal/thermal_zone0/temp", "41200\n");
    assert_found(&doctor::temperature(&planted.machine()), Good, "41 °C");
    for (told, verdict) in [("75000", Warning), ("85000", Failed), ("-3000", Good)] {
        planted.file("/sys/class/thermal/thermal_zone1/temp", told);
        assert_eq!(doctor::temperature(&planted.machine()).verdict, verdict, "{told}");
    }
}

#[test]
fn a_clock_that_was_not_set_or_that_nobody_keeps_is_found() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let planted = Planted::new();
    assert_found(&doctor::clock(&planted.machine(), SystemTime::UNIX_EPOCH), Warning, "before this program");
    assert_found(&doctor::clock(&planted.machine(), now), Warning, "not known");
    planted.program("timedatectl", "echo no");
    assert_found(&doctor::clock(&planted.machine(), now), Warning, "no time server");
    planted.program("timedatectl", "test \"$2\" = --property=NTPSynchronized && echo yes");
    assert_found(&doctor::clock(&planted.machine(), now), Good, "time server");
    planted.program("timedatectl", "echo no").file("/run/systemd/timesync/synchronized", "");
    assert_found(&doctor::clock(&planted.machine(), now), Good, "time server");
}

#[test]
fn a_service_that_does_not_run_is_found() {
    let planted = Planted::new();
    assert_found(&doctor::service(&planted.machine()), Warning, "no systemd");
    for (active, enabled, verdict, part) in [
        ("active", "enabled", Good, "runs"),
        ("active", "disabled", Warning, "not after a power cut"),
        ("inactive", "enabled", Warning, "switched off"),
        ("unknown", "", Warning, "switched off"),
        ("failed", "enabled", Failed, "does not come up: failed"),
        ("activating", "enabled", Failed, "does not come up: activating"),
    ] {
        planted.program("systemctl", &format!("test $1 = is-active && echo {active} || echo {enabled}"));
        assert_found(&doctor::service(&planted.machine()), verdict, part);
        assert_eq!(doctor::is_active(&planted.machine()), active == "active");
    }
}

#[test]
fn screen_and_delivery_are_asked_where_they_are_installed() {
    let planted = Planted::new();
    planted.program("systemctl", "test $1 = is-active && echo active || echo enabled");
    assert_eq!(doctor::companions(&planted.machine()), []);
    planted.program("pneumoscope-screen", "echo screen.toml: good").program(
        "pneumoscope-deliver",
        "echo all is well; echo the broker refuses the certificate: it ended yesterday >&2; exit 1",
    );
    let [runs, screen, delivers, delivery] = &doctor::companions(&planted.machine())[..] else { panic!() };
    assert_found(runs, Good, "pneumoscope-screen runs");
    assert_found(screen, Good, "screen.toml: good");
    assert_found(delivers, Good, "pneumoscope-deliver runs");
    assert_found(delivery, Failed, "it ended yesterday");
    planted.program("pneumoscope-deliver", "echo mqtt waits; echo 12 to come; exit 3");
    planted.program("pneumoscope-screen", "exit 3");
    let found = doctor::companions(&planted.machine());
    assert_found(&found[3], Warning, "mqtt waits; 12 to come");
    assert_eq!(found[1].verdict, Failed, "what only delivery may do");
}

#[test]
fn a_program_that_hangs_is_ended_with_all_that_it_started() {
    let planted = Planted::new();
    let started = planted.machine().path("/started");
    planted.program("vcgencmd", &format!("sleep 600 & echo $! > {}; wait", started.display()));
    let machine = planted.machine().with_patience(Duration::from_millis(500));
    assert_eq!(machine.ask("vcgencmd", &[]), None);
    let child = fs::read_to_string(started).unwrap();
    let state = || fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
    // Gone, or a zombie that nobody has waited for.
    assert!(comes(|| state().is_empty() || state().contains(") Z ")), "{}", state());
}

#[test]
fn a_look_that_hangs_or_fails_is_a_finding_of_its_own() {
    let look = |look: fn() -> Vec<Finding>| doctor::within("log", Duration::from_millis(300), look);
    assert_eq!(look(|| vec![Finding::ok("log", "fine")]), [Finding::ok("log", "fine")]);
    let [hangs] = &look(|| {
        loop {
            std::thread::park()
        }
    })[..] else {
        panic!()
    };
    assert_found(hangs, Failed, "no answer within 0.3 s");
}

#[test]
fn an_endless_answer_is_cut_off_and_a_device_file_is_not_read() {
    let planted = Planted::new();
    planted.program("vcgencmd", "head -c 1000000 /dev/zero | tr '\\0' a");
    assert_eq!(planted.machine().ask("vcgencmd", &[]).unwrap().said.len(), 64 * 1024);
    assert_eq!(Machine::new("/").read("/dev/zero".as_ref()), None);
}

// ---- lights

#[test]
fn lines_that_are_missing_taken_or_unused_are_found() {
    let line = |name: &str, user: Option<&str>| LineInfo { name: name.into(), user: user.map(str::to_owned) };
    let chips = [ChipInfo {
        path: "/dev/gpiochip0".into(),
        label: "pinctrl".into(),
        lines: vec![line("FREE", None), line("OURS", Some("pneumoscope")), line("TAKEN", Some("led0"))],
    }];
    let find = |name: &str, running| {
        let spec = LineSpec { line: Line::Name { name: name.into(), chip: None }, active_low: false };
        doctor::line("red", &spec, choose(&spec, &chips), running)
    };
    assert_found(&find("FREE", false), Good, "there and free");
    assert_found(&find("OURS", true), Good, "the device's");
    assert_found(&find("FREE", true), Warning, "does not have it");
    assert_found(&find("OURS", false), Failed, "in use by `pneumoscope`");
    assert_found(&find("TAKEN", true), Failed, "in use by `led0`");
    assert_found(&find("GONE", false), Failed, "no such GPIO line");
    assert_found(&doctor::lights(&Lights::default(), false, true)[0], Good, "the screen only");
    assert_found(&doctor::lights(&Lights::default(), false, false)[0], Warning, "nobody sees an answer");
    let spec =
        |name: &str| Some(LineSpec { line: Line::Name { name: name.into(), chip: None }, active_low: false });
    let lights = Lights { red: spec("a-1"), amber: spec("a-2"), green: spec("a-3"), ..Lights::default() };
    let found = doctor::lights(&lights, false, false);
    assert_eq!(found.iter().map(|f| f.name).collect::<Vec<_>>(), ["red", "amber", "green", "heartbeat"]);
    assert_found(&found[3], Warning, "dead device");
}

// ---- camera

/// A camera that gives what a test says, over and over.
struct Scripted {
    pixels: Vec<u8>,
    gives: fn() -> Option<CaptureError>,
    live: bool,
}

impl Source for Scripted {
    fn next(&mut self, wait: Duration) -> Result<Shot<'_>, CaptureError> {
        std::thread::sleep(wait.min(Duration::from_millis(20)));
        match (self.gives)() {
            Some(error) => Err(error),
            None => Ok(Shot {
                frame: Frame::packed(Geometry::new(64, 64, PixelFormat::Gray8).unwrap(), &self.pixels)
                    .unwrap(),
                stamp: FrameStamp::default(),
                taken_ms: 0,
                name: "",
                exam: None,
            }),
        }
    }

    fn is_live(&self) -> bool {
        self.live
    }

    fn name(&self) -> &str {
        "v4l2:test"
    }
}

fn looked(gives: fn() -> Option<CaptureError>, live: bool, decision: Decision) -> Vec<Finding> {
    let mut source = Scripted { pixels: vec![0; 64 * 64], gives, live };
    doctor::camera(&mut source, Duration::from_millis(200), |_| decision)
}

fn decided(state: State, reason: Reason) -> Decision {
    Decision { state, reason, logit: None, score: None }
}

#[test]
fn a_camera_is_there_or_the_reason_why_not_is_told() {
    let fine = decided(State::Refer, Reason::BetweenThresholds);
    let [camera, picture] = &looked(|| None, true, fine)[..] else { panic!() };
    assert_found(camera, Good, "v4l2:test: 64x64");
    assert_found(picture, Good, "sharp and lit; by itself REFER");
    let lost = || Some(CaptureError::Lost { source_name: "v4l2:test".into(), what: "no such device".into() });
    for (gives, part) in [
        (lost as fn() -> Option<CaptureError>, "no such device"),
        (|| Some(CaptureError::NoSignal("v4l2:test".into())), "no signal"),
        (|| Some(CaptureError::Nothing), "no frame came in time"),
    ] {
        let [camera] = &looked(gives, true, fine)[..] else { panic!() };
        assert_found(camera, Failed, part);
    }
    let [folder] = &looked(|| Some(CaptureError::Nothing), false, fine)[..] else { panic!() };
    assert_found(folder, Good, "no new file");
    let [folder] = &looked(lost, false, fine)[..] else { panic!() };
    assert_found(folder, Failed, "no such device");
}

#[test]
fn a_picture_that_is_dark_or_blurred_is_told_with_what_to_do() {
    for (state, reason, verdict, part) in [
        (State::Invalid, Reason::Dark(100, 5000), Warning, "too dark: brightness 0 %"),
        (State::Invalid, Reason::Blurred(100, 200), Warning, "blurred"),
        (State::Invalid, Reason::UnlikeLayout(-5, 5), Good, "no whole chest X-ray is before the camera"),
        (State::Fault, Reason::EngineFailed, Failed, "could not be computed"),
        (State::Positive, Reason::AboveThreshold, Good, "by itself POSITIVE"),
    ] {
        assert_found(&doctor::picture(&decided(state, reason)), verdict, part);
    }
}

/// What is found while the device runs and says that it shows this.
fn told(shown: Option<Indication>, age_ms: u64) -> Vec<Finding> {
    let status = Status {
        version: Status::VERSION,
        run: "a-run".into(),
        device: "room 2".into(),
        software: "0".into(),
        monotonic_ms: now_ms().saturating_sub(age_ms),
        unix_ms: 0,
        shown,
        shown_since_ms: 0,
        score: None,
        thresholds: Thresholds { negative_below: 0.3, positive_above: 0.7 },
        model: status::Model {
            sha256: String::new(),
            version: String::new(),
            intended_use: String::new(),
            engine: String::new(),
        },
        worklist: None,
        picture: None,
        trouble: None,
    };
    let folder = TempDir::new().unwrap();
    status::write(&folder.path().join(status::STATUS), &status).unwrap();
    doctor::seen_by_device(Some(folder.path()))
}

#[test]
fn a_running_device_says_itself_what_it_sees() {
    let [silent] = &doctor::seen_by_device(None)[..] else { panic!() };
    assert_found(silent, Warning, "no screen to tell");
    let folder = TempDir::new().unwrap();
    let [silent] = &doctor::seen_by_device(Some(folder.path()))[..] else { panic!() };
    assert_found(silent, Warning, "does not tell what it sees");
    let shown = |state, reason| Some(Indication { state, reason });
    let [hangs] = &told(None, 60_000)[..] else { panic!() };
    assert_found(hangs, Failed, "has not said for a while");
    let [waits] = &told(None, 0)[..] else { panic!() };
    assert_found(waits, Good, "waits for a picture");
    let [lost] = &told(shown(State::Fault, Reason::CameraLost), 0)[..] else { panic!() };
    assert_found(lost, Failed, "There is no camera");
    let [camera, picture] = &told(shown(State::Invalid, Reason::Blurred(100, 200)), 0)[..] else { panic!() };
    assert_found(camera, Good, "shows INVALID");
    assert_found(picture, Warning, "blurred");
}

// ---- disk and log

#[test]
fn a_disk_that_fills_is_found_before_it_is_full() {
    let log = Config::default().log;
    let most = log.rotate_bytes * (u64::from(log.keep) + 1);
    let found = |free_bytes, free_files, log_bytes| {
        doctor::room_left(Room { free_bytes, free_files, log_bytes }, &log)
    };
    assert_found(&found(most, 1000, 0), Good, "MB free");
    assert_found(&found(most - 1, 1000, 0), Warning, "the log may grow by");
    assert_found(&found(log.rotate_bytes - 1, 1000, 0), Failed, "17 MB free");
    assert_found(&found(most, 0, 0), Failed, "no more files");
    assert_found(&found(4 << 20, 1000, most), Good, "4 MB free");
    assert_found(&found(1000, 1000, most + 5), Failed, "0 MB free");
    let gone = edge_runtime::config::Log { file: "/no/such/folder/log.jsonl".into(), ..log.clone() };
    assert_found(&doctor::room(&gone), Failed, "/no/such/folder");
    let (_folder, file) = place();
    let here = edge_runtime::config::Log { file, ..log };
    assert!(doctor::room(&here).found.contains("MB free"));
}

#[test]
fn a_changed_log_is_found() {
    let (_folder, path) = place();
    assert_found(&doctor::log_sound(&path), Good, "nothing has been written yet");
    let mut log = Log::open(&path, SMALL).unwrap();
    (0..9).for_each(|i| write(&mut log, &format!("picture-{i}")).unwrap());
    drop(log);
    assert_found(&doctor::log_sound(&path), Good, "each as it was written");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("picture-8", "picture-7", 1)).unwrap();
    assert_found(&doctor::log_sound(&path), Failed, "are not as written, the first in");
}

// ---- the program

/// A configuration of a device that replays films and has no lights.
fn device(bench: &Bench, more: &str) -> String {
    let films = bench.path("films");
    fs::create_dir_all(&films).unwrap();
    film(&films, Label::Normal, 1);
    let text = format!(
        "[model]\nfile = \"model.onnx\"\n[capture]\nsource = \"replay:films\"\n[log]\nfile = \"log.jsonl\"\n{more}"
    );
    bench.file("device.toml", text)
}

#[test]
fn the_program_goes_through_all_of_it() {
    let bench = Bench::new();
    let config = device(&bench, "");
    let answer = run(program().args(["doctor", "--json", "--config", &config])).answer();
    let findings = answer["findings"].as_array().unwrap();
    let verdict = |name: &str| {
        let found = findings.iter().filter(|finding| finding["name"] == name);
        found.map(|finding| finding["verdict"].as_str().unwrap()).collect::<Vec<_>>()
    };
    for name in ["configuration", "model", "engine", "source", "self-test", "camera", "log folder", "log"] {
        assert_eq!(verdict(name), ["ok"], "{name}: {answer}");
    }
    assert_eq!(verdict("lights"), ["warning"], "neither lamps nor a screen");
    for name in ["picture", "disk", "clock", "power", "temperature", "service"] {
        assert_eq!(verdict(name).len(), 1, "{name}: {answer}");
    }
}

#[test]
fn a_planted_fault_ends_it_with_5_and_its_remedy() {
    let bench = Bench::new();
    let config = device(&bench, "");
    bench.file("log.jsonl", "this is no log\n");
    let text = run(program().args(["doctor", "--config", &config])).ended(5).stdout;
    assert_contains(&text, &["failed   log", "do: keep a copy of all its files"]);
    let config = device(&bench, "[decison]\n");
    let text = run(program().args(["doctor", "--config", &config])).ended(5).stdout;
    assert_contains(&text, &["there is no key `decison`", "do: mend it as it says", "clock"]);
    assert!(!text.contains("self-test"), "{text}");
}
