//! Pneumoscope on a microcontroller: everything that is not a board.
//!
//! ```text
//! power on:  crash record -> light test -> slots (which model?) -> self-test
//! frame:     rows -> gate -> infer -> gate -> decide (edge-core's pipeline) -> agree -> lights (+ log)
//! ```
//!
//! A board brings pins, a clock, a watchdog, a camera that gives rows and a flash
//! ([`edge_core::ports`], embedded-hal, embedded-storage), and calls
//! [`Device::poll`](device::Device::poll) for ever. Nothing here waits, allocates, or knows a
//! board; all of it is tested on the host.
#![no_std]
#![deny(unsafe_code)]
#![warn(missing_docs)]

#[cfg(test)]
extern crate std;

pub mod boot;
pub mod bounded_bus;
pub mod bring_up;
pub mod capture;
pub mod crash_record;
#[cfg(feature = "defmt")]
pub mod defmt_log;
pub mod device;
pub mod event_log;
pub mod liveness;
pub mod message_buffer;
pub mod rows;
pub mod self_test;
pub mod sensors;
pub mod serial;
pub mod slots;
pub mod stm32h7;

pub use bundle;
