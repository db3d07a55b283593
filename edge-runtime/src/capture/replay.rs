//! Frames from files, as fast as they are asked for: for tests, soaks and demonstrations.
//!
//! All pictures are decoded when the source is made and stay in memory, so that handing one out
//! allocates nothing and reads no disk.

use super::{CaptureError, CaptureOptions, Shot, Source, Stamper, cut, now_ms, passed};
use edge_model::decode::{self, DecodeError, Picture};
use std::path::{Path, PathBuf};
use std::time::Duration;
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
        source: walkdir::Error,
    },
    #[error("{}: no picture in this folder; expected files ending in .{}", .0.display(), decode::ENDINGS.join(", ."))]
    Empty(PathBuf),
    #[error("{}: {source}", path.display())]
    Picture { path: PathBuf, source: DecodeError },
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
            let entry = entry.map_err(|source| ReplayError::Read { path: path.into(), source })?;
            let (file, named) = (entry.path(), entry.depth() == 0);
            if !entry.file_type().is_file() || !(named || passed::why(entry.file_name()).is_none()) {
                continue;
            }
            let picture = decode::open(file);
            let picture = picture.map_err(|source| ReplayError::Picture { path: file.into(), source })?;
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

impl Source for Replay {
    fn next(&mut self, _wait: Duration) -> Result<Shot<'_>, CaptureError> {
        if self.at == self.pictures.len() && self.options.repeat {
            self.at = 0;
        }
        let (name, picture) = self.pictures.get(self.at).ok_or(CaptureError::End)?;
        self.at += 1;
        let taken_ms = now_ms();
        let stamp = self.stamper.stamp(taken_ms);
        let frame = cut(name, picture.frame(), self.options.crop)?;
        Ok(Shot { frame, stamp, taken_ms, name, exam: picture.exam() })
    }

    fn name(&self) -> &str {
        &self.name
    }
}
