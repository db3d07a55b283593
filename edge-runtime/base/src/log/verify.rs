//! Is the log what the device wrote? Every line by itself, every line after the one before it, and
//! a beginning that is accounted for.
//!
//! What it cannot see: lines removed from the *end* of the newest file, unless somebody noted a
//! hash; and a log that was rewritten as a whole, because there is no secret in the chain.

use super::chain::{Hash, Link};
use super::files::{BROKEN, Files, TORN};
use super::line::{self, Checked, Flaw};
use super::read::{Lines, LogReadError};
use super::tail::after;
use serde::Serialize;
use std::collections::HashSet;
use std::path::Path;

/// Breaks that are named one by one; the rest is counted.
const NAMED: usize = 100;

#[derive(Clone, Debug, Default, Serialize)]
pub struct Verified {
    /// Lines, sound or not.
    pub lines: u64,
    /// Files, in the order in which they were written.
    pub files: Vec<String>,
    /// Place of the first line that holds.
    pub first: Option<Link>,
    /// Number of the last line that holds.
    pub last_seq: Option<u64>,
    /// Its hash: note it elsewhere, and a removed end can be found.
    pub last_hash: Option<Hash>,
    pub broken: u64,
    pub breaks: Vec<Break>,
    /// Files with lines that a power cut tore off: no break.
    pub torn_files: Vec<String>,
}

/// One place where the log is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Break {
    pub file: String,
    /// Number of the line in it, from 1; 0 where the whole file is meant.
    pub line: u64,
    pub kind: Kind,
    pub what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Malformed,
    /// The line's content does not give its hash.
    Changed,
    Missing,
    /// It stands in a wrong place, or twice.
    Order,
    /// It does not follow the line before it, which is another than was written.
    Replaced,
    Beginning,
    Torn,
    SetAside,
    /// A hash that was noted is not there.
    Expected,
}

impl Verified {
    pub fn is_sound(&self) -> bool {
        self.broken == 0
    }

    fn found(&mut self, lines: &Lines, kind: Kind, what: String) {
        self.add(Break { file: lines.file.clone(), line: lines.number, kind, what });
    }

    fn add(&mut self, found: Break) {
        self.broken += 1;
        if self.breaks.len() < NAMED {
            self.breaks.push(found);
        }
    }
}

struct Expected {
    /// None where no line before it could be read.
    seq: Option<u64>,
    /// Hashes of which its `prev` must be one; none where the line before could not be read.
    prev: Option<[Hash; 2]>,
}

impl Expected {
    /// Number of the line after this one.
    fn after(&self) -> Option<u64> {
        self.seq.map(|seq| seq.saturating_add(1))
    }
}

