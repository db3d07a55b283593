//! The trainer's modules, in the order of the model flow:
//!
//! ```text
//! dataset -> split -> augment -> train -> quantize -> export -> gate -> evaluate -> report -> pack
//! ```
//!
//! Principles:
//!
//! 1. What is trained is what runs: pictures pass through edge-core's preprocessing, and the quantized network computes in
//!    training exactly the integers of the exported file.
//! 2. Everything random is keyed (see [`random`]), every step's state is on disk, so every step can be repeated.
//! 3. Nothing is chosen on data that is reported on without saying so; the test part of a data set is only measured.

pub mod augment;
pub mod batches;
pub mod calibrate;
pub mod cli;
mod commands;
pub mod dataset;
pub mod evaluate;
pub mod exact_form;
pub mod export;
pub mod fit;
pub mod gate;
pub mod grid;
pub mod integer;
pub mod metadata;
pub mod metrics;
pub mod net;
mod npz;
pub mod optimizer;
pub mod phantoms;
pub mod plots;
pub mod progress;
pub mod quantize;
pub mod random;
pub mod report;
pub mod robustness;
pub mod run;
pub mod split;
pub mod tensors;
pub mod train;
pub mod validation;
