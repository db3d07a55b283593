//! A source that is a program: small ones that end, hang, flood, and write what is no frame. They
//! are scripts for `sh`; a real program is in `exec_ffmpeg`.

use crate::support::{assert_contains, comes, process};
use edge_runtime::capture::{CaptureError, CaptureOptions, Encoding, Exec, Source, SourceSpec};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Long enough for what must come, on the slowest machine; a test that passes never waits for it.
const PATIENCE: Duration = Duration::from_secs(60);
const HEADER: &str = "printf 'YUV4MPEG2 W64 H48 F10:1 Cmono\\n'\n";
/// A shell's function: a whole frame of the digit that it is given.
const FRAME: &str = "frame() { head -c 3072 /dev/zero | tr '\\0' \"$1\"; }\n";

struct Script {
    folder: TempDir,
    options: CaptureOptions,
}

impl Script {
    /// A script, in whose folder it runs. `$1` is that folder.
    fn new(text: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("script");
        fs::write(&file, [FRAME, text].concat()).unwrap();
        let words = ["sh", file.to_str().unwrap(), folder.path().to_str().unwrap()];
        let options = CaptureOptions {
            source: SourceSpec::Exec(Vec::new()),
            command: words.map(str::to_owned).into(),
            restart_after_ms: 60_000,
            ..Default::default()
        };
        Self { folder, options }
    }

    /// Raw frames of one byte a pixel.
    fn raw(text: &str) -> Self {
        let mut script = Self::new(text);
        script.options = CaptureOptions {
            width: Some(64),
            height: Some(48),
            format: Some(Encoding::Grey),
            ..script.options
        };
        script
    }

    fn source(&self) -> Exec {
        Exec::new(&self.options).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The number that the script has written into a file, once it is there.
    fn pid(&self, name: &str) -> Pid {
        let read = || fs::read_to_string(self.file(name)).ok()?.strip_suffix('\n')?.parse().ok();
        assert!(comes(|| read().is_some()), "no {name}");
        Pid::from_raw(read().unwrap()).unwrap()
    }
}

/// The first pixel of the next frame.
fn pixel(source: &mut Exec) -> u8 {
    let shot = source.next(PATIENCE).unwrap();
    let frame = shot.frame;
    assert_eq!((frame.geometry().width(), frame.geometry().height()), (64, 48));
    frame.rows().next().unwrap()[0]
}

/// What a source says when it is lost.
fn lost(source: &mut Exec) -> String {
    let error = source.next(PATIENCE).map(|_| ()).unwrap_err();
    assert!(matches!(error, CaptureError::Lost { .. }), "{error}");
    error.to_string()
}

/// Whether a process runs; one that has ended and is not waited for does not.
fn runs(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).unwrap_or_default();
    test_kill_process(pid).is_ok() && !stat.contains(") Z ")
}

#[test]
fn frames_come_as_the_header_or_the_configuration_says() {
    let y4m = [HEADER, "while :; do printf 'FRAME\\n'; frame 7; sleep 0.02; done"].concat();
    let raw = "while :; do frame 7; sleep 0.02; done";
    for script in [Script::new(&y4m), Script::raw(raw)] {
        let mut source = script.source();
        assert_eq!((source.name(), source.is_live()), ("exec:sh", true));
        let mut last = (0, 0);
        for _ in 0..3 {
            assert_eq!(pixel(&mut source), b'7');
            let shot = source.next(PATIENCE).unwrap();
            assert!(shot.stamp.sequence > last.0 && shot.taken_ms >= last.1);
            last = (shot.stamp.sequence, shot.taken_ms);
        }
        source.pass(PATIENCE).unwrap();
    }
    let mut cut = Script::raw(raw);
    cut.options.crop = "10,0,40,40".parse().ok();
    assert_eq!(cut.source().next(PATIENCE).unwrap().frame.geometry().width(), 40);
}

