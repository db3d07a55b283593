//! The lamps over time: which pattern, since when, and which lines could not be set.

use super::{LampSet, Levels, Pattern, heartbeat, levels};
use crate::ports::LampDriver;

/// How long a level stands before it is written again although nothing changed: so that a line that
/// fails while it stands is found, and one that was disturbed comes back.
const REFRESH_MS: u64 = 50;

/// Lamps and what they show.
///
/// ```
/// use edge_core::State;
/// use edge_core::ports::LampDriver;
/// use edge_core::signal::{Lamp, LampSet, Levels, Pattern, PatternPlayer};
///
/// /// Prints what is lit; its amber lamp is broken.
/// struct Console(Levels);
///
/// impl LampDriver for Console {
///     fn set(&mut self, levels: &Levels, heartbeat: bool) -> LampSet {
///         println!("{levels:?}, heartbeat {heartbeat}");
///         self.0 = *levels;
///         LampSet::NONE.with(Lamp::Amber)
///     }
/// }
///
/// let mut player = PatternPlayer::new(Console(Levels::default()), Pattern::LightTest, 0);
/// player.show(Pattern::State(State::Negative), 600);
/// player.tick(600, true); // every few milliseconds
/// assert!(player.lamps().0.green);
/// assert!(player.failed().any_state_lamp());
/// ```
#[derive(Debug)]
pub struct PatternPlayer<S> {
    lamps: S,
    pattern: Pattern,
    since_ms: u64,
    written: Option<(Levels, bool, u64)>,
    failed: LampSet,
}

impl<S: LampDriver> PatternPlayer<S> {
    /// Shows `pattern` from `now_ms` on.
    pub fn new(lamps: S, pattern: Pattern, now_ms: u64) -> Self {
        let mut player = Self { lamps, pattern, since_ms: now_ms, written: None, failed: LampSet::NONE };
        player.tick(now_ms, true);
        player
    }

    /// Shows `pattern` from `now_ms` on; one that is shown already goes on.
    pub fn show(&mut self, pattern: Pattern, now_ms: u64) {
        if pattern != self.pattern {
            self.pattern = pattern;
            self.since_ms = now_ms;
        }
    }

    /// Sets the lines as the pattern has them at `now_ms`, the heartbeat beating while the program
    /// is `alive`. Called between all that takes time.
    pub fn tick(&mut self, now_ms: u64, alive: bool) {
        let levels = levels(self.pattern, now_ms.saturating_sub(self.since_ms));
        let beat = heartbeat(now_ms, alive);
        let stands = |(written, lit, at): (Levels, bool, u64)| {
            written == levels && lit == beat && now_ms.saturating_sub(at) < REFRESH_MS
        };
        if !self.written.is_some_and(stands) {
            self.failed = self.lamps.set(&levels, beat);
            self.written = Some((levels, beat, now_ms));
        }
    }

    /// The lines that could not be set the last time.
    pub const fn failed(&self) -> LampSet {
        self.failed
    }

    /// The lamps that it drives.
    pub const fn lamps(&mut self) -> &mut S {
        &mut self.lamps
    }
}
