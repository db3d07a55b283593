//! Fits the gate of an exported model: what a picture must look like, to the preprocessing and to
//! the network, to be judged at all.
//!
//! It shows the int8 network, through edge-core, two kinds of pictures. *Chests* are the training
//! patients' pictures as they are, the same changed as by another camera
//! ([`crate::augment::AugmentParams::SHIFTED`]), and drawn phantoms, which stand for X-rays
//! wherever there are none. The others ([`not_chests`]) are the same chests turned, inverted or
//! half covered, drawings of anything else, and real ones where there are any ([`others`]). Two linear
//! figures tell them apart ([`linear`]); their limits, and that of sharpness, are quantiles of the
//! chests alone. A third figure tells chests like these from chests of another kind, where such were
//! given. No validation patient is looked at before the report.

pub mod compare;
pub mod detectors;
mod fit;
pub mod linear;
mod measure;
pub mod not_chests;
pub mod others;

pub use compare::{DetectorComparison, compare};
pub use fit::{FITTED_ON, FittedOn, cells, fit_limits};
pub use measure::{GateReport, GroupOutcomes, check_training, measure_gate, measure_others, score_deciles};
pub use others::Others;

use anyhow::{Context, Result};
use edge_core::gate::GateThresholds;
use edge_model::model_file::ModelFile;
use edge_model::pack::pack;

/// The file of `model` with other limits, and another version where one is given, sealed again.
pub fn bind(
    model: &ModelFile,
    limits: GateThresholds<Vec<i8>>,
    score_deciles_ppm: [u32; 9],
    version: Option<&str>,
) -> Result<Vec<u8>> {
    let mut metadata = model.metadata().clone();
    metadata.gate = limits;
    metadata.score_deciles_ppm = score_deciles_ppm;
    if let Some(version) = version {
        version.clone_into(&mut metadata.version);
    }
    let bytes = model.with_metadata(&metadata).context("metadata")?;
    // Read back, and packed, as a device would before anybody relies on it.
    pack(&ModelFile::from_bytes(&bytes)?)?;
    Ok(bytes)
}
