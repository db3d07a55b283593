//! Reads a log back, all of its files from the oldest line to the newest.

use super::chain::Hash;
use super::files::Files;
use super::line;
use super::record::ExamRecord;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use told::prevalence::PriorShift;

#[derive(Debug, thiserror::Error)]
#[error("cannot read the log {}: {source}; give the path under which the device writes it", path.display())]
pub struct LogReadError {
    pub path: PathBuf,
    pub source: io::Error,
}

impl LogReadError {
    pub(super) fn at(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_owned(), source }
    }
}

pub(super) struct Lines {
    files: Files,
    /// Numbers of the files that remain, the oldest last.
    remaining: Vec<u32>,
    reader: Option<BufReader<File>>,
    /// Name of the file that the last line came from.
    pub file: String,
    /// Number of the last line in its file, from 1.
    pub number: u64,
    /// The last line, without its newline.
    pub bytes: Vec<u8>,
    /// Whether it ended with a newline.
    pub whole: bool,
}

impl Lines {
    pub fn open(path: &Path) -> Result<Self, LogReadError> {
        let files = Files::new(path);
        let remaining = files.list().map_err(|source| LogReadError::at(path, source))?;
        if remaining.is_empty() {
            return Err(LogReadError::at(path, io::ErrorKind::NotFound.into()));
        }
        let (file, bytes) = (String::new(), Vec::new());
        Ok(Self { files, remaining, reader: None, file, number: 0, bytes, whole: true })
    }

    /// Goes to the next line; false at the end.
    pub fn advance(&mut self) -> Result<bool, LogReadError> {
        loop {
            if let Some(reader) = &mut self.reader {
                self.bytes.clear();
                let read = reader.read_until(b'\n', &mut self.bytes);
                if read.map_err(|source| LogReadError { path: (&self.file).into(), source })? > 0 {
                    self.number += 1;
                    self.whole = self.bytes.pop_if(|byte| *byte == b'\n').is_some();
                    return Ok(true);
                }
            }
            let Some(number) = self.remaining.pop() else { return Ok(false) };
            let path = self.files.number(number);
            let file = File::open(&path).map_err(|source| LogReadError::at(&path, source))?;
            self.reader = Some(BufReader::new(file));
            self.file = path.display().to_string();
            self.number = 0;
        }
    }

    /// Whether the last line is the first of its file.
    pub fn at_start(&self) -> bool {
        self.number == 1
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    pub seq: u64,
    /// The device's time, UTC, RFC 3339 with milliseconds.
    pub time: String,
    pub uptime_ms: u64,
    pub boot_id: String,
    pub decision: Option<DecisionLine>,
    /// Or an event: an object whose `what` names it.
    pub event: Option<serde_json::Value>,
    pub hash: Hash,
}

/// A decision, read back: the fields of [`super::Record`], [`super::Context`] and
/// [`edge_core::Decision`].
#[derive(Clone, Debug, Deserialize)]
pub struct DecisionLine {
    pub source: String,
    pub name: Option<String>,
    pub name_sha256: Option<Hash>,
    /// Absent where the file said nothing, or it was not to be written.
    pub exam: Option<ExamRecord>,
    /// Pictures of the study so far; none for a camera's frame.
    pub pictures: Option<u16>,
    pub frame_sha256: Option<Hash>,
    pub preprocessing: String,
    pub model_sha256: String,
    pub model_version: String,
    pub engine: String,
    pub site_sha256: Option<String>,
    /// Absent in logs that are older than the setting.
    pub prior: Option<PriorShift>,
    pub negative_below: f32,
    pub positive_above: f32,
    /// The limit of what is familiar where a site had widened it; none where the model's held.
    pub familiar_widened_to: Option<i32>,
    pub logit: Option<f32>,
    pub score: Option<f32>,
    pub state: String,
    pub reason: ReasonLine,
    pub shown_state: String,
    pub shown_reason: ReasonLine,
    pub agreeing: u8,
    pub needed: u8,
    pub latency_us: u64,
}

impl DecisionLine {
    /// The hash of the picture's name, however the name is logged; none for a camera's frame.
    pub fn name_hash(&self) -> Option<Hash> {
        self.name_sha256.or(self.name.as_ref().map(|name| Hash::of(name.as_bytes())))
    }

    /// The model's own score, whatever prevalence the site had set: what other scores of this model are
    /// compared with.
    pub fn own_score(&self) -> Option<f32> {
        let own = |score| self.prior.map_or(score, |prior| prior.own_score(score));
        self.score.map(own)
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ReasonLine {
    /// [`edge_core::Reason::code`].
    pub code: u8,
    pub text: String,
    /// What was measured, and its limit.
    pub numbers: Option<[i64; 2]>,
}

/// The lines that hold by themselves, oldest first; [`super::verify()`] tells whether they are all.
pub struct Reader {
    lines: Lines,
    damaged: u64,
}

impl Reader {
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogReadError> {
        Ok(Self { lines: Lines::open(path.as_ref())?, damaged: 0 })
    }

    /// Lines left out so far because they do not hold by themselves.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }
}

impl Iterator for Reader {
    type Item = Result<Entry, LogReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.lines.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.lines.remaining.clear();
                    self.lines.reader = None;
                    return Some(Err(error));
                }
            }
            let holds = self.lines.whole && line::check(&self.lines.bytes).is_ok();
            match holds.then(|| serde_json::from_slice(&self.lines.bytes)) {
                Some(Ok(entry)) => return Some(Ok(entry)),
                _ => self.damaged += 1,
            }
        }
    }
}
