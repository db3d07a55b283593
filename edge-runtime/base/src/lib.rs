//! What the device, its screen and its delivery have in common, and what none of them may have a second
//! time: the log, configurations as files, systemd, when certificates end.
//!
//! No model, engine or picture is in here. The screen reads the log and needs nothing of them; linked
//! into it, they were three quarters of its program and 2.7 MB of its memory.
//!
//! ```text
//! device -> log (disk) -> screen, delivery
//! file -> config (value) -> each
//! ```
//!
//! Principles:
//!
//! 1. Bytes from outside become a checked value once: a [`log::Entry`], a [`config::Configuration`].
//! 2. Nothing here panics on any input; an error says what was expected, what came, and what to do.

pub mod certificate;
pub mod clock;
pub mod config;
pub mod disk;
pub mod log;
pub mod service;
pub mod value;
