//! What the log says over days, and of today before the device's last start. A log of a gibibyte
//! takes a while to read, so one reading serves everybody who asks within [`KEPT`].

use crate::config::Offset;
use base::log::{ExportError, LogReadError, Reader, Reference, Summary, export, summarise};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::spawn_blocking;

/// How long a reading is shown.
const KEPT: Duration = Duration::from_secs(30);

/// Scores that drift compares: the first of the log with the newest.
const SCORES: usize = 500;

/// Most answers of before the last start that a page lists; the oldest are left out.
const MOST_EARLIER: usize = 256;

/// Bytes of a table that are handed on together.
const CHUNK: usize = 16 << 10;

/// How long whoever asked for a table may take nothing of it: it holds one of two threads meanwhile.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);

/// One reading of the log.
#[derive(Debug)]
pub struct Days {
    pub summary: Summary,
    /// Answers on files of today, before the device's last start, the newest first.
    pub earlier: Vec<Earlier>,
}

/// An answer on a file or study; whose it was is not known any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// `09:05`, local.
    pub time: String,
    /// As the log names it.
    pub state: String,
    /// The name's hash, its first digits.
    pub short: String,
}

/// The log, read when somebody asks.
#[derive(Debug)]
pub struct History {
    log: PathBuf,
    offset: Offset,
    read: Mutex<Option<(Instant, Arc<Days>)>>,
    exports: Arc<Semaphore>,
    taken_within: Duration,
}

/// The log as a table, on its way.
#[derive(Debug)]
pub struct Table {
    pieces: mpsc::Receiver<Vec<u8>>,
    whole: Arc<AtomicBool>,
    ended: bool,
}

impl Table {
    /// The next piece; none after the last. An error once where there should be more: a table that
    /// ends early must not look whole.
    pub async fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        match self.pieces.recv().await {
            Some(piece) => Some(Ok(piece)),
            None if self.ended || self.whole.load(Ordering::Acquire) => None,
            None => {
                self.ended = true;
                Some(Err(io::ErrorKind::UnexpectedEof.into()))
            }
        }
    }
}

impl History {
    pub fn new(log: PathBuf, offset: Offset) -> Self {
        let exports = Arc::new(Semaphore::new(1));
        Self { log, offset, read: Mutex::new(None), exports, taken_within: TAKEN_WITHIN }
    }

    /// The days until `now_ms`, by the device's clock.
    ///
    /// # Errors
    /// There is no log, or it cannot be read.
    pub async fn days(&self, now_ms: u64) -> Result<Arc<Days>, LogReadError> {
        let mut read = self.read.lock().await;
        if let Some((at, days)) = &*read
            && at.elapsed() < KEPT
        {
            return Ok(Arc::clone(days));
        }
        let (log, offset) = (self.log.clone(), self.offset);
        let failed = |error: tokio::task::JoinError| LogReadError {
            path: self.log.clone(),
            source: io::Error::other(error.to_string()),
        };
        let days = Arc::new(spawn_blocking(move || days(&log, offset, now_ms)).await.map_err(failed)??);
        *read = Some((Instant::now(), Arc::clone(&days)));
        Ok(days)
    }

    /// The log as a table, in pieces; none while somebody else has one made.
    pub fn table(&self) -> Option<Table> {
        let permit = Arc::clone(&self.exports).try_acquire_owned().ok()?;
        let (sender, pieces) = mpsc::channel(2);
        let whole = Arc::new(AtomicBool::new(false));
        let (log, within, is_whole) = (self.log.clone(), self.taken_within, Arc::clone(&whole));
        spawn_blocking(move || {
            let _permit = permit;
            let runtime = Handle::current();
            let piece = Vec::with_capacity(CHUNK);
            let mut pieces = Pieces { sender: Some(sender), runtime, within, piece };
            match export(&log, &mut pieces).and_then(|_| pieces.flush().map_err(ExportError::Write)) {
                Ok(()) => is_whole.store(true, Ordering::Release),
                Err(error) => eprintln!("the log as a table: {error}"),
            }
        });
        Some(Table { pieces, whole, ended: false })
    }

