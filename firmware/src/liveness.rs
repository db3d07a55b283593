//! Whether the loop lives, and what a timer's interrupt shows where it does not.
//!
//! A loop that hangs leaves its last answer lit until the watchdog resets the chip. So a board
//! checks from an interrupt every [`CHECK_INTERVAL_MS`]: once the loop has been silent for a second
//! the interrupt shows FAULT in its place, with a dark heartbeat.

use core::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use edge_core::State;
use edge_core::signal::{Levels, Pattern, levels};

/// Time between two calls of [`Liveness::check`].
pub const CHECK_INTERVAL_MS: u32 = 250;
/// Checks in a row that found no beat after which the loop is dead.
const SILENT: u8 = 4;
/// The loop has not begun: there is nothing yet that could be stale.
const NOT_BEGUN: u8 = u8::MAX;

/// The loop's sign of life, shared with an interrupt.
#[derive(Debug)]
pub struct Liveness {
    beaten: AtomicBool,
    /// Checks in a row that found no beat; a dead loop's go on from [`SILENT`].
    missed: AtomicU8,
}

impl Default for Liveness {
    fn default() -> Self {
        Self::new()
    }
}

impl Liveness {
    /// Of a loop that has not begun: it is not held for dead.
    pub const fn new() -> Self {
        Self { beaten: AtomicBool::new(false), missed: AtomicU8::new(NOT_BEGUN) }
    }

    /// The loop lives.
    pub fn beat(&self) {
        self.beaten.store(true, Relaxed);
    }

    /// What the lamps must be where the loop is dead, none where it lives. To be called every
    /// [`CHECK_INTERVAL_MS`], by one interrupt alone.
    pub fn check(&self) -> Option<Levels> {
        // One interrupt checks, so nobody else changes what was read.
        let beaten = self.beaten.load(Relaxed);
        self.beaten.store(false, Relaxed);
        let missed = match self.missed.load(Relaxed) {
            _ if beaten => 0,
            NOT_BEGUN => return None,
            // Two checks further and two back: FAULT alternates once in two.
            missed if missed > SILENT => SILENT,
            missed => missed.saturating_add(1),
        };
        self.missed.store(missed, Relaxed);
        let dead_ms = u64::from(missed.checked_sub(SILENT)?) * u64::from(CHECK_INTERVAL_MS);
        Some(levels(Pattern::State(State::Fault), dead_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_beats_or_has_not_begun_is_left_alone() {
        let liveness = Liveness::new();
        for _ in 0..20 {
            assert_eq!(liveness.check(), None);
        }
        for _ in 0..20 {
            liveness.beat();
            assert_eq!(liveness.check(), None);
            assert_eq!(liveness.check(), None);
        }
    }

    #[test]
    fn a_silent_loop_is_a_fault_after_a_second_until_it_beats_again() {
        let liveness = Liveness::new();
        liveness.beat();
        let before: [_; 4] = core::array::from_fn(|_| liveness.check());
        assert_eq!(before, [None; 4]);
        for _ in 0..300 {
            let [first, second] = [liveness.check().unwrap(), liveness.check().unwrap()];
            assert!(first.amber && !first.red && !first.green);
            assert!(second.red && !second.amber && !second.green);
        }
        liveness.beat();
        assert_eq!(liveness.check(), None);
    }
}
