//! The log of a device: one JSON line a decision, each chained to the one before, on disk before
//! the next.
//!
//! What it is held to:
//!
//! 1. A power cut loses at most the line being written: a line is one write, then `fdatasync`.
//! 2. It repairs itself. What was torn is moved out of the log and never deleted; the next line
//!    says so.
//! 3. It never stops for good. While the disk is full, read-only or gone each write fails and the
//!    next one tries again from the beginning; the first line that succeeds says how many did not.
//! 4. It is bounded: a file that has reached its size is closed by a line that says where the log
//!    begins from then on, so that deleting the oldest file is no gap for [`verify`].
//! 5. Writing a line allocates nothing once the first one was written, but for rotations and
//!    repairs.
//!
//! The order of lines is that of `seq`. `time` is the device's clock, right or wrong; `uptime_ms`
//! counts from the boot that `boot_id` names.

mod chain;
mod drift;
mod export;
mod files;
mod follow;
mod last;
mod line;
mod read;
mod record;
mod summary;
mod tail;
mod verify;

pub use crate::disk::{Disk, SystemDisk};
pub use chain::{Hash, Link};
pub use drift::{Bin, Drift, drift};
pub use export::{ExportError, export};
pub use follow::{Cursor, FollowedLine, Follower, Gap, Point, Step, newest};
pub use last::last_decision;
pub use line::MAX as MAX_LINE;
pub use read::{DecisionLine, Entry, LogReadError, Reader, ReasonLine};
pub use record::{By, Context, Event, ExamRecord, MAX_TEXT, ModelChange, Record, frame_hash};
pub use summary::{Day, Reference, Summary, summarise};
pub use verify::{Break, Kind, Verified, verify};

use crate::disk;
use files::{BROKEN, Files, Rotation, TORN};
use line::Body;
use std::collections::VecDeque;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use tail::Tail;

/// How long to wait for a lock before another program is believed to hold it.
const LOCK_WAIT: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Size in bytes from which on a file is closed; it may end one line longer.
    pub max_bytes: u64,
    /// Closed files that are kept beside the one being written; 0 counts as 1.
    pub keep: u32,
    /// Decisions until the disk is asked to have them; 0 counts as 1. Above 1 a power cut may lose
    /// that many. Events never wait.
    pub sync_every: u32,
    /// Whether pictures' names, studies and accession numbers are logged as they are, not as their
    /// hash.
    pub log_names: bool,
}

impl Default for Options {
    /// About 1 GiB in all: six days at two decisions a second, of which each takes a kilobyte.
    fn default() -> Self {
        Self { max_bytes: 16 << 20, keep: 63, sync_every: 1, log_names: false }
    }
}

#[derive(Debug)]
pub struct Log<D: Disk = SystemDisk> {
    files: Files,
    options: Options,
    disk: D,
    boot_id: String,
    /// The line being made; kept for its memory.
    line: Vec<u8>,
    open: Option<Open>,
    /// What happened to the log and is to be told in it.
    notices: VecDeque<Notice>,
    /// Lines that were not written since the last that was, and the last error.
    lost: u64,
    why: String,
    /// The line whose writing failed last: it may be on disk all the same.
    doubtful: Option<(Hash, Line)>,
}

#[derive(Debug)]
struct Open {
    file: File,
    _lock: File,
    /// Bytes up to the last whole line.
    len: u64,
    next: Link,
    unsynced: u32,
}

/// What a line was to tell.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// What the device asked for.
    Asked,
    Notice,
    /// That so many lines were lost.
    Lost(u64),
    Closed,
}

#[derive(Debug)]
enum Notice {
    Recovered { file: String, bytes: u64 },
    SetAside { file: String, why: &'static str },
}

impl Log {
    /// Opens the log at `path`, makes it where there is none, and repairs it where a line was cut
    /// off.
    ///
    /// # Errors
    /// [`LogError`]: the disk is full, read-only or gone, or another device writes this log. To go on without a log use
    /// [`Log::new`], which opens at the first write, and again at each after an error.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, LogError> {
        let mut log = Self::new(path, options);
        log.ready()?;
        Ok(log)
    }

    /// The log at `path`, not opened yet.
    pub fn new(path: impl AsRef<Path>, options: Options) -> Self {
        Self::with_disk(path, options, SystemDisk)
    }
}

impl<D: Disk> Log<D> {
    /// The same over another disk, for tests.
    pub fn with_disk(path: impl AsRef<Path>, options: Options, disk: D) -> Self {
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self {
            files: Files::new(path.as_ref()),
            options,
            disk,
            boot_id: boot_id.trim().to_owned(),
            line: Vec::with_capacity(4096),
            open: None,
            notices: VecDeque::new(),
            lost: 0,
            why: String::new(),
            doubtful: None,
        }
    }

    /// Writes a decision. When it returns without error, and [`Options::sync_every`] is 1, a power
    /// cut cannot take it. [`LogError`]: the decision is not in the log and counts as lost. The
    /// next call tries again from the beginning.
    pub fn write(&mut self, record: &Record) -> Result<(), LogError> {
        self.append(Body::Decision(record))
    }

