//! Why a model cannot be packed.

use edge_core::packed::{PackedError, WriteError};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    #[error(
        "node `{}`: {what}; only models in the exact form that host-trainer exports can be packed",
        node.escape_debug()
    )]
    Node {
        /// The node's name, or that of its output.
        node: String,
        what: String,
    },
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("the packed model does not pass its own checks: {0}")]
    Read(#[from] PackedError),
}
