//! The lights over time: which pattern, since when, and which lines could not be set.

use edge_core::ports::SignalSink;
use edge_core::signal::{Lamps, Levels, Pattern, heartbeat, levels};

/// How long a level stands before it is written again although nothing changed: so that a line that fails while it stands is found,
/// and one that was disturbed comes back.
const REFRESH_MS: u64 = 50;

/// The lights and what they show.
#[derive(Debug)]
pub struct Panel<S> {
    lights: S,
    pattern: Pattern,
    since_ms: u64,
    written: Option<(Levels, bool, u64)>,
    failed: Lamps,
}

impl<S: SignalSink> Panel<S> {
    /// Shows `pattern` from `now_ms` on.
    pub fn new(lights: S, pattern: Pattern, now_ms: u64) -> Self {
        let mut panel = Self { lights, pattern, since_ms: now_ms, written: None, failed: Lamps::NONE };
        panel.tick(now_ms);
        panel
    }

    /// Shows `pattern` from now on; one that is shown already goes on.
    pub fn show(&mut self, pattern: Pattern, now_ms: u64) {
        if pattern != self.pattern {
            self.pattern = pattern;
            self.since_ms = now_ms;
        }
        self.tick(now_ms);
    }

    /// Sets the lines as the pattern has them now. Called between all that takes time.
    pub fn tick(&mut self, now_ms: u64) {
        let levels = levels(self.pattern, now_ms.saturating_sub(self.since_ms));
        let beat = heartbeat(now_ms, true);
        let stands = |(written, lit, at): (Levels, bool, u64)| {
            written == levels && lit == beat && now_ms.saturating_sub(at) < REFRESH_MS
        };
        if !self.written.is_some_and(stands) {
            self.failed = self.lights.set(&levels, beat);
            self.written = Some((levels, beat, now_ms));
        }
    }

    /// The lines that could not be set the last time.
    pub fn failed(&self) -> Lamps {
        self.failed
    }
}
