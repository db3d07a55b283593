//! What every Cortex-M board of the firmware needs and no board differs in.
//!
//! - [`logger!`] makes the global defmt logger over a sink of the board's, which takes a whole
//!   message at once or none.
//! - [`mapped`] gives the slots as they lie in the memory map.
//! - [`stack_left`] measures how much of the stack was never used.
//! - [`RETAINED_RAM`] is kept over a reset; a panic and a hard fault are recorded in it and reset
//!   the chip. The handlers come with this crate.
#![no_std]

mod crash;
mod flash;
pub mod log;
mod stack;

pub use crash::RETAINED_RAM;
pub use flash::mapped;
pub use stack::stack_left;

/// The loop's sign of life: `Board::beat` of every board beats it, an interrupt of the board's
/// checks it.
pub static LIVENESS: firmware::liveness::Liveness = firmware::liveness::Liveness::new();
