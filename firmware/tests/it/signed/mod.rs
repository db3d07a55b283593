//! Small signed models, made here, and a flash to put them into.
pub mod boots;
pub mod flash;

use ed25519_dalek::{Signer, SigningKey};
use edge_core::packed::{self, Network, Packed};
use edge_core::{Engine, Metadata, kernels::Kernels};
use firmware::bundle::{self, BundleVerifier, Golden, HEADER};
use serde::{Deserialize, Deserializer, de::Error as _};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;
use test_support::network::{Aligned, Built};

/// Seeds of the key of the tests' devices, and of another.
pub const SECRET: [u8; 32] = [7; 32];
pub const OTHER_SECRET: [u8; 32] = [8; 32];
/// Bytes of the tests' arenas: more than any of these models needs.
pub const ARENA: usize = 0x8000;

pub static PUBLIC: LazyLock<[u8; 32]> = LazyLock::new(|| public(&SECRET));

pub fn public(secret: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(secret).verifying_key().to_bytes()
}

pub fn verifier() -> BundleVerifier<'static> {
    BundleVerifier { key: &PUBLIC, arena_bytes: ARENA }
}

/// A model to be made, as files of faults have it too.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields, default = "Recipe::newer")]
pub struct Recipe {
    pub version: String,
    /// Another seed makes another model of the same version.
    pub seed: u64,
    /// Of its input, in pixels.
    pub side: usize,
    /// Bits of the golden logit that are flipped.
    pub wrong_bits: u32,
    /// In files the `key`: `own` or `other`.
    #[serde(rename = "key", deserialize_with = "secret")]
    pub secret: [u8; 32],
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    match String::deserialize(from)?.as_str() {
        "own" => Ok(SECRET),
        "other" => Ok(OTHER_SECRET),
        key => Err(D::Error::custom(format!("expected the key own or other, got {key}"))),
    }
}

impl Recipe {
    pub fn of(version: &str) -> Self {
        Self { version: version.into(), seed: 1, side: 16, wrong_bits: 0, secret: SECRET }
    }

    /// What most candidates for an update are.
    pub fn newer() -> Self {
        Self::of("1.1.0")
    }

    pub fn sign(&self) -> Vec<u8> {
        thread_local! {
            static MADE: RefCell<HashMap<Recipe, Vec<u8>>> = RefCell::default();
        }
        MADE.with_borrow_mut(|made| made.entry(self.clone()).or_insert_with(|| self.make()).clone())
    }

    fn make(&self) -> Vec<u8> {
        let model = Built::new(self.side, self.seed).with(|network| {
            let metadata = Metadata { version: self.version.as_str(), ..network.metadata };
            let network = Network { metadata, ..*network };
            let mut bytes = Aligned::zeroed(packed::packed_len(&network).unwrap());
            packed::write(&network, bytes.as_mut()).unwrap();
            Packed::new(bytes).unwrap()
        });
        let input: Vec<u8> =
            (0..self.side * self.side).map(|at| (at * (5 + self.seed as usize)) as u8).collect();
        let engine = Engine::new(model, Kernels::SCALAR);
        let logit = engine.infer(&mut vec![0; ARENA], &input).unwrap();
        let golden = Golden { input: &input, logit_bits: logit.to_bits() ^ self.wrong_bits };
        bundle::sign(engine.model(), &golden, &self.secret).unwrap()
    }
}

/// Makes checksum and signature right again after a change.
pub fn seal(bytes: &mut [u8], secret: &[u8; 32]) {
    let digest = Sha256::digest(&bytes[HEADER..]);
    bytes[40..72].copy_from_slice(&digest);
    let signature = SigningKey::from_bytes(secret).sign(&bytes[..192]);
    bytes[192..256].copy_from_slice(&signature.to_bytes());
}

/// SplitMix64.
pub fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The same bytes where a model may lie, for as long as the test runs.
pub fn aligned(bytes: &[u8]) -> &'static [u8] {
    let kept: &'static Aligned = Box::leak(Box::new(Aligned::copy_of(bytes)));
    kept.as_ref()
}