    /// Bytes of the log's disk: free, and in all.
    pub fn disk(&self) -> io::Result<(u64, u64)> {
        let folder = self.log.parent().filter(|folder| !folder.as_os_str().is_empty());
        let disk = rustix::fs::statvfs(folder.unwrap_or(Path::new(".")))?;
        Ok((disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize)))
    }
}

fn days(log: &Path, offset: Offset, now_ms: u64) -> Result<Days, LogReadError> {
    let summary = summarise(log, Reference::First(SCORES), SCORES)?;
    let today = offset.local(now_ms).map(|(day, _)| day);
    let (mut since, mut before): (Vec<Earlier>, Vec<Earlier>) = (Vec::new(), Vec::new());
    for entry in Reader::open(log)? {
        let entry = entry?;
        if entry.event.as_ref().is_some_and(|event| event["what"] == "started") {
            before.append(&mut since);
        }
        let local = entry.time.parse::<jiff::Timestamp>().ok();
        let local = local.and_then(|time| u64::try_from(time.as_millisecond()).ok());
        let local = local.and_then(|ms| offset.local(ms)).filter(|(day, _)| today.as_ref() == Some(day));
        let (Some((_, time)), Some(decision)) = (local, entry.decision) else { continue };
        let Some(name) = decision.name_hash() else { continue };
        let short: String = name.to_string().chars().take(8).collect();
        // Not the last of each name alone: several patients' files may have the same one.
        since.push(Earlier { time, state: decision.state, short });
        since.drain(..since.len().saturating_sub(MOST_EARLIER));
    }
    before.drain(..before.len().saturating_sub(MOST_EARLIER));
    before.reverse();
    Ok(Days { summary, earlier: before })
}

/// Sends what is written to it.
struct Pieces {
    /// None once a piece was not taken: what comes behind it must not be.
    sender: Option<mpsc::Sender<Vec<u8>>>,
    runtime: Handle,
    within: Duration,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(CHUNK));
        if piece.is_empty() {
            return Ok(());
        }
        let Some(sender) = self.sender.take() else { return Err(io::ErrorKind::BrokenPipe.into()) };
        match self.runtime.block_on(sender.send_timeout(piece, self.within)) {
            Ok(()) => self.sender = Some(sender),
            Err(SendTimeoutError::Timeout(_)) => return Err(io::ErrorKind::TimedOut.into()),
            Err(SendTimeoutError::Closed(_)) => return Err(io::ErrorKind::BrokenPipe.into()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::log::{Event, Log, Options};

    /// A log whose table has more pieces than are on their way at once.
    fn long() -> (tempfile::TempDir, History) {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log.jsonl");
        let options = Options { sync_every: 10_000, ..Options::default() };
        let mut writer = Log::open(&log, options).unwrap();
        let why = "w".repeat(500);
        (0..400).for_each(|_| writer.event(&Event::Stopped { why: &why }).unwrap());
        let mut history = History::new(log, Offset::default());
        history.taken_within = Duration::from_millis(50);
        (folder, history)
    }

    #[tokio::test]
    async fn whoever_takes_nothing_of_a_table_gets_a_part_that_does_not_look_whole_and_holds_up_nobody() {
        let (_folder, history) = long();
        let mut stalled = history.table().unwrap();
        assert!(history.table().is_none(), "one at a time");
        let mut next = None;
        while next.is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
            next = history.table();
        }
        let mut whole = Vec::new();
        let mut next = next.unwrap();
        while let Some(piece) = next.next().await {
            whole.extend(piece.unwrap());
        }
        assert!(whole.ends_with(b"\n") && whole.len() > 4 * CHUNK, "{}", whole.len());
        let mut part = Vec::new();
        let ended = loop {
            match stalled.next().await {
                Some(Ok(piece)) => part.extend(piece),
                other => break other,
            }
        };
        assert!(matches!(ended, Some(Err(_))), "{ended:?}");
        assert!(part.len() < whole.len() && whole.starts_with(&part), "{}", part.len());
        assert!(stalled.next().await.is_none());
    }
}
