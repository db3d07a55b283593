//! Who is connected, and who must go when there are too many.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Most connections at one time, over all doors. A browser opens up to six.
pub const MOST: usize = 32;

/// The open connections.
#[derive(Debug, Default)]
pub struct Connections {
    seats: Mutex<Seats>,
}

#[derive(Debug, Default)]
struct Seats {
    next: u64,
    /// The one that has been silent longest first.
    open: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    /// Receives events for as long as it is open, and asks nothing more.
    streams: bool,
    close: Arc<Notify>,
}

/// One connection's place, which is free again when this is dropped.
#[derive(Debug)]
pub struct Seat {
    id: u64,
    close: Arc<Notify>,
    all: Arc<Connections>,
}

impl Connections {
    fn seats(&self) -> MutexGuard<'_, Seats> {
        // A seat is pushed or removed whole.
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more. Where all are taken, the connection that has been silent longest is
    /// closed, one that receives events only where there is no other.
    pub fn enter(self: &Arc<Self>) -> Seat {
        let mut seats = self.seats();
        if seats.open.len() >= MOST {
            let oldest = seats.open.iter().position(|entry| !entry.streams).unwrap_or(0);
            seats.open.remove(oldest).close.notify_one();
        }
        let id = seats.next;
        seats.next += 1;
        let close = Arc::new(Notify::new());
        seats.open.push(Entry { id, streams: false, close: Arc::clone(&close) });
        Seat { id, close, all: Arc::clone(self) }
    }
}

impl Seat {
    /// A request has come.
    pub fn asks(&self) {
        self.update(|_| ());
    }

    /// From now on it receives events.
    pub fn streams(&self) {
        self.update(|entry| entry.streams = true);
    }

    fn update(&self, change: impl FnOnce(&mut Entry)) {
        let mut seats = self.all.seats();
        if let Some(at) = seats.open.iter().position(|entry| entry.id == self.id) {
            let mut entry = seats.open.remove(at);
            change(&mut entry);
            seats.open.push(entry);
        }
    }

    /// Returns when somebody else needs the place.
    pub async fn lost(&self) {
        self.close.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.all.seats().open.retain(|entry| entry.id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn lost(seat: &Seat) -> bool {
        seat.lost().now_or_never().is_some()
    }

    #[test]
    fn the_silent_go_first_and_those_that_receive_events_last() {
        let all = Arc::new(Connections::default());
        let mut seats: Vec<Seat> = (0..MOST).map(|_| all.enter()).collect();
        seats[0].streams();
        seats[1].asks();
        seats.push(all.enter());
        assert!(lost(&seats[2]), "neither asked nor receives");
        assert!(!lost(&seats[0]) && !lost(&seats[1]));
        drop(seats.remove(2));
        // One has gone by itself: there is room for one more.
        drop(seats.pop());
        let _more = all.enter();
        assert!(seats.iter().all(|seat| !lost(seat)));
        seats.iter().for_each(Seat::streams);
        let (_one, _two) = (all.enter(), all.enter());
        assert_eq!(seats.iter().filter(|seat| lost(seat)).count(), 0, "the other silent one went");
    }
}
