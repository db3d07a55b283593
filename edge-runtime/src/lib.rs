//! The device on Linux, as a library: everything between a camera and a light that is not on every
//! machine.
//!
//! ```text
//! capture -> device (edge-model: classify -> agreement) -> run (log, then signal) -> publish
//! ```
//!
//! Principles:
//!
//! 1. What is shared with the trainer is in `edge-model`, what the microcontroller shares too in
//!    `edge-core`; both are only called here.
//! 2. Bytes from outside become a checked value once: a [`config::Config`], a [`site::Site`], a
//!    picture, a model file.
//! 3. Nothing here panics on any input; an error says what was expected, what came, and what to do.

pub use base::{certificate, disk, log, service};

pub mod capture;
pub mod cases;
pub mod config;
pub mod device;
pub mod doctor;
pub mod errno;
pub mod joining;
pub mod keep;
pub mod models;
pub mod preview;
pub mod publish;
pub mod reduced;
pub mod run;
pub mod self_test;
pub mod setup;
pub mod signal;
pub mod site;
pub mod value;
