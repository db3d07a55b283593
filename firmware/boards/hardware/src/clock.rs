//! Time since the start, by embassy's timer.

use edge_core::ports::Clock;
use embassy_time::Instant;

/// In milliseconds, for the loop.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uptime;

impl Clock for Uptime {
    fn now_ms(&self) -> u64 {
        Instant::now().as_millis()
    }
}

/// In microseconds, for the stamp of a frame.
pub fn micros() -> u64 {
    Instant::now().as_micros()
}
