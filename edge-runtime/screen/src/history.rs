//! What the log says over days, and of today before the device's last start. A log of a gibibyte
//! takes a while to read, so one reading serves everybody who asks within [`KEPT`].

use crate::config::Offset;
use edge_runtime::log::{ExportError, LogReadError, Reader, Reference, Summary, export, summarise};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
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
}

impl History {
    pub fn new(log: PathBuf, offset: Offset) -> Self {
        Self { log, offset, read: Mutex::new(None), exports: Arc::new(Semaphore::new(1)) }
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
    pub fn table(&self) -> Option<mpsc::Receiver<io::Result<Vec<u8>>>> {
        let permit = Arc::clone(&self.exports).try_acquire_owned().ok()?;
        let (sender, receiver) = mpsc::channel(2);
        let log = self.log.clone();
        spawn_blocking(move || {
            let _permit = permit;
            let mut pieces = Pieces { sender: sender.clone(), piece: Vec::with_capacity(CHUNK) };
            let written = export(&log, &mut pieces).and_then(|_| pieces.flush().map_err(ExportError::Write));
            if let Err(error) = written {
                // Cuts the transfer short: a table that ends early must not look whole.
                let _ = sender.blocking_send(Err(io::Error::other(error.to_string())));
            }
        });
        Some(receiver)
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
    sender: mpsc::Sender<io::Result<Vec<u8>>>,
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
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        if piece.is_empty() { Ok(()) } else { self.sender.blocking_send(Ok(piece)).map_err(gone) }
    }
}
