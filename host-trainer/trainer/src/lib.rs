//! The trainer: a folder for each stage of the model flow, in its order.
//!
//! ```text
//! dataset -> augment -> [teach ->] train -> quantize -> export -> gate -> evaluate -> report -> pack
//! ```
//!
//! Beside them stands what all stages share: [`run`], the folder that a training run keeps its
//! state in, [`options`] that change its recipe and the [`recipe_file`]s that hold them, [`random`],
//! `archive`, `cell` and `progress`. A [`sweep`] is many runs and the table that they are compared in. [`cli`] says
//! what can be asked for, [`commands`] does it.
//!
//! Principles:
//!
//! 1. What is trained is what runs: pictures pass through edge-core's preprocessing, and the
//!    quantized network computes in training exactly the integers of the exported file.
//! 2. Everything random is keyed (see [`random`]), every step's state is on disk, so every step can
//!    be repeated.
//! 3. Nothing is chosen on data that is reported on without saying so; the test part of a data set
//!    is only measured.

mod archive;
pub mod augment;
mod cell;
pub mod cli;
pub mod commands;
pub mod dataset;
pub mod evaluate;
pub mod export;
pub mod folds;
pub mod gate;
pub mod options;
mod progress;
pub mod quantize;
pub mod random;
pub mod recipe_file;
pub mod report;
pub mod run;
pub mod sweep;
pub mod teach;
pub mod train;
