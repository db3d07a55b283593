//! Why data cannot be used. Every message names what was expected, what is there and what to do.

use super::findings::{Groups, shown};
use std::fmt;
use std::path::PathBuf;

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// Below the data folder.
    pub name: String,
    pub reason: String,
}

/// All files that cannot be used, as one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllBad(pub Vec<Bad>);

/// Most files that one message names.
const MOST_NAMED: usize = 100;

impl fmt::Display for AllBad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for bad in self.0.iter().take(MOST_NAMED) {
            write!(f, "\n  {}: {}", shown(&bad.name), bad.reason)?;
        }
        match self.0.len().saturating_sub(MOST_NAMED) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error(
        "{path}: expected train/NORMAL and train/PNEUMONIA (or NORMAL and PNEUMONIA), or a MedMNIST .npz file; \
         found neither. {hint}"
    )]
    Layout { path: PathBuf, hint: String },
    /// Folders, or values of a label column, of which it is not known which class they are.
    #[error(
        "{path}: expected NORMAL and PNEUMONIA, found {found}; say which is which, and what is not named is left out and \
         counted: {line}"
    )]
    Classes { path: PathBuf, found: String, line: String },
    /// In lower case, as `--classes` gives it or as a class's own.
    #[error(
        "--classes: {name:?} stands for NORMAL and for PNEUMONIA; expected each name for one class: leave it out of the other, \
         and where it is the other class's own name, say what that class is called"
    )]
    BothClasses { name: String },
    #[error(
        "{path}: expected pictures of both classes, found {normal} NORMAL and {pneumonia} PNEUMONIA{left_out}; \
         add what is missing"
    )]
    Empty { path: PathBuf, normal: usize, pneumonia: usize, left_out: String },
    /// Pictures that cannot be read. Training data is not silently thinned out.
    #[error("{path}: {} files cannot be used; remove or replace them:{bad}", bad.0.len())]
    Pictures { path: PathBuf, bad: AllBad },
    #[error(
        "{path}: {} groups of identical pictures have both labels: {}. At most one label is right: correct them, or \
         add --allow-contradictions to learn from both",
        groups.count,
        groups.first(10)
    )]
    Contradictory { path: PathBuf, groups: Groups },
    #[error("{path}: {reason}")]
    Table { path: PathBuf, reason: String },
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: std::io::Error },
    /// The store of prepared pictures, not a picture, is the trouble; `needed` is in bytes.
    #[error(
        "prepared pictures in {path}: {error}; they may take {} MB on that disk: make room there, name a folder on \
         another one with --prepared, or keep them in memory with --in-memory",
        needed.div_ceil(1_000_000)
    )]
    Prepared { path: PathBuf, error: std::io::Error, needed: u64 },
    #[error("{path}: {reason}")]
    Npz { path: PathBuf, reason: String },
}
