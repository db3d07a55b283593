//! A model file that somebody signed: what travels to a device with Linux. The form and the
//! signature are boards' ([`bundle`]); what is in it is the model file itself.

use crate::engine::Engine;
use crate::model_file::{ModelFile, ModelFileError};
use crate::self_test::{SelfTestError, signed};
use bundle::{BundleError, Signed, Target, fingerprint, signer, unchecked_model};

/// A public key of those whose models a device takes.
pub type PublicKey = [u8; 32];

/// A model of which everything was checked but what it computes; that is
/// [`SignedModel::self_test`]'s.
#[derive(Clone, Debug)]
pub struct SignedModel {
    model: ModelFile,
    version: bundle::Version,
    key: [u8; 8],
    input: Vec<u8>,
    logit_bits: u32,
}

impl SignedModel {
    /// Checks a bundle's form, checksum, signature, model and version. One of the `keys` must have
    /// signed it.
    ///
    /// # Errors
    /// [`SignedModelError`]; any bytes give a value or an error.
    pub fn open(bytes: &[u8], keys: &[PublicKey]) -> Result<Self, SignedModelError> {
        let names = || keys.iter().map(fingerprint).map(u64::from_be_bytes).collect();
        let key = match signer(bytes) {
            Some(got) => keys
                .iter()
                .find(|key| fingerprint(key) == got)
                .ok_or_else(|| SignedModelError::Key { expected: names(), got: u64::from_be_bytes(got) })?,
            // Not even a header: opening says what is wrong, whatever the key.
            None => &[0; 32],
        };
        let signed = Signed::open(bytes, Target::Linux, key)?;
        let model = ModelFile::from_bytes(signed.model)?;
        let side = usize::from(model.metadata().input_side);
        signed.check_model(&model.metadata().version, side * side)?;
        let (version, input) = (signed.version, signed.input.to_vec());
        Ok(Self { model, version, key: fingerprint(key), input, logit_bits: signed.logit_bits })
    }

    /// Whether this engine, of this model, computes what whoever signed it computed.
    ///
    /// # Errors
    /// [`SelfTestError`]: nothing that the engine says may be shown.
    pub fn self_test(&self, engine: &mut dyn Engine) -> Result<(), SelfTestError> {
        signed(engine, &self.input, self.logit_bits)
    }

    /// The model alone.
    pub fn into_model(self) -> ModelFile {
        self.model
    }

    /// The model in it.
    pub fn model(&self) -> &ModelFile {
        &self.model
    }

    /// Header and metadata agree on it.
    pub fn version(&self) -> bundle::Version {
        self.version
    }

    /// Bits of the f32 logit that the golden input must give.
    pub fn logit_bits(&self) -> u32 {
        self.logit_bits
    }

    /// The [`fingerprint`] of the key that it is signed with.
    pub fn key(&self) -> u64 {
        u64::from_be_bytes(self.key)
    }
}

/// The bytes of the model file that a person named: the file itself, or of a bundle for Linux what
/// lies in it. Its signature is not looked at.
pub fn named_model(file: &[u8]) -> &[u8] {
    unchecked_model(file, Target::Linux).unwrap_or(file)
}

/// Why a bundle is refused before anything of it is run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignedModelError {
    /// Form, checksum, signature or version.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Signed by somebody else.
    #[error(
        "expected a model signed with {}, got one of key {got:016x}; sign it with a key of this device, or have \
         the public half of that key put where this device keeps its keys",
        listed(expected)
    )]
    Key {
        /// Fingerprints of the device's keys.
        expected: Vec<u64>,
        /// Of the key that the header names.
        got: u64,
    },
    /// The model in it is none that this program can run.
    #[error(transparent)]
    Model(#[from] ModelFileError),
}

fn listed(keys: &[u64]) -> String {
    match keys {
        [] => "a key of this device, which has none".to_owned(),
        keys => {
            let names: Vec<_> = keys.iter().map(|key| format!("{key:016x}")).collect();
            format!("key {}", names.join(" or "))
        }
    }
}
