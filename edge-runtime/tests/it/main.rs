//! The integration tests of this package in one program: tract is linked once. One module a
//! subject.

mod aim;
mod bad_pictures;
mod capture;
mod cases;
mod config;
mod device;
mod folder;
mod lights;
mod log;
mod log_command;
mod log_killed;
mod log_recovery;
mod log_tampering;
mod metrics_judge;
mod pack;
mod packaging;
mod program;
mod run;
mod run_program;
mod self_test;
mod site;
mod site_widen;
mod soak;
mod support;
