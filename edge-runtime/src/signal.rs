//! The device's lights, button and screen on Linux, showing edge-core's patterns.
//!
//! ```text
//! main loop -> LightsThread (a thread; dead-man, light test, safe pattern) -> PanelLines (GPIO lines)
//!          \-> Terminal (the same in words)
//! ```
//!
//! Whatever ends the program, the lights do not go on showing an answer: the panel shows
//! [`Pattern::Safe`] when it is dropped, which a panic in the main thread does too, and on SIGTERM
//! and SIGINT; it shows FAULT when the main loop hangs; and when the process is killed, systemd
//! runs `edge-runtime lights safe`. There is no panic hook on purpose: the fence around decoders
//! catches panics that a damaged file finds in them, after which the device goes on.
//!
//! [`Pattern::Safe`]: edge_core::signal::Pattern::Safe

pub mod gpio;
mod panel;
mod stop;
mod terminal;

pub use gpio::GpioLines;
pub use panel::{LightsThread, Options, PanelLines};
pub use stop::stop_on_signals;
pub use terminal::{ScreenLine, Terminal};
