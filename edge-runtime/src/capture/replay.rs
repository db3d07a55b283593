//! Frames from files, as fast as they are asked for: for tests, soaks and demonstrations.
//!
//! All pictures are decoded when the source is made and stay in memory, so that handing one out
//! allocates nothing and reads no disk.

use super::{CaptureError, CaptureOptions, Shot, Source, Stamper, cut, now_ms};
use edge_model::decode::{self, DecodeError, Picture};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, io};
use walkdir::WalkDir;

/// Most bytes of pixels that a replay may hold.
pub const MOST_BYTES: usize = 1 << 30;

/// Decoded files, in the order of their names.
#[derive(Debug)]
pub struct Replay {
    name: String,
    pictures: Vec<(String, Picture)>,
    at: usize,
    stamper: Stamper,
    options: CaptureOptions,
}

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("{}: cannot be read: {source}; check the path", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        source: io::Error,
    },
    #[error("{}: no picture in this folder; expected files ending in .{}", .0.display(), decode::ENDINGS.join(", ."))]
    Empty(PathBuf),
    #[error("{which}: {source}")]
    Picture { which: String, source: DecodeError },
    #[error("{}: a replay holds its pictures decoded in memory, at most {} MB; replay fewer or smaller files", .0.display(), MOST_BYTES >> 20)]
    TooLarge(PathBuf),
}

impl Replay {
    /// Decodes a file, or a folder's pictures with those in folders below it. An unreadable one is
    /// an error, because a replay that leaves some out tests something else.
    pub fn new(path: &Path, options: &CaptureOptions) -> Result<Self, ReplayError> {
        let mut pictures = Vec::new();
        let mut bytes = 0;
        for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
            let entry =
                entry.map_err(|error| ReplayError::Read { path: path.into(), source: plain(error) })?;
            let (file, named) = (entry.path(), entry.depth() == 0);
            if !entry.file_type().is_file() || !(named || decode::is_picture(file)) {
                continue;
            }
            let at = pictures.len();
            let picture = decode::open(file).map_err(|source| ReplayError::Picture {
                which: if named { path.display().to_string() } else { Nth(path.display(), at).to_string() },
                source,
            })?;
            bytes += picture.bytes().len();
            if bytes > MOST_BYTES {
                return Err(ReplayError::TooLarge(path.into()));
            }
            let relative = file.strip_prefix(path).ok().filter(|rest| !rest.as_os_str().is_empty());
            let name = relative.unwrap_or(Path::new(entry.file_name())).to_string_lossy().into_owned();
            pictures.push((name, picture));
        }
        if pictures.is_empty() {
            return Err(ReplayError::Empty(path.into()));
        }
        let name = format!("replay:{}", path.display());
        Ok(Self { name, pictures, at: 0, stamper: Stamper::default(), options: options.clone() })
    }

    pub fn pictures(&self) -> usize {
        self.pictures.len()
    }
}

/// A picture in errors, by its place from 0: a log or a journal keeps them, and file names may be
/// patients'.
struct Nth<D>(D, usize);

impl<D: fmt::Display> fmt::Display for Nth<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: picture {} in the order of names", self.0, self.1 + 1)
    }
}

/// What went wrong, without the name of what it went wrong with.
fn plain(error: walkdir::Error) -> io::Error {
    error.into_io_error().unwrap_or_else(|| io::Error::other("a link leads back to a folder above it"))
}

impl Source for Replay {
    fn next(&mut self, _wait: Duration) -> Result<Shot<'_>, CaptureError> {
        if self.at == self.pictures.len() && self.options.repeat {
            self.at = 0;
        }
        let (name, picture) = self.pictures.get(self.at).ok_or(CaptureError::End)?;
        self.at += 1;
        let taken_ms = now_ms();
        let stamp = self.stamper.stamp(taken_ms);
        let frame = cut(Nth(&self.name, self.at - 1), picture.frame(), self.options.crop)?;
        Ok(Shot { frame, stamp, taken_ms, name, exam: picture.exam() })
    }

    fn name(&self) -> &str {
        &self.name
    }
}
