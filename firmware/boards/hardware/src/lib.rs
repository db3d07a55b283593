//! What the boards with a real chip share, on embassy. What every Cortex-M board has, emulated ones
//! too, is in `support`.
//!
//! A board's program is its pins, its clock, its camera and its flash; then [`run`], for ever. With
//! the feature `bring-up` that is the checklist of a board's first start, in place of the device.
#![no_std]

#[cfg(feature = "bring-up")]
mod bring_up;
mod clock;
#[cfg(not(feature = "bring-up"))]
mod device;
mod lamps;
pub mod liveness;
mod memory;
mod program;
pub mod rtt;

#[cfg(feature = "bring-up")]
pub use bring_up::{run, run_camera};
pub use clock::micros;
#[cfg(not(feature = "bring-up"))]
pub use device::{run, run_camera};
pub use lamps::{Lamps, ReadBackPin, lamps};
pub use program::{Chip, Parts};

/// How long the loop may take for a turn, in milliseconds: more than the longest frame and its
/// judgement together, and than the checks at the start.
pub const WATCHDOG_MS: u32 = 8_000;
