//! Pneumoscope's trainer: a folder of chest X-rays in, one small int8 ONNX model and a report out.
//!
//! The program is compiled in two forms. With the feature `torch` it is the trainer; without it, it is a launcher
//! that fetches libtorch where it is missing and runs cargo again with the feature. So one command,
//! `cargo run -p host-trainer`, works from nothing, and `cargo build` of the workspace never needs libtorch.

// Tests and clippy see both forms at once; in the trainer's own build the launcher is absent.
#[cfg(any(not(feature = "torch"), test))]
#[cfg_attr(feature = "torch", allow(dead_code))]
mod debian;
#[cfg(any(not(feature = "torch"), test))]
#[cfg_attr(feature = "torch", allow(dead_code))]
mod launcher;
#[cfg(any(not(feature = "torch"), test))]
#[cfg_attr(feature = "torch", allow(dead_code))]
mod libtorch;

fn main() -> std::process::ExitCode {
    #[cfg(feature = "torch")]
    return host_trainer::cli::main();
    #[cfg(not(feature = "torch"))]
    return launcher::main();
}
