//! From the ONNX file to the packed model: [`pack`].
//!
//! The graph is read in the exact form that `host-trainer` writes: QLinearConv, residuals
//! (DequantizeLinear twice, Add, QuantizeLinear), and one float head. Anything else is refused with
//! the node's name: the packed model must give the same integers as the file, so nothing is
//! approximated.

mod constants;
mod error;
mod graph;

pub use error::PackError;

use crate::aligned::AlignedBytes;
use crate::model_file::ModelFile;
use edge_core::packed::{self, Network, Packed};

/// Packs a model: the result is one flat file, aligned as devices read it, and has passed every check
/// that a device makes.
///
/// # Errors
/// The graph is not in that form, or edge-core's kernels have no way to compute it.
pub fn pack(model: &ModelFile) -> Result<Packed<AlignedBytes>, PackError> {
    let graph = graph::read(model)?;
    let (values, layers) = (graph.values(), graph.layers());
    let network = Network {
        onnx_sha256: graph.sha256,
        metadata: model.metadata().view(),
        values: &values,
        layers: &layers,
        head: graph.head(),
    };
    let mut bytes = AlignedBytes::zeroed(packed::packed_len(&network)?);
    packed::write(&network, bytes.as_mut())?;
    // Read back as a device would before anybody relies on it.
    Ok(Packed::new(bytes)?)
}
