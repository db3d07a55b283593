//! What surrounds a simulated device, and what became of it: tests set the one and look at the
//! other.

use edge_core::signal::{LampSet, Levels};
use std::cell::{Cell, RefCell};

thread_local! {
    /// How often the loop has said on this thread that it lives.
    pub static BEATS: Cell<u32> = const { Cell::new(0) };
    /// What [`Board::was_reset_by_hand`] says on this thread.
    pub static BY_HAND: Cell<bool> = const { Cell::new(false) };
    /// What [`Board::stack_left`] says on this thread.
    pub static STACK_LEFT: Cell<u32> = const { Cell::new(4096) };
}

#[derive(Default)]
pub struct World {
    micros: Cell<u64>,
    /// Lines that cannot be set now.
    pub broken: Cell<LampSet>,
    /// Lines that cannot be lit: putting them out works.
    pub shorted: Cell<LampSet>,
    pub pressed: Cell<bool>,
    pub ended: Cell<bool>,
    pub fed: Cell<u32>,
    /// Each change of the lamps, the heartbeat's with it.
    pub lights: RefCell<Vec<(u64, Levels, bool)>>,
    /// Each change of what is shown, as `STATE CODE`, or `idle`.
    pub shows: RefCell<Vec<(u64, String)>>,
    /// Other entries of the log, as text.
    pub notes: RefCell<Vec<String>>,
    /// When each frame that gave POSITIVE or NEGATIVE was taken, and which.
    pub answers: RefCell<Vec<(u64, edge_core::State)>>,
}

impl World {
    pub fn noted(&self, text: &str) -> bool {
        self.notes.borrow().iter().any(|note| note.contains(text))
    }

    /// All that was shown, without its times.
    pub fn shown(&self) -> Vec<String> {
        self.shows.borrow().iter().map(|(_, text)| text.clone()).collect()
    }

    pub fn now_ms(&self) -> u64 {
        self.micros.get() / 1000
    }

    pub fn pass(&self, micros: u64) {
        self.micros.set(self.micros.get() + micros);
    }
}