/// The device does not look, and the program is not held up: all that it writes is taken, and the
/// newest frame is what is left.
#[test]
fn a_flood_holds_nobody_up_and_leaves_the_newest_frame() {
    let script = Script::raw(
        "head -c 61440000 /dev/zero\nframe 1\nframe 2\nframe 3\ntouch \"$1/written\"\nsleep 1000",
    );
    let mut source = script.source();
    assert!(source.next(Duration::ZERO).is_err(), "it has only begun");
    assert!(comes(|| script.file("written").exists()), "20,000 frames wait for us to read them");
    // The last of them may still be in the pipe.
    let mut last = pixel(&mut source);
    while last != b'3' {
        last = pixel(&mut source);
    }
    assert!(matches!(source.next(Duration::from_millis(50)), Err(CaptureError::Nothing)), "none before it");
}

#[test]
fn one_that_ends_is_told_with_its_last_words_and_started_again() {
    let script = Script::new(
        &[
            HEADER,
            "printf 'FRAME\\n'; frame 5; echo x >> \"$1/starts\"; echo 'no cameras available' >&2; exit 3",
        ]
        .concat(),
    );
    let mut source = script.source();
    for starts in 1..=3 {
        assert_eq!(pixel(&mut source), b'5', "its frame counts all the same");
        let text = lost(&mut source);
        let says = "exec:sh: the program ended by itself with exit status 3; it said: no cameras available";
        assert_eq!(text, says);
        assert_eq!(lost_at_once(&mut source), says, "it lasts until the next start");
        assert_eq!(fs::read_to_string(script.file("starts")).unwrap().lines().count(), starts);
    }
}

