//! What every Cortex-M board of the firmware needs and no board differs in.
//!
//! - [`logger!`] makes the global defmt logger over a sink of the board's, which takes a whole message at once or none.
//! - [`stack_left`] measures how much of the stack was never used.
//! - [`TOMB`] is kept over a reset; a panic and a hard fault are noted in it and reset the chip. The handlers come with this crate.
#![no_std]

mod death;
mod log;
mod stack;

pub use death::TOMB;

/// The loop's sign of life: a board's `Board::lives` beats it, an interrupt of the board's looks.
pub static ALIVE: firmware::alive::Alive = firmware::alive::Alive::new();

pub use log::Log;
pub use stack::stack_left;

#[doc(hidden)]
pub use defmt;
