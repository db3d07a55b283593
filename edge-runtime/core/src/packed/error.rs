//! Why bytes are not a packed model.

use super::format::{ADDRESS_ALIGNMENT, VERSION};
use crate::model::MetadataError;
use core::fmt;

/// Why bytes are not a packed model that this build can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // fields: the variant says what they are
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PackedError {
    /// The bytes do not begin with [`MAGIC`](super::MAGIC).
    Magic,
    /// Written in that other version of the form.
    Version { got: u32 },
    /// The header says another length in bytes, or even the header is not there.
    Length { expected: usize, got: usize },
    /// The bytes do not lie at a multiple of [`ADDRESS_ALIGNMENT`].
    Alignment,
    /// The checksum in the header differs from that of the bytes: they were changed.
    Checksum { expected: u32, got: u32 },
    /// The execution plan's checksum differs, though the whole file's did not when it was opened.
    Damaged { expected: u32, got: u32 },
    /// A number breaks a rule of the form; what it describes.
    Form { what: &'static str },
    /// A layer, from 0, does not fit its numbers or its places in the arena; what does not.
    Layer { layer: usize, what: &'static str },
    /// A property of the metadata.
    Metadata(MetadataError),
}

impl fmt::Display for PackedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let remedy = "pack the model again";
        match self {
            Self::Magic => write!(f, "expected a packed model, got other bytes; make one with `pack`"),
            Self::Version { got } => {
                write!(
                    f,
                    "expected a packed model of version {VERSION}, got version {got}; {remedy}: `edge-runtime --model MODEL.onnx pack MODEL.packed`"
                )
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
