//! From the paths on the command line to the pictures they stand for.

use crate::decode::{self, DecodeError, Picture};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// Where a picture is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file of any name; whether it is there shows when it is read.
    File(PathBuf),
    /// Standard input, `-` on the command line.
    Stdin,
}

impl Source {
    /// Reads and decodes it; [`Source::Stdin`] to its end.
    pub fn read(&self) -> Result<Picture, DecodeError> {
        match self {
            Source::File(path) => decode::open(path),
            Source::Stdin => decode::read(io::stdin().lock()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => path.display().fmt(f),
            Source::Stdin => f.write_str("-"),
        }
    }
}

/// A path that stands for no picture.
#[derive(Debug)]
pub struct Unusable {
    /// The path, or what below it is the trouble.
    pub path: String,
    /// What is wrong, and what was expected.
    pub why: String,
}

/// All pictures that `paths` stand for, in that order, folders sorted by name.
pub fn expand(paths: &[PathBuf]) -> Vec<Result<Source, Unusable>> {
    paths.iter().flat_map(|path| expand_one(path)).collect()
}

fn expand_one(path: &Path) -> Vec<Result<Source, Unusable>> {
    if path.as_os_str() == "-" {
        return vec![Ok(Source::Stdin)];
    }
    if !path.is_dir() {
        return vec![Ok(Source::File(path.to_owned()))]; // what is missing is reported when it is read
    }
    let entries = WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter();
    let found: Vec<_> = entries
        .filter_map(|entry| match entry {
            Ok(entry) => is_picture(&entry).then(|| Ok(Source::File(entry.into_path()))),
            Err(error) => Some(Err(unusable(path, &error))),
        })
        .collect();
    if found.is_empty() {
        let endings = decode::ENDINGS.join(", .");
        let why = format!("no picture in this folder; expected files ending in .{endings}");
        return vec![Err(Unusable { path: path.display().to_string(), why })];
    }
    found
}

fn is_picture(entry: &DirEntry) -> bool {
    entry.file_type().is_file() && decode::is_picture(entry.path())
}

fn unusable(folder: &Path, error: &walkdir::Error) -> Unusable {
    let path = error.path().unwrap_or(folder).display().to_string();
    let why = match (error.loop_ancestor(), error.io_error()) {
        (Some(ancestor), _) => {
            format!("this link leads back to {} above it; not followed", ancestor.display())
        }
        (None, Some(error)) => format!("cannot be read: {error}"),
        (None, None) => "cannot be read".to_owned(),
    };
    Unusable { path, why }
}
