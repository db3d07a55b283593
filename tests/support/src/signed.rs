//! Signed models: the shipped network under other versions, as its makers would sign it.

use crate::loaded::shipped;
use bundle::Golden;
use ed25519_dalek::SigningKey;
use edge_core::Metadata;
use edge_core::kernels::Kernels;
use edge_model::engine::Engine;
use edge_model::infer_core::CoreEngine;
use edge_model::model_file::ModelFile;
use edge_model::self_test;

/// Seeds of the key that the tests' devices know, and of another.
pub const SECRET: [u8; 32] = [7; 32];
pub const OTHER_SECRET: [u8; 32] = [8; 32];

/// A model that was signed.
pub struct Made {
    pub sha256: String,
    pub bundle: Vec<u8>,
}

/// The text of the file with a key's public half.
pub fn public(secret: &[u8; 32]) -> String {
    let key = SigningKey::from_bytes(secret).verifying_key().to_bytes();
    let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("# of the tests\n{digits}\n")
}

/// The file of the shipped network that calls itself `version`.
pub fn versioned(version: &str) -> Vec<u8> {
    let shipped = shipped();
    let metadata = Metadata { version: version.to_owned(), ..shipped.metadata().clone() };
    shipped.with_metadata(&metadata).unwrap()
}

/// The bundle for Linux of [`versioned`].
pub fn made(version: &str) -> Made {
    made_with(version, &SECRET, 0)
}

/// The same with another key, and with these bits of the golden logit flipped.
pub fn made_with(version: &str, secret: &[u8; 32], wrong_bits: u32) -> Made {
    let file = versioned(version);
    let model = ModelFile::from_bytes(&file).unwrap();
    let input = self_test::input(model.metadata().input_side);
    let logit = CoreEngine::load(&model, Kernels::SCALAR).unwrap().infer(&input).unwrap();
    let golden = Golden { input: &input, logit_bits: logit.to_bits() ^ wrong_bits };
    let bundle = bundle::sign_file(&file, version, &golden, secret).unwrap();
    Made { sha256: model.sha256().to_owned(), bundle }
}
