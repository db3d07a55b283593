//! What boards and Linux check alike: form, checksum, signature.

use crate::error::BundleError;
use crate::form::{FORMAT, HEADER, MAGIC, Target, field, fingerprint, first, part, sha256, size, word};
use crate::version::Version;
use ed25519_dalek::{Signature, VerifyingKey};

/// What names one bundle among others: the first bytes of its header's SHA-256, and so of
/// everything that is signed.
pub type BundleId = [u8; 8];

/// What somebody signed, with nothing said yet of the model in it.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// As the header says; the model's own metadata must agree ([`Signed::check_model`]).
    pub version: Version,
    /// The same bytes have the same.
    pub id: BundleId,
    /// The model, where it lies.
    pub model: &'a [u8],
    /// The network's input of the self-test.
    pub input: &'a [u8],
    /// Bits of the f32 logit that must come of it.
    pub logit_bits: u32,
}

impl<'a> Signed<'a> {
    /// Checks form, checksum and signature; what is cheap comes first.
    ///
    /// # Errors
    /// [`BundleError`]; any bytes give a value or an error.
    pub fn open(bytes: &'a [u8], target: Target, key: &[u8; 32]) -> Result<Self, BundleError> {
        let Some(header) = bytes.first_chunk::<HEADER>() else {
            return Err(BundleError::Short { expected: HEADER, got: bytes.len() });
        };
        match Target::of(header) {
            Some(got) if got == target => {}
            Some(got) => return Err(BundleError::Target { expected: target, got }),
            None => return Err(BundleError::Magic),
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
        let (true, Some(content), Some(input)) = (parts, bytes.get(model.clone()), bytes.get(input)) else {
            return Err(BundleError::Length { length, model: model.end });
        };
        check_sum(header, bytes)?;
        check_signature(header, key)?;
        Ok(Self {
            version: Version(word(header, field::VERSION)),
            id: id(bytes),
            model: content,
            input,
            logit_bits: word(header, field::LOGIT),
        })
    }

    /// Holds the header against the model in it: the version that its metadata say, and the bytes of
    /// its network's input, `side * side`.
    ///
    /// # Errors
    /// [`BundleError::Version`] and [`BundleError::Input`].
    pub fn check_model(&self, version: &str, input_bytes: usize) -> Result<(), BundleError> {
        let (header, model) = (self.version, Version::parse(version));
        if model != Some(header) {
            return Err(BundleError::Version { header, model });
        }
        if self.input.len() != input_bytes {
            return Err(BundleError::Input { expected: input_bytes, got: self.input.len() });
        }
        Ok(())
    }
}

/// What names the bundle that begins with these bytes, whether it is a whole one or not.
pub fn id(bytes: &[u8]) -> BundleId {
    let header = bytes.get(..HEADER).unwrap_or(bytes);
    first(&sha256(header))
}

/// The version that a board's header says, unchecked: only to look first where there is more to
/// find.
pub fn claimed_version(bytes: &[u8]) -> Version {
    let is_one = bytes.len() >= HEADER && bytes.starts_with(&MAGIC);
    Version(if is_one { word(bytes, field::VERSION) } else { 0 })
}

/// The [`fingerprint`] of the key that a header says it is signed with, unchecked: only to choose
/// among several keys.
pub fn signer(bytes: &[u8]) -> Option<[u8; 8]> {
    let header = bytes.first_chunk::<HEADER>()?;
    Target::of(header)?;
    header.get(field::KEY).map(first)
}

/// What lies in the bundle for `target` that begins with these bytes, unchecked; none where it is
/// no such bundle. For a file that a person names: the model in it has its own checks.
pub fn unchecked_model(bytes: &[u8], target: Target) -> Option<&[u8]> {
    let header = bytes.first_chunk::<HEADER>()?;
    let model = part(header, field::MODEL, field::MODEL_LENGTH);
    let is_one = Target::of(header) == Some(target) && model.start >= HEADER;
    bytes.get(model).filter(|_| is_one)
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