/// Checks the log at `path`, all of its files. Each hash of `noted` must be one of its lines', and
/// `last` the last line's.
pub fn verify(path: impl AsRef<Path>, noted: &[Hash], last: Option<Hash>) -> Result<Verified, LogReadError> {
    let path = path.as_ref();
    let mut verified = Verified::default();
    let mut noted: HashSet<Hash> = noted.iter().copied().collect();
    let mut expected: Option<Expected> = None;
    let mut allowed = HashSet::from([Link::FIRST]);
    let mut begins = HashSet::new();
    let mut must_begin = None;
    let mut lines = Lines::open(path)?;
    while lines.advance()? {
        verified.lines += 1;
        if lines.at_start() {
            verified.files.push(lines.file.clone());
        }
        if !lines.whole {
            let what = "the line is cut off; where it is the newest file's last, the device repairs that when it starts";
            verified.found(&lines, Kind::Torn, what.to_owned());
            expected = Some(Expected { seq: expected.and_then(|e| e.after()), prev: None });
            continue;
        }
        let checked = match line::check(&lines.bytes) {
            Ok(checked) => checked,
            Err(flaw) => {
                let seq = expected.and_then(|e| e.after());
                expected = Some(Expected { seq, prev: unsound(&mut verified, &lines, flaw) });
                continue;
            }
        };
        if let Some(file) = checked.set_aside.as_ref().filter(|_| lines.at_start()) {
            let what =
                format!("the device found its log damaged and set {file} aside; the log begins anew here");
            verified.found(&lines, Kind::SetAside, what);
        } else if let Some(expected) = &expected {
            follows(&mut verified, &lines, &checked, expected);
        }
        if verified.first.is_none() {
            verified.first = Some(checked.link);
            // A log whose first lines cannot be read has been told broken already.
            if checked.set_aside.is_some() {
                allowed.insert(checked.link);
            }
        }
        if lines.at_start() {
            begins.insert(checked.link);
        }
        if let Some(Some(link)) = checked.closes {
            allowed.insert(link);
            must_begin = Some(link);
        }
        noted.remove(&checked.hash);
        verified.last_seq = Some(checked.link.seq);
        verified.last_hash = Some(checked.hash);
        let next = after(&checked);
        expected = Some(Expected { seq: Some(next.seq), prev: Some([next.prev; 2]) });
    }
    let whole = |kind, what| Break { file: path.display().to_string(), line: 0, kind, what };
    if let Some(first) = verified.first.filter(|first| !allowed.contains(first)) {
        let what =
            format!("the log begins with line {}, and nothing says why: lines before are missing", first.seq);
        verified.add(whole(Kind::Beginning, what));
    } else if let Some(link) = must_begin.filter(|link| !begins.contains(link)) {
        let what = format!("the log should begin with line {} or before: a file is missing", link.seq);
        verified.add(whole(Kind::Beginning, what));
    }
    for hash in noted {
        verified.add(whole(
            Kind::Expected,
            format!("no line has the hash {hash}: lines were removed or changed"),
        ));
    }
    if last.is_some() && last != verified.last_hash {
        let got = verified.last_hash.map_or("none".to_owned(), |hash| hash.to_string());
        let what =
            format!("the last line's hash is {got}, not the one expected: lines were removed or added");
        verified.add(whole(Kind::Expected, what));
    }
    beside(&mut verified, path)?;
    Ok(verified)
}

/// A line that does not hold by itself; returns the hashes of which the next one may name one.
fn unsound(verified: &mut Verified, lines: &Lines, flaw: Flaw) -> Option<[Hash; 2]> {
    match flaw {
        Flaw::Malformed => {
            verified.found(lines, Kind::Malformed, "this is no line of a log".to_owned());
            None
        }
        Flaw::Changed { stated, computed } => {
            let what =
                format!("the line was changed: it states the hash {stated}, its content gives {computed}");
            verified.found(lines, Kind::Changed, what);
            Some([stated, computed])
        }
    }
}

/// Whether a line that holds by itself stands where it was written.
fn follows(verified: &mut Verified, lines: &Lines, checked: &Checked, expected: &Expected) {
    let seq = checked.link.seq;
    let due = expected.seq.unwrap_or(seq);
    if seq > due {
        let what = format!("lines are missing: {due} was expected, this is {seq}");
        verified.found(lines, Kind::Missing, what);
    } else if seq < due {
        let what = format!("line {due} was expected, this is {seq}: moved, or there twice");
        verified.found(lines, Kind::Order, what);
    } else if expected.prev.is_some_and(|hashes| !hashes.contains(&checked.link.prev)) {
        let what = format!("line {seq} was written after another line than the one before it now");
        verified.found(lines, Kind::Replaced, what);
    }
}

/// Files that the device put beside the log.
fn beside(verified: &mut Verified, path: &Path) -> Result<(), LogReadError> {
    let files = Files::new(path);
    let list = |kind| files.beside(kind).map_err(|source| LogReadError::at(path, source));
    for file in list(BROKEN)? {
        verified.add(Break {
            file: file.display().to_string(),
            line: 0,
            kind: Kind::SetAside,
            what: "set aside by the device because it was damaged; look at it, then move it away".to_owned(),
        });
    }
    verified.torn_files = list(TORN)?.iter().map(|file| file.display().to_string()).collect();
    Ok(())
}
