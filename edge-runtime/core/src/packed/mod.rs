//! The packed model: one flat little-endian file that every target reads in place, in flash or in
//! memory.
//!
//! ```text
//! header | values | layers | metadata | head weights || numbers of the layers | texts and weights of the metadata | names
//! ```
//!
//! - Value 0 is the network's input; layer `i` makes value `i + 1`. Each value has its place in the
//!   arena, planned by lifetimes when the model is packed (see [`plan`]); each layer has scratch
//!   memory there.
//! - Weights lie as the kernels read them ([`crate::kernels::layout`]); biases and multipliers are
//!   arrays of 32-bit numbers. Every section begins at a multiple of [`ALIGNMENT`]; the file itself
//!   must lie at a multiple of [`ADDRESS_ALIGNMENT`].
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
mod metadata;
mod network;
mod numbers;
pub mod plan;
mod record;
mod view;
mod writer;

pub use checksum::seal;
pub use network::{Network, NetworkLayer, NetworkValue, WriteError};
pub use view::{ExecutionPlan, Layer, Operator, Packed, Value};
pub use writer::{packed_len, write};

use crate::model::MetadataError;
use core::fmt;

#[cfg(target_endian = "big")]
compile_error!(
    "packed models are read in place as little-endian numbers: big-endian machines are not supported"
);

/// What a packed model begins with.
pub const MAGIC: [u8; 8] = *b"PNEUMOPK";
/// Version of the form that this code reads and writes.
pub const VERSION: u32 = 2;
/// Sections, and values in the arena, begin at multiples of this.
pub const ALIGNMENT: usize = 16;
/// Packed model and arena lie in memory at multiples of this.
pub const ADDRESS_ALIGNMENT: usize = 8;
/// Most layers of a model.
pub const MAX_LAYERS: usize = 96;
/// Most channels that the head may read: their sums are on the stack.
pub const MAX_FEATURES: usize = 256;

/// Why bytes are not a packed model that this build can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PackedError {
    /// The bytes do not begin with [`MAGIC`].
    Magic,
    /// Written in another version of the form.
    Version {
        /// The version found.
        got: u32,
    },
    /// The header says another length.
    Length {
        /// Bytes that the header says; the header's own length where even that is not there.
        expected: usize,
        /// Bytes there are.
        got: usize,
    },
    /// The bytes do not lie at a multiple of [`ADDRESS_ALIGNMENT`].
    Alignment,
    /// The checksum differs: bytes were changed.
    Checksum {
        /// What the header says.
        expected: u32,
        /// What the bytes give.
        got: u32,
    },
    /// The execution plan's checksum differs, though the whole file's did not when it was opened.
    Damaged {
        /// What the header says.
        expected: u32,
        /// What the plan gives.
        got: u32,
    },
    /// A number breaks a rule of the form.
    Form {
        /// What it describes.
        what: &'static str,
    },
    /// A layer does not fit its numbers or its places in the arena.
    Layer {
        /// Its number, from 0.
        layer: usize,
        /// What does not fit.
        what: &'static str,
    },
    /// A property of the metadata.
    Metadata(MetadataError),
}

impl fmt::Display for PackedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let remedy = "pack the model again";
        match self {
            Self::Magic => write!(f, "expected a packed model, got other bytes; make one with `pack`"),
            Self::Version { got } => {
                write!(f, "expected a packed model of version {VERSION}, got version {got}; {remedy}")
            }
            Self::Length { expected, got } => {
                write!(f, "expected a packed model of {expected} bytes, got {got}; copy the file again")
            }
            Self::Alignment => {
                write!(
                    f,
                    "expected the packed model at an address that is a multiple of {ADDRESS_ALIGNMENT}; move it"
                )
            }
            Self::Checksum { expected, got } => {
                write!(f, "expected checksum {expected:08x}, got {got:08x}: damaged; copy the file again")
            }
            Self::Damaged { expected, got } => write!(
                f,
                "expected an execution plan of checksum {expected:08x}, got {got:08x}: the model has changed in memory; \
                 switch the device off and on, and if it comes again, change the memory"
            ),
            Self::Form { what } => write!(f, "{what} breaks the form of a packed model; {remedy}"),
            Self::Layer { layer, what } => write!(f, "layer {layer}: {what} does not fit; {remedy}"),
            Self::Metadata(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PackedError {}

impl From<MetadataError> for PackedError {
    fn from(error: MetadataError) -> Self {
        Self::Metadata(error)
    }
}