    pub fn event(&mut self, event: &Event) -> Result<(), LogError> {
        self.append(Body::Event(event))
    }

    /// Opens the log where it is not, and writes what is to be told about it: succeeds exactly when
    /// the next write has a chance. Nothing counts as lost where it fails.
    pub fn ready(&mut self) -> Result<(), LogError> {
        if self.open.is_none() {
            let open = self.reopen()?;
            match self.doubtful.take().filter(|(hash, _)| *hash == open.next.prev) {
                Some((_, Line::Asked)) => self.lost = self.lost.saturating_sub(1),
                Some((_, Line::Lost(told))) => self.lost = self.lost.saturating_sub(told),
                Some((_, Line::Notice)) => drop(self.notices.pop_front()),
                Some((_, Line::Closed)) | None => {}
            }
            self.open = Some(open);
        }
        while let Some(notice) = self.notices.pop_front() {
            let told = self.put(Line::Notice, Body::Event(&notice.event()));
            if told.is_err() {
                self.notices.push_front(notice);
                return told;
            }
        }
        if self.lost > 0 {
            let why = std::mem::take(&mut self.why);
            let event = Event::NotLogged { lines: self.lost, why: &why };
            let told = self.put(Line::Lost(self.lost), Body::Event(&event));
            self.why = why;
            told?;
            self.lost = 0;
        }
        Ok(())
    }

