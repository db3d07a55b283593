//! The integration tests of this package in one program: tract is linked once. One module a subject.

mod aim;
mod allocations;
mod bad_models;
mod bad_pictures;
mod capture;
mod config;
mod decode;
mod device;
mod engine;
mod gate;
mod lights;
mod log;
mod log_command;
mod log_killed;
mod log_recovery;
mod log_tampering;
mod pack;
mod packaging;
mod program;
mod qlinearconv;
mod run;
mod run_program;
mod self_test;
mod site;
mod soak;
mod support;
