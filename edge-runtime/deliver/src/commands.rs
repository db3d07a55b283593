//! The subcommands, a file each. Each returns its exit code.

pub mod check_config;
pub mod run;
pub mod status;
