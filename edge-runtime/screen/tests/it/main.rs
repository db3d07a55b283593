//! The integration tests of this package in one program. One module a subject.

mod access;
mod acknowledge;
mod browser;
mod clock_step;
mod config;
mod contents;
mod history;
mod hostile;
mod kiosk;
mod lamps;
mod live;
mod network_cut;
mod packaging;
mod pages;
mod support;
mod watch;
