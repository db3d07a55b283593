//! The signed model: what is flashed into a slot, and what must hold before any of it is run.
//!
//! ```text
//! header (256 bytes) | packed model | golden input (side * side bytes)
//! ```
//!
//! The header carries the model's version, a SHA-256 of everything behind it, and an ed25519
//! signature over itself; so the one signature covers every byte. [`Bundle::open`] is the only way
//! in, over bytes where they lie: nothing is copied. Bytes behind the length that the header says
//! are ignored, because a slot is larger than what lies in it. The feature `sign` has the writer.

mod error;
mod form;
#[cfg(feature = "sign")]
mod sign;
mod version;

pub use error::BundleError;
pub use form::{ALIGNMENT, FORMAT, HEADER, MAGIC, fingerprint};
#[cfg(feature = "sign")]
pub use sign::{Golden, SignError, sign};
pub use version::Version;

use ed25519_dalek::{Signature, VerifyingKey};
use edge_core::Packed;
use form::{field, first, part, sha256, size, word};

/// What names one bundle among others: the first bytes of its header's SHA-256, and so of
/// everything that is signed.
pub type BundleId = [u8; 8];

/// What a device holds a bundle against.
#[derive(Clone, Copy, Debug)]
pub struct BundleVerifier<'a> {
    /// The ed25519 key that models must be signed with.
    pub key: &'a [u8; 32],
    /// What a model may need of working memory.
    pub arena_bytes: usize,
}

/// A signed model of which everything was checked but what it computes; that is the self-test's.
#[derive(Clone, Copy, Debug)]
pub struct Bundle<'a> {
    /// The model, where it lies.
    pub model: Packed<&'a [u8]>,
    /// Header and metadata agree on it.
    pub version: Version,
    /// The same bytes have the same.
    pub id: BundleId,
    /// The network's input of the self-test, `side * side` bytes.
    pub input: &'a [u8],
    /// Bits of the f32 logit that must come of it.
    pub logit_bits: u32,
}

impl<'a> Bundle<'a> {
    /// Checks everything: form, checksum, signature, packed model, arena, version; what is cheap
    /// comes first. `bytes` is a slot or a file and lies at a multiple of
    /// [`edge_core::packed::ADDRESS_ALIGNMENT`].
    ///
    /// # Errors
    /// [`BundleError`]; any bytes give a value or an error.
    pub fn open(bytes: &'a [u8], verifier: &BundleVerifier) -> Result<Self, BundleError> {
        let Some(header) = bytes.first_chunk::<HEADER>() else {
            return Err(BundleError::Short { expected: HEADER, got: bytes.len() });
        };
        if header.iter().all(|byte| *byte == 0xFF) {
            return Err(BundleError::Empty);
        }
        if header.get(field::MAGIC) != Some(&MAGIC) {
            return Err(BundleError::Magic);
        }
        let format = word(header, field::FORMAT);
        if format != FORMAT {
            return Err(BundleError::Format { got: format });
        }
        let length = size(header, field::LENGTH);
        let bytes = bytes.get(..length).ok_or(BundleError::TooLarge { length, slot: bytes.len() })?;
        let model = part(header, field::MODEL, field::MODEL_LENGTH);
        let input = part(header, field::INPUT, field::INPUT_LENGTH);
        let parts = HEADER <= model.start && model.end <= input.start && input.end == length;
        let (true, Some(packed), Some(input)) = (parts, bytes.get(model.clone()), bytes.get(input)) else {
            return Err(BundleError::Length { length, model: model.end });
        };
        check_sum(header, bytes)?;
        check_signature(header, verifier.key)?;
        let model = Packed::new(packed)?;
        let plan = model.plan()?;
        let (needed, limit) = (model.arena_bytes(), verifier.arena_bytes);
        if needed > limit {
            return Err(BundleError::Arena { needed, limit });
        }
        let version = Version(word(header, field::VERSION));
        let named = Version::parse(plan.metadata()?.version);
        if named != Some(version) {
            return Err(BundleError::Version { header: version, model: named });
        }
        let expected = plan.value(0)?.shape.bytes();
        if input.len() != expected {
            return Err(BundleError::Input { expected, got: input.len() });
        }
        Ok(Self { model, version, id: id(bytes), input, logit_bits: word(header, field::LOGIT) })
    }
}

/// What names the bundle that begins with these bytes, whether it is a whole one or not.
pub fn id(bytes: &[u8]) -> BundleId {
    let header = bytes.get(..HEADER).unwrap_or(bytes);
    first(&sha256(header))
}

/// The version that a header says, unchecked: only to look first where there is more to find.
pub fn claimed_version(bytes: &[u8]) -> Version {
    let is_one = bytes.len() >= HEADER && bytes.starts_with(&MAGIC);
    Version(if is_one { word(bytes, field::VERSION) } else { 0 })
}

fn check_sum(header: &[u8; HEADER], bytes: &[u8]) -> Result<(), BundleError> {
    let got = sha256(bytes.get(HEADER..).unwrap_or(&[]));
    let expected = header.get(field::SHA256).unwrap_or(&[]);
    if expected == got {
        return Ok(());
    }
    Err(BundleError::Checksum { expected: first(expected), got: first(&got) })
}

/// Apart, so that its working memory is given back before the model is looked at.
#[inline(never)]
fn check_signature(header: &[u8; HEADER], key: &[u8; 32]) -> Result<(), BundleError> {
    let (expected, got) = (fingerprint(key), first(header.get(field::KEY).unwrap_or(&[])));
    if expected != got {
        return Err(BundleError::Key { expected, got });
    }
    let key = VerifyingKey::from_bytes(key).map_err(|_| BundleError::DeviceKey)?;
    let signature = header.get(field::SIGNATURE).and_then(|bytes| Signature::from_slice(bytes).ok());
    let signature = signature.ok_or(BundleError::Signature)?;
    let signed = header.get(field::SIGNED).unwrap_or(&[]);
    key.verify_strict(signed, &signature).map_err(|_| BundleError::Signature)
}
