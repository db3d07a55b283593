//! Logs to be looked at: what a device would write, and a disk whose calls can be made to fail.

use edge_core::agree::Indication;
use edge_core::decide::Thresholds;
use edge_core::{Decision, Reason, State};
use edge_runtime::log::{
    Context, DecisionLine, Disk, Kind, Log, LogError, Options, Reader, Record, Verified, frame_hash, verify,
};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub fn context() -> Context {
    Context {
        preprocessing: edge_core::preprocess::NAME,
        model_sha256: "ab".repeat(32),
        model_version: "0.0.1".to_owned(),
        engine: "core",
        familiar_widened_to: None,
        thresholds: Thresholds { negative_below: 0.25, positive_above: 0.75 },
        site_sha256: None,
        prior: None,
    }
}

pub fn decision(score: f32) -> Decision {
    let (state, reason) = match score {
        s if s > 0.75 => (State::Positive, Reason::AboveThreshold),
        s if s < 0.25 => (State::Negative, Reason::BelowThreshold),
        _ => (State::Refer, Reason::BetweenThresholds),
    };
    Decision { state, reason, logit: Some(score * 8.0 - 4.0), score: Some(score) }
}

pub fn record<'a>(context: &'a Context, name: &'a str, decision: &'a Decision) -> Record<'a> {
    Record {
        exam: None,
        context,
        source: "replay:films",
        name,
        pictures: None,
        frame: Some(frame_hash(name.as_bytes())),
        decision,
        shown: Indication { state: decision.state, reason: Reason::Unsettled(1, 3) },
        agreeing: 1,
        needed: 3,
        latency_us: 1234,
    }
}

pub fn write<D: Disk>(log: &mut Log<D>, name: &str) -> Result<(), LogError> {
    log.write(&record(&context(), name, &decision(0.5)))
}

/// Small files, names as they are.
pub const SMALL: Options = Options { max_bytes: 2500, keep: 3, sync_every: 1, log_names: true };

/// A folder, and the path of the log in it.
pub fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("device.log");
    (folder, path)
}

/// All decisions in the log, in its order.
pub fn decisions(path: &Path) -> Vec<DecisionLine> {
    Reader::open(path).unwrap().filter_map(|entry| entry.unwrap().decision).collect()
}

pub fn events(path: &Path) -> Vec<serde_json::Value> {
    Reader::open(path).unwrap().filter_map(|entry| entry.unwrap().event).collect()
}

/// The names of all decisions in the log, in its order.
pub fn names(path: &Path) -> Vec<String> {
    decisions(path).into_iter().map(|decision| decision.name.unwrap()).collect()
}

#[track_caller]
pub fn assert_sound(path: &Path) -> Verified {
    let verified = verify(path, &[], None).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.breaks);
    verified
}

/// What is wrong in a log.
pub fn kinds(verified: &Verified) -> Vec<Kind> {
    verified.breaks.iter().map(|found| found.kind).collect()
}

/// The log's own files, the oldest first.
pub fn files(path: &Path) -> Vec<PathBuf> {
    let numbered = (1..100).rev().map(|n| PathBuf::from(format!("{}.{n}", path.display())));
    numbered.chain([path.to_owned()]).filter(|file| file.exists()).collect()
}

/// What happens to calls from the one of number `at` on.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Never,
    /// That many calls fail, a write after half of it was written.
    Fails {
        calls: usize,
    },
    /// That call and all after it fail: the end of the process, as the disk sees it.
    Ends,
    /// That write is reported as done and is not: a disk that lies.
    Lies,
}

/// A disk that counts its calls and fails where it is told to.
pub struct FaultyDisk {
    pub at: usize,
    pub fault: Fault,
    pub calls: usize,
    /// What was asked of it, in order.
    pub asked: Vec<&'static str>,
}

impl FaultyDisk {
    pub fn new(at: usize, fault: Fault) -> Self {
        Self { at, fault, calls: 0, asked: Vec::new() }
    }

    /// Counts a call; true where it fails.
    fn fails(&mut self, asked: &'static str) -> bool {
        self.asked.push(asked);
        let call = self.calls;
        self.calls += 1;
        match self.fault {
            Fault::Never | Fault::Lies => false,
            Fault::Fails { calls } => (self.at..self.at + calls).contains(&call),
            Fault::Ends => call >= self.at,
        }
    }

    fn guard(&mut self, asked: &'static str) -> io::Result<()> {
        if self.fails(asked) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

struct Real;
impl Disk for Real {}

impl Disk for FaultyDisk {
    fn open(&mut self, path: &Path) -> io::Result<File> {
        self.guard("open")?;
        Real.open(path)
    }

    fn create_new(&mut self, path: &Path) -> io::Result<File> {
        self.guard("create_new")?;
        Real.create_new(path)
    }

    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        let call = self.calls;
        if self.fails("write") {
            // Half a line first, as a disk that runs full; nothing at all where the process ended before.
            if call == self.at {
                file.write_all(&bytes[..bytes.len() / 2])?;
            }
            return Err(io::ErrorKind::StorageFull.into());
        }
        if matches!(self.fault, Fault::Lies) && call >= self.at {
            self.fault = Fault::Never;
            return Ok(bytes.len());
        }
        file.write(bytes)
    }

    fn sync(&mut self, _: &File) -> io::Result<()> {
        self.guard("sync") // the power stays on: nothing needs to wait for the real disk
    }

    fn truncate(&mut self, file: &File, len: u64) -> io::Result<()> {
        self.guard("truncate")?;
        Real.truncate(file, len)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.guard("rename")?;
        Real.rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.guard("remove")?;
        Real.remove(path)
    }

    fn sync_folder(&mut self, _: &Path) -> io::Result<()> {
        self.guard("sync_folder")
    }
}
