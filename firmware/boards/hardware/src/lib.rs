//! What the boards with a real chip share, on embassy. What every Cortex-M board has, emulated ones
//! too, is in `support`.
//!
//! A board's program is its pins, its clock, its camera and its flash; then [`run`], for ever.
#![no_std]

mod clock;
mod lamps;
pub mod liveness;
mod memory;
mod program;
pub mod rtt;

pub use clock::micros;
pub use lamps::{Lamps, ReadBackPin, lamps};
pub use program::{Chip, Parts, run, run_camera};

/// How long the loop may take for a turn, in milliseconds: more than the longest frame and its
/// judgement together, and than the checks at the start.
pub const WATCHDOG_MS: u32 = 8_000;
