//! The subcommands, one file each.

pub mod about;
pub mod bench;
pub mod classify;
pub mod demo;
pub mod inspect;
pub mod pack;
