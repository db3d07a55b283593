//! A board's bundle: signed, with a packed model in it.

use crate::error::BundleError;
use crate::form::{HEADER, Target};
use crate::signed::{BundleId, Signed};
use crate::version::Version;
use edge_core::Packed;

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
        if bytes.first_chunk::<HEADER>().is_some_and(|header| header.iter().all(|byte| *byte == 0xFF)) {
            return Err(BundleError::Empty);
        }
        let signed = Signed::open(bytes, Target::Board, verifier.key)?;
        let model = Packed::new(signed.model)?;
        let plan = model.plan()?;
        let (needed, limit) = (model.arena_bytes(), verifier.arena_bytes);
        if needed > limit {
            return Err(BundleError::Arena { needed, limit });
        }
        signed.check_model(plan.metadata()?.version, plan.value(0)?.shape.bytes())?;
        let Signed { version, id, input, logit_bits, .. } = signed;
        Ok(Self { model, version, id, input, logit_bits })
    }
}
