//! The packed model: one flat little-endian file that every target reads in place, in flash or in
//! memory.
//!
//! ```text
//! header | values | layers | metadata | head weights
//!     || numbers of the layers | texts and weights of the metadata | names
//! ```
//!
//! - Value 0 is the network's input; layer `i` makes value `i + 1`. Each value has its place in the
//!   arena, planned by lifetimes when the model is packed (see [`plan`]); each layer has scratch
//!   memory there.
//! - Weights lie as the kernels read them ([`crate::kernels::layout`]); biases and multipliers are
//!   arrays of 32-bit numbers. Every section begins at a multiple of [`ALIGNMENT`]; the file itself
//!   must lie at a multiple of [`ADDRESS_ALIGNMENT`].
//! - A flag in the header says whether all weights of convolutions have 7 bits; the writer looks at
//!   them, and so does the view. Kernels choose by it.
//! - The metadata is that of the ONNX file, in binary; the SHA-256 of the ONNX file stands in the
//!   header.
//! - A CRC-32 over everything behind it finds damage; it is no signature.
//! - What stands before `||` is the *execution plan*: everything that says what is computed where.
//!   It has a checksum of its own.
//!
//! [`Packed`] is the checked view: after [`Packed::new`] no layer can fail to fit. Each inference
//! verifies the plan's checksum before its first layer and again before its logit
//! ([`Packed::plan`]): a number of it that has changed in memory since the check is an error, and a
//! device's FAULT, never another answer. [`write()`] is the only writer.

mod arrange;
mod check;
mod checksum;
mod emit;
mod error;
mod format;
mod metadata;
mod network;
mod numbers;
mod out;
pub mod plan;
mod view;
mod writer;

pub use checksum::seal;
pub use error::PackedError;
pub use format::{ADDRESS_ALIGNMENT, ALIGNMENT, MAGIC, MAX_FEATURES, MAX_LAYERS, VERSION};
pub use network::{Network, NetworkLayer, NetworkValue, WriteError};
pub use view::{ExecutionPlan, Layer, Operator, Packed, Value};
pub use writer::{packed_len, write};
