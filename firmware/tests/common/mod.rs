//! Small signed models, made here.
#![allow(dead_code)]

#[path = "../../../edge-runtime/core/tests/network/mod.rs"]
mod network;

use ed25519_dalek::{Signer, SigningKey};
use edge_core::packed::{self, Network, Packed};
use edge_core::{Engine, Metadata, kernels::Kernels};
use firmware::bundle::{self, Device, Golden, HEADER};
use network::{Aligned, Built};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Seeds of the key of the tests' devices, and of another.
pub const SECRET: [u8; 32] = [7; 32];
pub const OTHER_SECRET: [u8; 32] = [8; 32];
/// Bytes of the tests' arenas: more than any of these models needs.
pub const ARENA: usize = 0x4000;
/// Side of the models' input.
pub const SIDE: usize = 16;

pub static PUBLIC: LazyLock<[u8; 32]> = LazyLock::new(|| public(&SECRET));

pub fn public(secret: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(secret).verifying_key().to_bytes()
}

pub fn device() -> Device<'static> {
    Device { key: &PUBLIC, arena: ARENA }
}

/// The signed model of a version; the seed makes it another one.
pub fn signed(version: &str, seed: u64) -> Vec<u8> {
    thread_local! {
        static MADE: RefCell<HashMap<(String, u64), Vec<u8>>> = RefCell::default();
    }
    let key = (version.to_string(), seed);
    MADE.with_borrow_mut(|made| {
        made.entry(key).or_insert_with(|| sign_with(version, seed, 0, &SECRET)).clone()
    })
}

/// As [`signed`], with bits of the golden logit flipped and by another key.
pub fn sign_with(version: &str, seed: u64, wrong_bits: u32, secret: &[u8; 32]) -> Vec<u8> {
    let built = Built::new(SIDE, seed);
    let model = built.with(|network| {
        let metadata = Metadata { version: version.try_into().unwrap(), ..network.metadata.clone() };
        let network = Network { metadata: &metadata, ..*network };
        let mut bytes = Aligned::zeroed(packed::packed_len(&network).unwrap());
        packed::write(&network, bytes.as_mut()).unwrap();
        Packed::new(bytes).unwrap()
    });
    let input: Vec<u8> = (0..SIDE * SIDE).map(|at| (at * (5 + seed as usize)) as u8).collect();
    let engine = Engine::new(model, Kernels::SCALAR);
    let logit = engine.step(&mut vec![0; ARENA], &input).unwrap();
    let golden = Golden { input: &input, logit_bits: logit.to_bits() ^ wrong_bits };
    bundle::sign(engine.model(), &golden, secret).unwrap()
}

/// Makes checksum and signature right again after a change.
pub fn seal(bytes: &mut [u8], secret: &[u8; 32]) {
    let digest = Sha256::digest(&bytes[HEADER..]);
    bytes[40..72].copy_from_slice(&digest);
    let signature = SigningKey::from_bytes(secret).sign(&bytes[..192]);
    bytes[192..256].copy_from_slice(&signature.to_bytes());
}
