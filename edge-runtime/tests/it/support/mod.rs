//! What the tests of this package share: models, pictures, logs, and the program itself.

pub mod log;
pub mod room;
pub mod watch;

pub use test_support::loaded::{classifier, engine, shipped, small};
pub use test_support::{assert_contains, model, picture, signed};

use assert_cmd::Command;
use phantoms::Label;
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Draws a phantom into a folder, its seed as its name.
pub fn film(folder: impl AsRef<Path>, label: Label, seed: u64) {
    picture::save(&phantoms::draw(label, seed, 224), &folder.as_ref().join(format!("{seed:03}.png")));
}

/// Who may read a file or folder: its owner, group, others.
pub fn mode(path: &str) -> u32 {
    let permissions = std::fs::metadata(path).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::mode(&permissions) & 0o777
}

/// Whether something comes to be so. Times are never asserted; a minute is for a machine that does
/// other things.
pub fn comes(mut is_so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !is_so() {
        if start.elapsed() > Duration::from_secs(60) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}

/// The built program, to be run to its end: as [`process`].
pub fn program() -> Command {
    process().into()
}

/// The built program, to be started: without colours, and without the service manager that may have
/// started the tests, which must hear nothing of it.
pub fn process() -> std::process::Command {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("edge-runtime"));
    command.env("NO_COLOR", "1");
    for name in ["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"] {
        command.env_remove(name);
    }
    command
}

pub struct Run {
    /// What the program was given, for the messages below.
    arguments: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn json(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    /// The one line of JSON.
    #[track_caller]
    pub fn answer(&self) -> Value {
        let [line] = self.json().try_into().expect("one line");
        line
    }

    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}: {}{}", self.arguments, self.stdout, self.stderr);
        self
    }

    /// Ended well, with nothing on standard error.
    #[track_caller]
    pub fn clean(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.arguments);
        self
    }

    #[track_caller]
    pub fn refused(self, code: i32, why: &str) {
        let run = self.ended(code);
        assert!(run.stderr.contains(why), "{}: expected {why}\nin       {}", run.arguments, run.stderr);
    }
}

/// A folder with the test model, removed at the end.
pub struct Bench {
    pub folder: TempDir,
    pub model: String,
}

impl Bench {
    pub fn new() -> Self {
        let mut bench = Self { folder: TempDir::new().unwrap(), model: String::new() };
        bench.model = bench.file("model.onnx", model::small(1));
        bench
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).into_os_string().into_string().unwrap()
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub fn classify(&self, path: &str) -> Run {
        self.run(["classify", "--json", path])
    }

    pub fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Run {
        self.run_with(&self.model, arguments)
    }

    pub fn run_with<'a>(&self, model: &str, arguments: impl IntoIterator<Item = &'a str>) -> Run {
        run(program().args(["--model", model]).args(arguments))
    }
}

/// Runs a command to its end; a panic's exit code (101) or a signal is a failure of whichever test
/// this is.
pub fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!matches!(output.status.code(), None | Some(101)), "the program died: {stderr}");
    let arguments = format!("{:?}", command.get_args());
    Run { arguments, code: output.status.code(), stdout: String::from_utf8(output.stdout).unwrap(), stderr }
}
