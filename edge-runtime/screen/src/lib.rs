//! The device's screen, as pages for a browser: what the lights say, with the picture, the reason
//! and what to do.
//!
//! ```text
//! status.json -> watch -> routes -> pages -> browser
//! log         -> history ---^
//! acknowledged.json <- taps <- routes <- browser
//! ```
//!
//! Principles:
//!
//! 1. The device has no network: all that is known of it comes from the files of the package
//!    `status` and from its log, and nothing but `acknowledged.json` goes back.
//! 2. A status that no longer holds is FAULT, and neither its answer nor its picture is shown.
//! 3. What comes from the network is bounded in number, length and time before it is looked at;
//!    nothing panics on it.

mod access;
mod app;
pub mod config;
mod connections;
mod cookie;
mod form;
mod guard;
mod history;
mod kept;
mod live;
mod pages;
pub mod pin;
mod routes;
pub mod server;

mod taps;
mod throttle;
pub mod tls;
pub mod watch;
