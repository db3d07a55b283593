//! A signed model's bytes, for Linux or for a board: one of which everything holds, or an error of one
//! line. The same bytes as a text: a key, or an error of one line.
//!
//! Nearly every changed byte breaks the checksum or the signature; so both are made anew, as by
//! somebody who has the key and means ill, or whose own tools are wrong.
#![no_main]

use bundle::{Bundle, BundleVerifier, HEADER, Target, Version, fingerprint, key_file};
use ed25519_dalek::{Signer, SigningKey};
use edge_model::aligned::AlignedBytes;
use edge_model::signed::SignedModel;
use fuzz::{assert_one_line, planted_fault};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// The seed of the key that all is signed with.
const SECRET: [u8; 32] = [7; 32];

fn signer() -> &'static SigningKey {
    static SIGNER: OnceLock<SigningKey> = OnceLock::new();
    SIGNER.get_or_init(|| SigningKey::from_bytes(&SECRET))
}

fuzz_target!(|bytes: &[u8]| {
    text(&String::from_utf8_lossy(bytes));
    check(bytes);
    let mut repaired = bytes.to_vec();
    repair(&mut repaired);
    check(&repaired);
});

/// Puts right what the signature covers: checksum, key and the signature itself, at their places in
/// the header.
fn repair(bytes: &mut [u8]) {
    let Some((header, behind)) = bytes.split_at_mut_checked(HEADER) else { return };
    let length = u32::from_le_bytes([header[16], header[17], header[18], header[19]]) as usize;
    let covered = length.saturating_sub(HEADER).min(behind.len());
    header[40..72].copy_from_slice(&Sha256::digest(&behind[..covered]));
    header[72..80].copy_from_slice(&fingerprint(signer().verifying_key().as_bytes()));
    let signature = signer().sign(&header[..192]);
    header[192..256].copy_from_slice(&signature.to_bytes());
}

fn check(bytes: &[u8]) {
    let key = signer().verifying_key().to_bytes();
    match SignedModel::open(bytes, &[[1; 32], key]) {
        Ok(signed) => {
            let metadata = signed.model().metadata();
            assert_eq!(metadata.check(), Ok(()));
            let said = if planted_fault() { None } else { Version::parse(&metadata.version) };
            assert_eq!(said, Some(signed.version()));
            assert_eq!(signed.key(), u64::from_be_bytes(fingerprint(&key)));
            // Nobody else's key opens it.
            assert!(SignedModel::open(bytes, &[[1; 32]]).is_err());
        }
        Err(error) => assert_one_line(&error),
    }
    let lying = AlignedBytes::copy_of(bytes);
    let verifier = BundleVerifier { key: &key, arena_bytes: 64 << 10 };
    match Bundle::open(lying.as_ref(), &verifier) {
        Ok(bundle) => {
            assert!(bundle.model.arena_bytes() <= verifier.arena_bytes);
            let plan = bundle.model.plan().expect("checked");
            let version = plan.metadata().expect("checked").version;
            assert_eq!(Version::parse(version), Some(bundle.version));
            assert_eq!(plan.value(0).expect("checked").shape.bytes(), bundle.input.len());
            // What is for a board is nothing for Linux.
            assert!(SignedModel::open(bytes, &[key]).is_err());
        }
        Err(error) => assert_one_line(&error),
    }
    // What a person names without a signature is a part of the file.
    for target in [Target::Linux, Target::Board] {
        let model = bundle::unchecked_model(bytes, target);
        assert!(model.is_none_or(|model| model.len() + HEADER <= bytes.len() || bytes.len() < HEADER));
    }
}

/// A key file's text; what it holds may be a secret and is in no error.
fn text(text: &str) {
    match key_file::parse_public(text) {
        Ok(key) => assert_eq!(key_file::parse(text), Ok(key)),
        Err(error) => assert_one_line(&error),
    }
}
