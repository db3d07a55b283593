//! A camera with eight data lines on an RP2350's PIO.
//!
//! A state machine takes a byte at each rising edge of PCLK while HREF is high, a second one watches
//! VSYNC. Four bytes make a word, DMA puts the words of a row into memory, and the task hands the
//! row on. Two rows take turns: one comes in while the other is copied to the loop's queue. A frame
//! is never held.
//!
//! A board gives the [`Registers`] of its PIO block, a [`RowDma`] and the camera's I2C; the
//! [`Camera`] is then a [`Sensor`](firmware::capture::Sensor). Here is no register of a chip that is
//! touched by other means than that trait: the tests run this very code, and the very
//! [`PROGRAM`] that is loaded, against a model of the block.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod camera;
mod instruction;
mod machine;
mod program;
mod registers;

pub use camera::{Camera, FRAME_LIMIT_MS, ROW, ROW_LIMIT_MS, Row, RowDma, TimedOut};
pub use machine::StateMachines;
pub use program::{HREF, PCLK, PROGRAM, VSYNC};
pub use registers::{Register, Registers};
