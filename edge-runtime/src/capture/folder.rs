//! Frames from a watched folder, into which an X-ray console or a scanner puts its files.
//!
//! The folder is listed several times a second, which also works on network shares, where the
//! kernel's notifications do not. A file is taken when it has kept its size and time for a while
//! and decodes: one that is still being written does neither. Each is taken once, the oldest first;
//! one that is written anew under its old name is a new one.

use super::{CaptureError, CaptureOptions, Shot, Source, Stamper, cut, deadline, now_ms};
use edge_model::decode::{self, DecodeError, Picture};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub struct Folder {
    name: String,
    path: PathBuf,
    options: CaptureOptions,
    files: HashMap<OsString, Seen>,
    /// Whether the folder has been listed yet; what lies in it at that time is not new.
    listed: bool,
    listed_at: Option<Instant>,
    /// Why it could not be listed last time.
    lost: Option<String>,
    stamper: Stamper,
    current: Option<(String, Picture)>,
}

/// A file's size and time: what changes while it is written.
type Look = (u64, Option<SystemTime>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    look: Look,
    since: Instant,
    /// Taken, or given up.
    done: bool,
}

impl Folder {
    /// Watches `path`, which may come and go.
    pub fn new(path: &Path, options: &CaptureOptions) -> Self {
        Self {
            name: format!("folder:{}", path.display()),
            path: path.to_owned(),
            options: options.clone(),
            files: HashMap::new(),
            listed: false,
            listed_at: None,
            lost: None,
            stamper: Stamper::default(),
            current: None,
        }
    }

    fn list(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let mut files = HashMap::with_capacity(self.files.len());
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let path = entry.path();
            // Links are followed. A file that is gone again is none.
            let Some(data) = fs::metadata(&path).ok().filter(fs::Metadata::is_file) else { continue };
            if !decode::has_ending(&path) || name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let look = (data.len(), data.modified().ok());
            let done = !self.listed && !self.options.existing;
            let seen = match self.files.get(&name) {
                Some(seen) if seen.look == look => *seen,
                _ => Seen { look, since: now, done },
            };
            files.insert(name, seen);
        }
        // Only a listing that came to its end counts: else what it missed would be new next time.
        self.files = files;
        self.listed = true;
        Ok(())
    }

    /// Files that have been quiet for long enough, the oldest first.
    fn quiet(&self) -> Vec<(OsString, Duration)> {
        let quiet = Duration::from_millis(self.options.quiet_ms.into());
        let waiting = self.files.iter().filter(|(_, seen)| !seen.done);
        let waiting = waiting.map(|(name, seen)| (seen.look.1, name, seen.since.elapsed()));
        let mut ready: Vec<_> = waiting.filter(|(.., still)| *still >= quiet).collect();
        ready.sort_unstable();
        ready.into_iter().map(|(_, name, still)| (name.clone(), still)).collect()
    }

    /// Whether the folder was there when it was listed last.
    fn check(&self) -> Result<(), CaptureError> {
        self.lost.as_ref().map_or(Ok(()), |what| {
            Err(CaptureError::Lost { source_name: self.name.clone(), what: what.clone() })
        })
    }

    /// The next file that decodes; none where there is none yet.
    fn pick(&mut self) -> Result<Option<(String, Picture)>, CaptureError> {
        self.listed_at = Some(Instant::now());
        self.lost = self.list().err().map(|error| format!("the folder cannot be listed: {error}"));
        self.check()?;
        for (name, still) in self.quiet() {
            let path = self.path.join(&name);
            let shown = name.to_string_lossy().into_owned();
            let read = decode::open(&path);
            let gone =
                matches!(&read, Err(DecodeError::Read(error)) if error.kind() == io::ErrorKind::NotFound);
            let give_up = Duration::from_millis(self.options.give_up_ms.into());
            if gone || (read.is_err() && still < give_up) {
                continue;
            }
            if let Some(seen) = self.files.get_mut(&name) {
                seen.done = true;
            }
            let damaged = |error| CaptureError::Damaged(format!("{}: {error}", path.display()));
            return Ok(Some((shown, read.map_err(damaged)?)));
        }
        Ok(None)
    }
}

impl Source for Folder {
    fn next(&mut self, wait: Duration) -> Result<Shot<'_>, CaptureError> {
        let deadline = deadline(wait);
        self.current = None;
        let (name, picture) = loop {
            // Not more often than every `PAUSE`, however often we are asked, but at once after a file that
            // was taken.
            let due = self.listed_at.map_or(Instant::now(), |listed| listed + PAUSE);
            if due > deadline {
                thread::sleep(deadline.saturating_duration_since(Instant::now()));
                return self.check().and(Err(CaptureError::Nothing));
            }
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if let Some(picked) = self.pick()? {
                self.listed_at = None;
                break self.current.insert(picked);
            }
        };
        let taken_ms = now_ms();
        let stamp = self.stamper.stamp(taken_ms);
        let frame = cut(name, picture.frame(), self.options.crop)?;
        Ok(Shot { frame, stamp, taken_ms, name, exam: picture.exam() })
    }

    fn name(&self) -> &str {
        &self.name
    }
}
