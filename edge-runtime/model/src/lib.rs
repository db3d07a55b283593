//! From a picture's bytes and a model's file to a decision: what device, trainer, tools and tests
//! share where there is a file system.
//!
//! ```text
//! picture -> decode -> classify (edge-core: preprocess, gate, infer, gate, decide) -> decision
//! model   -> model_file -> engine (infer_tract, or pack -> infer_core) ^
//! ```
//!
//! No camera, light, log or service is in here: those are `edge-runtime`'s.
//!
//! # From a picture to a decision
//!
//! ```
//! use edge_core::State;
//! use edge_model::classify::Classifier;
//! use edge_model::decode::decode;
//! use edge_model::engine::EngineKind;
//! use edge_model::model_file::ModelFile;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = ModelFile::from_bytes(include_bytes!("../../../models/pneumonia/model.onnx"))?;
//! let mut classifier = Classifier::new(&model, EngineKind::default().load(&model)?);
//!
//! let picture = decode(include_bytes!("../assets/normal-00.png"))?;
//! let decision = classifier.classify(&picture.frame())?.decision;
//! assert_eq!(decision.state, State::Negative);
//!
//! // The gate refuses what is no chest: an answer, not an error.
//! let geometry = picture.geometry();
//! let black = edge_model::decode::Picture::new(geometry, vec![0; picture.bytes().len()])?;
//! assert_eq!(classifier.classify(&black.frame())?.decision.state, State::Invalid);
//!
//! // The same model, packed as devices read it, to the same logit.
//! use edge_core::kernels;
//! use edge_model::engine::Engine;
//! use edge_model::infer_core::CoreEngine;
//! let packed = edge_model::pack::pack(&model)?;
//! classifier.classify(&picture.frame())?; // writes the network's input
//! let logit = CoreEngine::new(packed, kernels::best()).infer(classifier.input())?;
//! assert_eq!(decision.logit, Some(logit));
//! # Ok(())
//! # }
//! ```
//!
//! Principles:
//!
//! 1. What the microcontroller shares too is in `edge-core` and only called here.
//! 2. Bytes from outside become a checked value once: a [`decode::Picture`], a
//!    [`model_file::ModelFile`].
//! 3. Nothing here panics on any input; an error says what was expected, what came, and what to do.

#![warn(missing_docs)]

pub use told::{prevalence, spreadsheet};

pub mod activation;
pub mod aligned;
pub mod classify;
pub mod decode;
pub mod drawings;
pub mod engine;
pub mod files;
pub mod frame_stream;
pub mod guard;
pub mod infer_core;
pub mod infer_tract;
pub mod intervals;
pub mod model_file;
pub mod pack;
pub mod pictures;
pub mod self_test;
pub mod signed;
