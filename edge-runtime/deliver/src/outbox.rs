//! What one destination still has to get: the lines of the log behind its cursor, in order.
//!
//! A line counts as delivered when the destination has confirmed it; then the cursor moves. The cursor
//! on disk may be behind, never ahead: after a power cut lines come again, none is left out. A cursor
//! that cannot be written, such as on a full disk, stops nothing.

use crate::cursor_file::CursorStore;
use base::log::{Cursor, FollowedLine, Follower, LogReadError, Point, Step};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A cursor that moves often is written so often: so much may come again after a power cut.
const SAVE_EVERY: Duration = Duration::from_millis(500);

pub struct Outbox<S> {
    log: PathBuf,
    store: S,
    follower: Follower,
    delivered: Cursor,
    unsaved: bool,
    tried: Instant,
    trouble: Option<String>,
}

impl<S: CursorStore> Outbox<S> {
    /// Takes up where the cursor in `store` is.
    pub fn open(log: &Path, mut store: S) -> Self {
        let (delivered, trouble) = match store.load() {
            Ok(cursor) => (cursor, None),
            Err(error) => (Cursor::default(), Some(error.to_string())),
        };
        let follower = Follower::new(log, delivered.clone());
        let tried = Instant::now();
        Self { log: log.to_owned(), store, follower, delivered, unsaved: false, tried, trouble }
    }

    /// The next line that was not read since the last [`Outbox::rewind`]; none while there is none.
    pub fn next_line(&mut self) -> Result<Option<FollowedLine>, LogReadError> {
        self.follower.next_line()
    }

    /// A line was delivered, and all before it were.
    pub fn delivered(&mut self, step: Step) {
        self.delivered.advance(step);
        self.unsaved = true;
    }

    /// The last line that was delivered.
    pub fn last(&self) -> Option<Point> {
        self.delivered.last()
    }

    /// Lines that were passed over because they are damaged.
    pub fn passed(&self) -> u64 {
        self.follower.passed()
    }

    /// What was not delivered is read again.
    pub fn rewind(&mut self) {
        self.follower = Follower::new(&self.log, self.delivered.clone());
    }

    /// Writes the cursor where it has moved: at once where `now`, else at most twice a second.
    pub fn save(&mut self, now: bool) {
        if !self.unsaved || (!now && self.tried.elapsed() < SAVE_EVERY) {
            return;
        }
        self.tried = Instant::now();
        match self.store.save(&self.delivered) {
            Ok(()) => (self.unsaved, self.trouble) = (false, None),
            Err(error) => self.trouble = Some(error.to_string()),
        }
    }

    /// What is wrong with the cursor's file.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }
}
