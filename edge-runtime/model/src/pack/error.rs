//! Why a model cannot be packed.

use edge_core::packed::{PackedError, WriteError};

/// What about a model stands against packing it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The graph is not in the form that is packed.
    #[error(
        "node `{}`: {what}; only models in the exact form that host-trainer exports can be packed",
        node.escape_debug()
    )]
    Node {
        /// The node's name, or that of its output.
        node: String,
        /// What was expected there.
        what: String,
    },
    /// edge-core's writer refuses the network.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// What was written is refused as a device would refuse it: a mistake of this program.
    #[error("the packed model does not pass its own checks: {0}")]
    Read(#[from] PackedError),
}
