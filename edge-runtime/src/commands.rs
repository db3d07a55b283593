//! The subcommands, one file each.

pub mod about;
pub mod bench;
pub mod calibrate;
pub mod classify;
pub mod demo;
pub mod inspect;
pub mod log;
pub mod pack;
