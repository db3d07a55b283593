//! A device's folder: its configuration, its log, and the program that delivers from it.

pub mod archive;
pub mod broker;

use edge_core::agree::Indication;
use edge_core::decide::Thresholds;
use edge_core::{Decision, Reason, State};
use edge_runtime::log::{Context, Hash, Log, Options, Record};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The protocol's versions, as the configuration calls them.
pub const VERSIONS: [&str; 2] = ["5", "3.1.1"];

pub struct Bench {
    folder: TempDir,
}

impl Bench {
    /// `delivery` is what stands in deliver.toml beside the places of files.
    pub fn new(delivery: &str) -> Self {
        let bench = Self { folder: TempDir::new().unwrap() };
        fs::create_dir_all(bench.path("state")).unwrap();
        fs::create_dir_all(bench.path("inbox")).unwrap();
        bench.write("device.toml", "[device]\nname = \"ward-3\"\n[capture]\nsource = \"folder:inbox\"\n[log]\nfile = \"log.jsonl\"\n");
        bench.configure(delivery);
        bench
    }

    pub fn configure(&self, delivery: &str) {
        self.write(
            "deliver.toml",
            format!(
                "{delivery}\n[device]\nconfig = \"device.toml\"\nsite = \"clinic\"\nstatus = \"device-status.json\"\n\
                 [files]\nstate = \"state\"\nstatus = \"status.json\"\n"
            ),
        );
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn log_path(&self) -> PathBuf {
        self.path("log.jsonl")
    }

    /// The device's log, in small files of which all are kept.
    pub fn log(&self) -> Log {
        let options = Options { max_bytes: 65_536, keep: 1000, sync_every: 1000, log_names: false };
        Log::open(self.log_path(), options).unwrap()
    }

    pub fn program(&self, arguments: &[&str]) -> Command {
        let built = || assert_cmd::cargo::cargo_bin!("pneumoscope-deliver").into();
        let mut command = Command::new(packaged().unwrap_or_else(built));
        command.args(arguments).arg("--config").arg(self.path("deliver.toml"));
        command
    }

    pub fn output(&self, arguments: &[&str]) -> Output {
        self.program(arguments).output().unwrap()
    }

    /// `pneumoscope-deliver run`, ended with the value.
    pub fn run(&self) -> Running {
        Running::start(&mut self.program(&["run"]))
    }

    /// The same with a disk that takes no byte more.
    pub fn run_with_a_full_disk(&self) -> Running {
        let program = self.program(&["run"]);
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]);
        Running::start(shell.arg(program.get_program()).args(program.get_args()))
    }
}

/// The packaged program, where it is to be measured in place of the tests' own, which is several times
/// as large.
fn packaged() -> Option<PathBuf> {
    std::env::var_os("PNEUMOSCOPE_DELIVER_PROGRAM").map(PathBuf::from)
}

/// Most memory that the packaged program may take: 15 MB.
const MOST_KB: u64 = 15_000_000 / 1024;

pub struct Running {
    pub child: Child,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self { child: command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap() }
    }

    /// In kilobytes, so far; of the packaged program it is within its bound.
    pub fn greatest_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(packaged().is_none() || peak <= MOST_KB, "{peak} kB");
        peak
    }
}

impl Drop for Running {
    /// Killed, as by a power cut.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn context() -> Context {
    Context {
        preprocessing: edge_core::preprocess::NAME,
        model_sha256: "ab".repeat(32),
        model_version: "1.2.3".to_owned(),
        engine: "core",
        familiar_widened_to: None,
        thresholds: Thresholds { negative_below: 0.25, positive_above: 0.75 },
        site_sha256: None,
        prior: None,
    }
}

pub fn decide(log: &mut Log, number: u64) {
    let score = (number % 100) as f32 / 100.0;
    let state = if score > 0.75 { State::Positive } else { State::Refer };
    let reason = if score > 0.75 { Reason::AboveThreshold } else { Reason::BetweenThresholds };
    let decision = Decision { state, reason, logit: Some(score), score: Some(score) };
    let name = format!("{number}.dcm");
    let record = Record {
        exam: None,
        context: &context(),
        source: "folder:inbox",
        name: &name,
        pictures: Some(1),
        frame: Some(Hash::of(name.as_bytes())),
        decision: &decision,
        shown: Indication { state, reason },
        agreeing: 1,
        needed: 1,
        latency_us: 1234,
    };
    log.write(&record).unwrap();
}

/// Whether something comes to be within a minute.
pub fn comes(mut there: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        if there() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    there()
}
