//! The form of a signed model: what it is for, the places of the header's fields, and the hash that
//! covers the rest.

use core::ops::Range;
use sha2::{Digest, Sha256};

/// What a board's bundle begins with.
pub const MAGIC: [u8; 8] = *b"PNEUMOSB";

/// What a signed model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A chip: a packed model, read in place.
    Board,
    /// A machine with Linux: a model file.
    Linux,
}

impl Target {
    /// What its bundles begin with.
    pub const fn magic(self) -> [u8; 8] {
        match self {
            Self::Board => MAGIC,
            Self::Linux => *b"PNEUMOSL",
        }
    }

    /// What these bytes are a bundle for, by their magic; none where they begin otherwise.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        [Self::Board, Self::Linux].into_iter().find(|target| bytes.get(field::MAGIC) == Some(&target.magic()))
    }

    /// In a sentence: `a board`, `Linux`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Board => "a board",
            Self::Linux => "Linux",
        }
    }
}

/// Version of the form that this code reads and writes.
pub const FORMAT: u32 = 1;
/// Bytes of the header.
pub const HEADER: usize = 256;
/// The model begins at a multiple of this.
pub const ALIGNMENT: usize = 64;

/// Places of the header's fields. Numbers are little-endian; the bytes between key and signature
/// are 0.
pub(crate) mod field {
    use core::ops::Range;

    pub const MAGIC: Range<usize> = 0..8;
    pub const FORMAT: Range<usize> = 8..12;
    pub const VERSION: Range<usize> = 12..16;
    pub const LENGTH: Range<usize> = 16..20;
    pub const MODEL: Range<usize> = 20..24;
    pub const MODEL_LENGTH: Range<usize> = 24..28;
    pub const INPUT: Range<usize> = 28..32;
    pub const INPUT_LENGTH: Range<usize> = 32..36;
    pub const LOGIT: Range<usize> = 36..40;
    pub const SHA256: Range<usize> = 40..72;
    pub const KEY: Range<usize> = 72..80;
    /// What the signature covers.
    pub const SIGNED: Range<usize> = 0..192;
    pub const SIGNATURE: Range<usize> = 192..256;
}

/// The first bytes of a key's SHA-256: what messages name it by.
pub fn fingerprint(key: &[u8; 32]) -> [u8; 8] {
    first(&sha256(key))
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(crate) fn first(bytes: &[u8]) -> [u8; 8] {
    bytes.first_chunk().copied().unwrap_or_default()
}

pub(crate) fn word(bytes: &[u8], at: Range<usize>) -> u32 {
    bytes.get(at).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

pub(crate) fn size(bytes: &[u8], at: Range<usize>) -> usize {
    usize::try_from(word(bytes, at)).unwrap_or(usize::MAX)
}

/// A range that the header gives as its start and its length.
pub(crate) fn part(header: &[u8], start: Range<usize>, length: Range<usize>) -> Range<usize> {
    let start = size(header, start);
    start..start.saturating_add(size(header, length))
}
