//! What loop and thread have to tell each other. The loop never waits for it.

use super::snapshot::Snapshot;
use edge_core::worklist::CaseId;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

/// Most acknowledgements that wait for the loop; those that come meanwhile are lost.
pub const MOST_TAPS: usize = 2 * status::MOST_ACKNOWLEDGEMENTS;

#[derive(Debug, Default)]
pub struct Content {
    /// The newest that the loop has said: one that was not written in time is replaced.
    pub snapshot: Snapshot,
    /// Whether it has not been written yet, and whether it differs from the one before.
    pub fresh: bool,
    pub urgent: bool,
    /// For the loop.
    pub taps: Vec<(CaseId, u16)>,
    pub problems: Vec<String>,
    pub end: bool,
}

#[derive(Debug, Default)]
pub struct Slot {
    content: Mutex<Content>,
    changed: Condvar,
}

impl Slot {
    /// For the loop: the content, where the other end does not hold it in this moment.
    pub fn free(&self) -> Option<MutexGuard<'_, Content>> {
        match self.content.try_lock() {
            Ok(content) => Some(content),
            Err(TryLockError::Poisoned(content)) => Some(content.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// There is something to be written at once.
    pub fn notify(&self) {
        self.changed.notify_one();
    }

    /// The thread is to end; false where that was said before.
    pub fn end(&self) -> bool {
        let before = std::mem::replace(&mut self.content().end, true);
        self.notify();
        !before
    }

    /// A panic while it was held leaves nothing half written that would matter.
    pub fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the thread: the content as soon as something is urgent, or after `most`.
    pub fn wait(&self, most: Duration) -> MutexGuard<'_, Content> {
        let idle = |content: &mut Content| !content.urgent && !content.end;
        match self.changed.wait_timeout_while(self.content(), most, idle) {
            Ok((content, _)) => content,
            Err(poisoned) => poisoned.into_inner().0,
        }
    }
}
