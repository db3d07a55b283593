//! Reads the device's status whenever it has changed, and says when it no longer holds.

use base::clock::monotonic_ms;
use status::{STATUS, Status};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often the file is looked at. A state is on a page this much later than in the file, and the
/// way to the browser.
pub const EVERY: Duration = Duration::from_millis(50);

/// What is known of the device at one moment.
#[derive(Clone, Debug)]
pub enum Seen {
    Status(Arc<Status>),
    /// The device does not answer; why, in an engineer's words.
    Lost(Arc<str>),
}

impl Seen {
    /// The same at `now_ms` of [`monotonic_ms`]: a status that no longer holds is lost, though nobody
    /// has told so yet.
    #[must_use]
    pub fn at(self, now_ms: u64) -> Self {
        match self {
            Seen::Status(status) if !status.holds(now_ms) => {
                Seen::Lost("the device's last status is too old".into())
            }
            seen => seen,
        }
    }

    /// The status, where it holds.
    pub fn status(&self) -> Option<&Status> {
        match self {
            Seen::Status(status) => Some(status),
            Seen::Lost(_) => None,
        }
    }
}

/// What tells one file from the one that replaced it.
type Mark = (u64, i64, i64, u64);

/// The file, and what was read of it last.
#[derive(Debug)]
pub struct Watcher {
    file: PathBuf,
    mark: Option<Mark>,
    read: Result<Arc<Status>, Arc<str>>,
    told: Option<bool>,
}

impl Watcher {
    /// Watches the status in `folder`.
    pub fn new(folder: &Path) -> Self {
        let read = Err("nothing was read yet".into());
        Self { file: folder.join(STATUS), mark: None, read, told: None }
    }

    /// Looks at the file: what is known, where that has changed since the last look. `clock` is
    /// [`monotonic_ms`], asked after reading, or what was just written would be from the future.
    pub fn look(&mut self, clock: impl FnOnce() -> u64) -> Option<Seen> {
        let mark = std::fs::symlink_metadata(&self.file)
            .map(|of| (of.ino(), of.mtime(), of.mtime_nsec(), of.size()))
            .ok();
        let mut changed = self.told.is_none();
        // What could not be read is tried again, as it may be read later.
        if mark != self.mark || self.read.is_err() {
            self.mark = mark;
            let read = status::read(&self.file).map(Arc::new).map_err(|error| error.to_string().into());
            changed |= read != self.read;
            self.read = read;
        }
        let now_ms = clock();
        let holds = self.read.as_ref().is_ok_and(|status| status.holds(now_ms));
        changed |= self.told != Some(holds);
        self.told = Some(holds);
        changed.then(|| match &self.read {
            Ok(status) => Seen::Status(Arc::clone(status)).at(now_ms),
            Err(why) => Seen::Lost(Arc::clone(why)),
        })
    }
}

/// Keeps `sender` at what is known, until nobody listens; `alive` is called with each look.
pub async fn watch(mut watcher: Watcher, sender: watch::Sender<Seen>, mut alive: impl FnMut(u64)) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !sender.is_closed() {
        ticks.tick().await;
        if let Some(seen) = watcher.look(monotonic_ms) {
            sender.send_replace(seen);
        }
        alive(monotonic_ms());
    }
}
