//! The subcommands, one file each.

pub mod about;
pub mod aim;
pub mod bench;
pub mod calibrate;
pub mod check_config;
pub mod classify;
pub mod demo;
pub mod devices;
pub mod doctor;
pub mod inspect;
pub mod lights;
pub mod log;
pub mod model;
pub mod pack;
pub mod run;
pub mod self_test;
pub mod setup;
