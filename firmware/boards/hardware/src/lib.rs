//! What the boards with a real chip share, on embassy. What every Cortex-M board has, emulated ones too, is in `support`.
//!
//! A board's program is short: its parts, its camera's task, [`firmware::boot::start_with`] over its flash, then `turn` for ever.
#![no_std]

mod dead_man;
mod lines;
mod memory;
pub mod rtt;
pub mod sensor;

pub use dead_man::dead_man;
pub use lines::Checked;
pub use memory::arena;

use edge_core::ports::Clock;
use embassy_time::Instant;

/// How long the loop may take for a turn, in milliseconds: more than the longest frame and its judgement together, and than the checks
/// at the start.
pub const WATCHDOG_MS: u32 = 8_000;

/// Time since the start, by embassy's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uptime;

impl Clock for Uptime {
    fn now_ms(&self) -> u64 {
        Instant::now().as_millis()
    }
}

/// The same in microseconds, for the stamp of a frame.
pub fn micros() -> u64 {
    Instant::now().as_micros()
}
