//! Why bytes are no model for this device.

use crate::form::{FORMAT, Target};
use crate::version::Version;
use core::fmt;
use edge_core::packed::PackedError;

/// Why a bundle is refused before anything of it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BundleError {
    /// Erased flash: nothing was ever written there, or it was not finished.
    Empty,
    /// Not even a header.
    Short {
        /// Bytes of a header.
        expected: usize,
        /// Bytes of the file or slot.
        got: usize,
    },
    /// The bytes begin with no bundle's [`Target::magic`].
    Magic,
    /// A bundle for another kind of device.
    Target {
        /// This one.
        expected: Target,
        /// What it is for.
        got: Target,
    },
    /// Written in another version of the form.
    Format {
        /// The version found.
        got: u32,
    },
    /// More bytes than there are.
    TooLarge {
        /// Bytes that the header says.
        length: usize,
        /// Bytes of the slot or the file.
        slot: usize,
    },
    /// The header's places and lengths contradict each other.
    Length {
        /// Bytes of the bundle, as the header says.
        length: usize,
        /// Where it says that the model ends.
        model: usize,
    },
    /// Bytes behind the header were changed.
    Checksum {
        /// The first bytes of the SHA-256 that the header says.
        expected: [u8; 8],
        /// Of what the bytes give.
        got: [u8; 8],
    },
    /// Signed with another key.
    Key {
        /// Fingerprint of the device's key.
        expected: [u8; 8],
        /// Of the key that the header names.
        got: [u8; 8],
    },
    /// The key in the device is none.
    DeviceKey,
    /// The signature is not one of this key over this header.
    Signature,
    /// The packed model in it is none that this program can run.
    Model(PackedError),
    /// The model needs more working memory than the device has.
    Arena {
        /// Bytes of the model's arena.
        needed: usize,
        /// Bytes of the device's arena.
        limit: usize,
    },
    /// Header and metadata disagree on the version.
    Version {
        /// The header's.
        header: Version,
        /// The metadata's; none where it is of another form.
        model: Option<Version>,
    },
    /// The golden input has another size than the network's.
    Input {
        /// Bytes of the network's input, `side * side`.
        expected: usize,
        /// Bytes of the golden input.
        got: usize,
    },
}

impl BundleError {
    /// The word for it in the log's `refused` line.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Short { .. } => "too-short",
            Self::Magic => "no-bundle",
            Self::Target { .. } => "target",
            Self::Format { .. } => "format",
            Self::TooLarge { .. } => "too-large",
            Self::Length { .. } => "length",
            Self::Checksum { .. } => "checksum",
            Self::Key { .. } => "wrong-key",
            Self::DeviceKey => "device-key",
            Self::Signature => "signature",
            Self::Model(_) => "model",
            Self::Arena { .. } => "arena",
            Self::Version { .. } => "version",
            Self::Input { .. } => "golden-input",
        }
    }

    /// What was expected or is the limit, and what came; zeros where there is no such number.
    pub const fn numbers(&self) -> [u32; 2] {
        match *self {
            Self::Short { expected, got } | Self::Input { expected, got } => [expected as u32, got as u32],
            Self::Format { got } => [FORMAT, got],
            Self::TooLarge { length, slot } => [slot as u32, length as u32],
            Self::Length { length, model } => [length as u32, model as u32],
            Self::Checksum { expected, got } | Self::Key { expected, got } => {
                [leading(expected), leading(got)]
            }
            Self::Arena { needed, limit } => [limit as u32, needed as u32],
            Self::Version { header, model } => {
                [header.0, if let Some(version) = model { version.0 } else { 0 }]
            }
            Self::Empty | Self::Magic | Self::Target { .. } => [0, 0],
            Self::DeviceKey | Self::Signature | Self::Model(_) => [0, 0],
        }
    }
}

/// The first four bytes as they are printed.
const fn leading([a, b, c, d, ..]: [u8; 8]) -> u32 {
    u32::from_be_bytes([a, b, c, d])
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |bytes: &[u8; 8]| u64::from_be_bytes(*bytes);
        match self {
            Self::Empty => write!(f, "the slot is empty; flash a model"),
            Self::Short { expected, got } => {
                write!(f, "expected at least the {expected} bytes of a header, got {got}; take a whole one")
            }
            Self::Magic => write!(f, "expected a signed model, got other bytes; make one with `sign`"),
            Self::Target { expected, got } => {
                let (expected, got) = (expected.name(), got.name());
                write!(f, "expected a model signed for {expected}, got one for {got}; sign it for {expected}")
            }
            Self::Format { got } => {
                write!(f, "expected a signed model of version {FORMAT} of the form, got {got}; ")?;
                write!(f, "sign it with the tools of this version, or update the program that runs here")
            }
            Self::TooLarge { length, slot } => {
                write!(f, "it says {length} bytes and {slot} are there; ")?;
                write!(f, "copy the file again if it was cut short, else the slot is too small")
            }
            Self::Length { length, model } => {
                write!(f, "the model ends at byte {model} of {length}, which cannot be; sign it again")
            }
            Self::Checksum { expected, got } => {
                write!(f, "expected SHA-256 {:016x}..., got {:016x}...: damaged; ", hex(expected), hex(got))?;
                write!(f, "copy it again")
            }
            Self::Key { expected, got } => {
                write!(
                    f,
                    "expected a model signed with key {:016x}, got one of {:016x}; ",
                    hex(expected),
                    hex(got)
                )?;
                write!(f, "sign it with the key of this device")
            }
            Self::DeviceKey => {
                write!(
                    f,
                    "the device's public key is no ed25519 key; correct it in board.toml and flash the firmware"
                )
            }
            Self::Signature => write!(f, "the signature does not hold; sign the model again"),
            Self::Model(error) => error.fmt(f),
            Self::Arena { needed, limit } => {
                write!(
                    f,
                    "the model needs an arena of {needed} bytes and the device has {limit}; take a smaller one"
                )
            }
            Self::Version { header, model } => {
                write!(f, "signed as version {header}, but its metadata says ")?;
                match model {
                    Some(version) => write!(f, "{version}; sign it again"),
                    None => write!(f, "none of the form 1.2.3; name one when the model is trained"),
                }
            }
            Self::Input { expected, got } => {
                write!(f, "expected a golden input of {expected} bytes, got {got}; sign it again")
            }
        }
    }
}

impl core::error::Error for BundleError {}

impl From<PackedError> for BundleError {
    fn from(error: PackedError) -> Self {
        Self::Model(error)
    }
}
