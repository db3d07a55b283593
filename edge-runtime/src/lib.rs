//! Pneumoscope on Linux, as a library: everything between a camera or a file's bytes and a light.
//!
//! ```text
//! capture -> device (classify: preprocess, gate, infer, gate, decide -> agreement) -> run (log, then signal)
//!              ^ decode: files        ^ engine (infer_core, infer_tract) <- model_file, pack
//! ```
//!
//! Principles:
//!
//! 1. What is shared with the trainer and the microcontroller is in `edge-core` and only called here.
//! 2. Bytes from outside become a checked value once: a [`decode::Picture`], a [`model_file::ModelFile`].
//! 3. Nothing here panics on any input; an error says what was expected, what came, and what to do.

pub mod aligned;
pub mod capture;
pub mod classify;
pub mod config;
pub mod decode;
pub mod device;
pub mod engine;
pub mod files;
mod guard;
pub mod infer_core;
pub mod infer_tract;
pub mod keep;
pub mod log;
pub mod model_file;
pub mod pack;
pub mod phantom;
pub mod preview;
pub mod run;
pub mod self_test;
pub mod service;
pub mod signal;
pub mod site;
mod value;