    /// A text that may tell who a patient is, as this log holds it: as it is, or its hash.
    pub fn shown_or_hashed<'t>(&self, text: &'t str) -> (Option<&'t str>, Option<Hash>) {
        record::shown_or_hashed(Some(text), self.options.log_names)
    }

    /// Decisions and events that were refused since the last that was written.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Number of lines and hash of the last one; none while the log is not open. Noted elsewhere,
    /// it proves a removed tail.
    pub fn last(&self) -> Option<(u64, Hash)> {
        self.open.as_ref().map(|open| (open.next.seq, open.next.prev))
    }

    /// The disk, for tests.
    pub fn disk(&mut self) -> &mut D {
        &mut self.disk
    }

    fn append(&mut self, body: Body) -> Result<(), LogError> {
        let written = self.try_append(body);
        if let Err(error) = &written {
            self.lost = self.lost.saturating_add(1);
            self.why = error.to_string();
        }
        written
    }

    fn try_append(&mut self, body: Body) -> Result<(), LogError> {
        self.ready()?;
        if self.open.as_ref().is_some_and(|open| open.len >= self.options.max_bytes && open.len > 0) {
            self.close_file()?;
            self.ready()?;
        }
        self.put(Line::Asked, body)
    }

    /// Closes the file being written: opening the log moves a file that ends so aside.
    fn close_file(&mut self) -> Result<(), LogError> {
        let numbers = self.files.list().map_err(|source| self.failed("list the files of", 0, source))?;
        let begins = Rotation::plan(&numbers, self.keep()).begins(&self.files);
        self.put(Line::Closed, Body::Event(&Event::Closed { begins }))?;
        self.open = None;
        Ok(())
    }

    fn keep(&self) -> u32 {
        self.options.keep.max(1)
    }

    fn put(&mut self, line: Line, body: Body) -> Result<(), LogError> {
        let Some(open) = &mut self.open else {
            return Err(self.failed("write", 0, io::ErrorKind::NotConnected.into()));
        };
        let hash = line::write(&mut self.line, open.next, &self.boot_id, body, self.options.log_names)
            .map_err(|error| LogError { what: "write", path: self.files.number(0), source: error.into() })?;
        let due = matches!(body, Body::Event(_)) || open.unsynced + 1 >= self.options.sync_every;
        let written = disk::write_all(&mut self.disk, &mut open.file, &self.line)
            .and_then(|()| if due { self.disk.sync(&open.file) } else { Ok(()) });
        if let Err(source) = written {
            // Part of the line may be on disk. Where it cannot be cut off now, it is found when the log is
            // opened again.
            let _ = self.disk.truncate(&open.file, open.len);
            self.open = None;
            self.doubtful = Some((hash, line));
            return Err(self.failed("write", 0, source));
        }
        open.len += self.line.len() as u64;
        open.next = Link { seq: open.next.seq.saturating_add(1), prev: hash };
        open.unsynced = if due { 0 } else { open.unsynced + 1 };
        Ok(())
    }

    /// Takes the lock, repairs what must be, and finds the place of the next line.
    fn reopen(&mut self) -> Result<Open, LogError> {
        let lock_path = self.files.lock();
        let lock = self.disk.open(&lock_path).map_err(|source| LogError::at("open", &lock_path, source))?;
        // A child of this process that has not yet become its own program holds our old lock for a moment.
        let deadline = Instant::now() + LOCK_WAIT;
        let mut locked = lock.try_lock();
        while matches!(locked, Err(TryLockError::WouldBlock)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
            locked = lock.try_lock();
        }
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let source = io::Error::new(io::ErrorKind::ResourceBusy, "another program writes this log");
                return Err(self.failed("open", 0, source));
            }
            Err(TryLockError::Error(source)) => return Err(LogError::at("lock", &lock_path, source)),
        }
        let mut known = None;
        let next = loop {
            let numbers = self.files.list().map_err(|source| self.failed("list the files of", 0, source))?;
            // An empty file has only just been made: the chain ends in the one before it.
            let Some(number) = self.newest(&numbers)? else { break Link::FIRST };
            let path = self.files.number(number);
            match tail::read(&path).map_err(|source| LogError::at("read", &path, source))? {
                Tail::Empty => break Link::FIRST,
                Tail::Whole(line) if number == 0 && line.closes.is_some() => {
                    let rotated = Rotation::plan(&numbers, self.keep()).apply(&self.files, &mut self.disk);
                    rotated.map_err(|source| self.failed("rotate", 0, source))?;
                }
                Tail::Whole(line) => break tail::after(&line),
                Tail::Torn { from } if number == 0 => {
                    self.cut(from).map_err(|source| self.failed("repair", 0, source))?;
                }
                Tail::Torn { .. } => {
                    known = known.or(self.set_aside(&path, "a closed file ends with half a line", None)?);
                }
                Tail::Broken { why, next } => known = known.or(self.set_aside(&path, why, next)?),
            }
        };
        let path = self.files.number(0);
        let mut opened = || -> io::Result<(File, u64)> {
            let made = files::size(&path)?.is_none();
            let file = self.disk.open(&path)?;
            if made {
                self.disk.sync_folder(self.files.folder())?;
            }
            let len = file.metadata()?.len();
            Ok((file, len))
        };
        let (file, len) = opened().map_err(|source| LogError::at("open", &path, source))?;
        Ok(Open { file, _lock: lock, len, next: known.unwrap_or(next), unsynced: 0 })
    }

    /// The newest file with a line in it.
    fn newest(&self, numbers: &[u32]) -> Result<Option<u32>, LogError> {
        for &number in numbers {
            let path = self.files.number(number);
            let size = files::size(&path).map_err(|source| LogError::at("read", &path, source))?;
            if number > 0 || size.unwrap_or(0) > 0 {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// Moves all from byte `from` on out of the newest file, into one of its own: first there, then
    /// gone here.
    fn cut(&mut self, from: u64) -> io::Result<()> {
        let mut file = self.disk.open(&self.files.number(0))?;
        file.seek(SeekFrom::Start(from))?;
        let mut torn = Vec::new();
        Read::by_ref(&mut file).take(line::MAX as u64).read_to_end(&mut torn)?;
        let aside = self.files.free(TORN)?;
        let mut copy = self.disk.create_new(&aside)?;
        disk::write_all(&mut self.disk, &mut copy, &torn)?;
        self.disk.sync(&copy)?;
        self.disk.sync_folder(self.files.folder())?;
        self.disk.truncate(&file, from)?;
        self.disk.sync(&file)?;
        self.notices.push_back(Notice::Recovered { file: file_name(&aside), bytes: torn.len() as u64 });
        Ok(())
    }

    /// Renames a file that cannot be gone on with; `next` is handed through.
    fn set_aside(
        &mut self,
        path: &Path,
        why: &'static str,
        next: Option<Link>,
    ) -> Result<Option<Link>, LogError> {
        let mut moved = || -> io::Result<PathBuf> {
            let aside = self.files.free(BROKEN)?;
            self.disk.rename(path, &aside)?;
            self.disk.sync_folder(self.files.folder())?;
            Ok(aside)
        };
        let aside = moved().map_err(|source| LogError::at("set aside", path, source))?;
        self.notices.push_back(Notice::SetAside { file: file_name(&aside), why });
        Ok(next)
    }

    fn failed(&self, what: &'static str, number: u32, source: io::Error) -> LogError {
        LogError::at(what, &self.files.number(number), source)
    }
}

impl<D: Disk> Drop for Log<D> {
    fn drop(&mut self) {
        if let Some(open) = self.open.as_ref().filter(|open| open.unsynced > 0) {
            // Nobody is left to be told; the lines are with the system, which writes them unless the power
            // fails.
            let _ = self.disk.sync(&open.file);
        }
    }
}

impl Notice {
    fn event(&self) -> Event<'_> {
        match self {
            Notice::Recovered { file, bytes } => Event::Recovered { file, bytes: *bytes },
            Notice::SetAside { file, why } => Event::SetAside { file, why },
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[derive(Debug, thiserror::Error)]
#[error(
    "cannot {what} the log {}: {source}; check that its folder exists, is writable and has room",
    path.display()
)]
pub struct LogError {
    /// What was tried: `write`, `open`, `rotate`, `repair`.
    pub what: &'static str,
    pub path: PathBuf,
    pub source: io::Error,
}

impl LogError {
    fn at(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self { what, path: path.to_owned(), source }
    }
}
