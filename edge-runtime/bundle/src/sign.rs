//! The writer of signed models: for the host, which has an allocator.

use crate::form::{ALIGNMENT, FORMAT, HEADER, Target, field, fingerprint, sha256};
use crate::version::Version;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use ed25519_dalek::{Signer, SigningKey};
use edge_core::Packed;
use edge_core::packed::PackedError;

/// What a device must compute of which input before it shows anything.
#[derive(Clone, Copy, Debug)]
pub struct Golden<'a> {
    /// The network's input, `side * side` bytes.
    pub input: &'a [u8],
    /// Bits of its logit.
    pub logit_bits: u32,
}

/// A board's bundle of a packed model. `secret` is the seed of the ed25519 key.
///
/// # Errors
/// [`SignError`]: a device would refuse the bundle.
pub fn sign<B: AsRef<[u8]>>(
    model: &Packed<B>,
    golden: &Golden,
    secret: &[u8; 32],
) -> Result<Vec<u8>, SignError> {
    let plan = model.plan()?;
    let expected = plan.value(0)?.shape.bytes();
    if golden.input.len() != expected {
        return Err(SignError::Input { expected, got: golden.input.len() });
    }
    write(Target::Board, model.bytes(), plan.metadata()?.version, golden, secret)
}

/// The bundle for Linux of a model file, whose metadata say `version`.
///
/// # Errors
/// [`SignError::Version`] and [`SignError::TooLarge`]; what is in the file is not looked at.
pub fn sign_file(
    file: &[u8],
    version: &str,
    golden: &Golden,
    secret: &[u8; 32],
) -> Result<Vec<u8>, SignError> {
    write(Target::Linux, file, version, golden, secret)
}

fn write(
    target: Target,
    model: &[u8],
    version: &str,
    golden: &Golden,
    secret: &[u8; 32],
) -> Result<Vec<u8>, SignError> {
    let version = Version::parse(version).ok_or(SignError::Version)?;
    let start = HEADER.next_multiple_of(ALIGNMENT);
    let input = start + model.len();
    let length = input + golden.input.len();
    let number = |number: usize| u32::try_from(number).map_err(|_| SignError::TooLarge);

    let key = SigningKey::from_bytes(secret);
    let mut bytes = Vec::with_capacity(length);
    bytes.resize(start, 0);
    bytes.extend_from_slice(model);
    bytes.extend_from_slice(golden.input);
    let digest = sha256(&bytes[HEADER..]);

    let mut put = |at: Range<usize>, value: &[u8]| bytes[at].copy_from_slice(value);
    put(field::MAGIC, &target.magic());
    put(field::FORMAT, &FORMAT.to_le_bytes());
    put(field::VERSION, &version.0.to_le_bytes());
    put(field::LENGTH, &number(length)?.to_le_bytes());
    put(field::MODEL, &number(start)?.to_le_bytes());
    put(field::MODEL_LENGTH, &number(model.len())?.to_le_bytes());
    put(field::INPUT, &number(input)?.to_le_bytes());
    put(field::INPUT_LENGTH, &number(golden.input.len())?.to_le_bytes());
    put(field::LOGIT, &golden.logit_bits.to_le_bytes());
    put(field::SHA256, &digest);
    put(field::KEY, &fingerprint(&key.verifying_key().to_bytes()));
    let signature = key.sign(&bytes[field::SIGNED]);
    bytes[field::SIGNATURE].copy_from_slice(&signature.to_bytes());
    Ok(bytes)
}

/// Why a model is not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignError {
    /// Its version is no `1.2.3`.
    Version,
    /// The golden input has another size than the network's.
    Input {
        /// Bytes of the network's input, `side * side`.
        expected: usize,
        /// Bytes of the golden input.
        got: usize,
    },
    /// The header cannot say its length.
    TooLarge,
    /// The model has changed in memory since it was checked.
    Model(PackedError),
}

impl From<PackedError> for SignError {
    fn from(error: PackedError) -> Self {
        Self::Model(error)
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version => {
                write!(
                    f,
                    "expected a model whose version is of the form 1.2.3 (at most 4095.1023.1023); name one when it is trained"
                )
            }
            Self::Input { expected, got } => {
                write!(
                    f,
                    "expected a golden input of {expected} bytes, got {got}; take the one of this model"
                )
            }
            Self::TooLarge => write!(f, "the model is larger than 4 GB"),
            Self::Model(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SignError {}
