//! The trainer's modules, in the order of the model flow:
//!
//! ```text
//! dataset -> split -> augment -> train -> quantize -> export -> evaluate -> report
//! ```
//!
//! Principles:
//!
//! 1. What is trained is what runs: pictures pass through edge-core's preprocessing, and the quantized network computes in
//!    training exactly the integers of the exported file.
//! 2. Everything random is keyed (see [`random`]), every step's state is on disk, so every step can be repeated.
//! 3. Nothing is chosen on data that is reported on without saying so; the test part of a data set is only measured.
//!
//! The modules below stand behind two features: `tools` needs no libtorch (evaluation, report), `torch` needs it. Without
//! either this package is only the launcher in `main.rs`.
#![cfg(feature = "tools")]

#[cfg(feature = "torch")]
pub mod augment;
#[cfg(feature = "torch")]
pub mod batches;
#[cfg(feature = "torch")]
pub mod calibrate;
#[cfg(feature = "torch")]
pub mod cli;
#[cfg(feature = "torch")]
mod commands;
#[cfg(feature = "torch")]
pub mod dataset;
pub mod evaluate;
#[cfg(feature = "torch")]
pub mod exact_form;
#[cfg(feature = "torch")]
pub mod export;
pub mod files;
#[cfg(feature = "torch")]
pub mod fit;
#[cfg(feature = "torch")]
pub mod grid;
#[cfg(feature = "torch")]
pub mod integer;
#[cfg(feature = "torch")]
pub mod metadata;
pub mod metrics;
#[cfg(feature = "torch")]
pub mod net;
#[cfg(feature = "torch")]
mod npz;
#[cfg(feature = "torch")]
pub mod optimizer;
#[cfg(feature = "torch")]
pub mod phantoms;
pub mod plots;
pub mod progress;
#[cfg(feature = "torch")]
pub mod quantize;
pub mod random;
pub mod report;
pub mod robustness;
#[cfg(feature = "torch")]
pub mod run;
#[cfg(feature = "torch")]
pub mod split;
#[cfg(feature = "torch")]
pub mod tensors;
#[cfg(feature = "torch")]
pub mod train;
#[cfg(feature = "torch")]
pub mod validation;