fn lost_at_once(source: &mut Exec) -> String {
    source.next(Duration::ZERO).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn each_way_to_give_no_frames_is_named() {
    let hangs = |script: Script| Script {
        options: CaptureOptions { restart_after_ms: 300, ..script.options },
        folder: script.folder,
    };
    let short = [HEADER, "printf 'FRAME\\n'; head -c 100 /dev/zero"].concat();
    let stops = [HEADER, "printf 'FRAME\\n'; head -c 100 /dev/zero; sleep 1000"].concat();
    let other = "printf 'YUV4MPEG2 W48 H64 Cmono\\n'; sleep 1000";
    let cases = [
        (
            Script::new("exit 0"),
            "the program ended by itself with exit status 0; it said nothing; run the words",
        ),
        (Script::new("kill -SEGV $$"), "the program was ended by signal 11"),
        (
            hangs(Script::new("echo waiting >&2; sleep 1000")),
            "gave no frame for 300 ms and was ended; it said: waiting",
        ),
        (
            hangs(Script::new(&stops)),
            "gave no frame for 300 ms and was ended; its last frame had 100 of 3072 bytes",
        ),
        (Script::new(&short), "exit status 0; its last frame had 100 of 3072 bytes"),
        (Script::raw(other), "expected frames of 64x48 pixels, the Y4M header says 48x64; give the size"),
        (
            Script::new("echo hello; sleep 1000"),
            "begins with YUV4MPEG2, got `hello\\n`; have the program write Y4M, or",
        ),
        (Script::new("exec cat /dev/zero"), "begins with YUV4MPEG2, got `\\x00\\x00"),
        (
            Script::new(&[HEADER, "frame 1; sleep 1000"].concat()),
            "expected FRAME at the beginning of each Y4M frame, got",
        ),
        (Script::new("exec /nowhere/at/all"), "exit status 127; it said: "),
    ];
    for (script, says) in cases {
        assert_contains(&lost(&mut script.source()), &[says]);
    }
    let command = vec!["/nowhere/rpicam-vid".to_owned()];
    let none = CaptureOptions { command, ..Script::new("").options };
    let says = "exec:rpicam-vid: `/nowhere/rpicam-vid` cannot be started: No such file or directory (os error 2); install it";
    assert_contains(&lost(&mut Exec::new(&none).unwrap()), &[says]);
}

/// Its children go with it, whether it heeds SIGTERM or not; nothing is left when the source is gone.
#[test]
fn what_it_has_started_ends_with_it() {
    for trap in ["", "trap '' TERM\n"] {
        let text = [
            trap,
            "sleep 1000 & echo $! > \"$1/child\"; echo $$ > \"$1/leader\"; while :; do frame 1; sleep 0.05; done",
        ]
        .concat();
        let script = Script::raw(&text);
        let mut source = script.source();
        pixel(&mut source);
        let (leader, child) = (script.pid("leader"), script.pid("child"));
        assert!(runs(leader) && runs(child));
        drop(source);
        assert!(comes(|| !runs(leader) && !runs(child)), "trap: {trap:?}");
    }
    // It leaves a child behind that holds the pipe.
    let script = Script::raw("sleep 1000 & echo $! > \"$1/child\"");
    assert_contains(&lost(&mut script.source()), &["ended by itself"]);
    let child = script.pid("child");
    assert!(comes(|| !runs(child)));
}

/// What is not reached, and that the test above would see it: a program that has left the group.
#[test]
fn a_planted_process_of_another_session_lives_on() {
    let script =
        Script::raw("setsid sleep 1000 & echo $! > \"$1/child\"; while :; do frame 1; sleep 0.05; done");
    let mut source = script.source();
    pixel(&mut source);
    let child = script.pid("child");
    // It is of another session once it is no shell any more.
    let name = || fs::read_to_string(format!("/proc/{}/comm", child.as_raw_pid())).unwrap_or_default();
    assert!(comes(|| name() == "sleep\n"));
    drop(source);
    assert!(runs(child));
    kill_process(child, Signal::KILL).unwrap();
}

/// The device, killed so that it can do nothing any more: the kernel ends the program.
#[test]
fn a_device_that_is_killed_leaves_no_program() {
    let script = Script::new("echo $$ > \"$1/leader\"; exec sleep 1000");
    let config = script.file("device.toml");
    let words: Vec<_> = script.options.command.iter().map(|word| format!("{word:?}")).collect();
    let text = format!(
        "[capture]\nsource = \"exec:\"\ncommand = [{}]\n[log]\nfile = \"log.jsonl\"\n[model]\nengine = \"core\"\n",
        words.join(", ")
    );
    fs::write(&config, text).unwrap();
    let mut device = process();
    let mut device = device.args(["run", "--json", "--config"]).arg(&config).spawn().unwrap();
    let leader = script.pid("leader");
    assert!(runs(leader));
    kill_process(Pid::from_child(&device), Signal::KILL).unwrap();
    device.wait().unwrap();
    assert!(comes(|| !runs(leader)), "an orphan");
}

#[test]
fn options_that_no_program_can_meet_are_refused() {
    let exec = |options: CaptureOptions| {
        let source = SourceSpec::Exec(Vec::new());
        CaptureOptions { source, ..options }.check().map_err(|error| error.to_string())
    };
    let command = || vec!["x".to_owned()];
    let error = exec(CaptureOptions::default()).unwrap_err();
    assert_contains(&error, &["source = \"exec:\" needs the program", "command = [\"rpicam-vid\""]);
    let size =
        CaptureOptions { width: Some(640), height: Some(480), command: command(), ..Default::default() };
    assert_eq!(exec(size.clone()), Ok(()));
    let error = exec(CaptureOptions { format: Some(Encoding::Mjpeg), ..size.clone() }).unwrap_err();
    assert_contains(
        &error,
        &["expected raw frames of GREY, NV12", "got MJPEG; have it write one of them, or Y4M"],
    );
    let error = exec(CaptureOptions { width: Some(8000), height: Some(8000), ..size.clone() }).unwrap_err();
    assert_contains(&error, &["width, height: expected frames of at most 64 MB"]);
    let both = CaptureOptions { source: "exec:x y".parse().unwrap(), ..size };
    assert_contains(
        &both.check().unwrap_err().to_string(),
        &["expected a program behind `exec:` or in command, got both"],
    );
}

#[test]
fn words_behind_the_colon_are_separated_by_blanks_and_looked_at_by_no_shell() {
    let spec: SourceSpec = "exec:a  b$(c) 'd".parse().unwrap();
    assert_eq!(spec, SourceSpec::Exec(["a", "b$(c)", "'d"].map(str::to_owned).into()));
    assert_eq!(spec.to_string(), "exec:a b$(c) 'd");
    assert_eq!("exec:".parse(), Ok(SourceSpec::Exec(Vec::new())));
    assert!(Path::new("/bin/echo").exists());
    let options = CaptureOptions { source: "exec:/bin/echo $HOME".parse().unwrap(), ..Default::default() };
    assert_contains(&lost(&mut Exec::new(&options).unwrap()), &["exec:echo: ", "got `$HOME\\n`"]);
}
