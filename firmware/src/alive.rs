//! Whether the loop lives, and what a timer's interrupt shows where it does not.
//!
//! A loop that hangs leaves its last answer lit until the watchdog resets the chip. So a board looks from an interrupt every
//! [`LOOK_MS`]: once the loop has been silent for a second the interrupt shows FAULT in its place, with a dark heartbeat.

use core::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use edge_core::State;
use edge_core::signal::{Levels, Pattern, levels};

/// How often a board looks, in milliseconds.
pub const LOOK_MS: u32 = 250;
/// Looks in a row that found no beat after which the loop is dead.
const SILENT: u8 = 4;
/// The loop has not begun: there is nothing yet that could be stale.
const NOT_BEGUN: u8 = u8::MAX;

/// The loop's sign of life.
#[derive(Debug)]
pub struct Alive {
    beaten: AtomicBool,
    /// Looks in a row that found no beat; a dead loop's go on from [`SILENT`].
    missed: AtomicU8,
}

impl Default for Alive {
    fn default() -> Self {
        Self::new()
    }
}

impl Alive {
    /// Of a loop that has not begun.
    pub const fn new() -> Self {
        Self { beaten: AtomicBool::new(false), missed: AtomicU8::new(NOT_BEGUN) }
    }

    /// The loop lives.
    pub fn beat(&self) {
        self.beaten.store(true, Relaxed);
    }

    /// Every [`LOOK_MS`]: what the lamps must be where the loop is dead, none where it lives.
    pub fn look(&self) -> Option<Levels> {
        // One interrupt looks, so nobody else changes what was read.
        let beaten = self.beaten.load(Relaxed);
        self.beaten.store(false, Relaxed);
        let missed = match self.missed.load(Relaxed) {
            _ if beaten => 0,
            NOT_BEGUN => return None,
            // Two looks further and two back: FAULT alternates once in two.
            missed if missed > SILENT => SILENT,
            missed => missed.saturating_add(1),
        };
        self.missed.store(missed, Relaxed);
        let dead_ms = u64::from(missed.checked_sub(SILENT)?) * u64::from(LOOK_MS);
        Some(levels(Pattern::State(State::Fault), dead_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_beats_or_has_not_begun_is_left_alone() {
        let alive = Alive::new();
        for _ in 0..20 {
            assert_eq!(alive.look(), None);
        }
        for _ in 0..20 {
            alive.beat();
            assert_eq!(alive.look(), None);
            assert_eq!(alive.look(), None);
        }
    }

    #[test]
    fn a_silent_loop_is_a_fault_after_a_second_until_it_beats_again() {
        let alive = Alive::new();
        alive.beat();
        let before: [_; 4] = core::array::from_fn(|_| alive.look());
        assert_eq!(before, [None; 4]);
        for _ in 0..300 {
            let [first, second] = [alive.look().unwrap(), alive.look().unwrap()];
            assert!(first.amber && !first.red && !first.green);
            assert!(second.red && !second.amber && !second.green);
        }
        alive.beat();
        assert_eq!(alive.look(), None);
    }
}
