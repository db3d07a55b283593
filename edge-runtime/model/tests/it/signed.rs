//! A signed model file: what was signed is what is opened, and no other bytes are.

use bundle::{BundleError, Golden, Version};
use edge_model::engine::{Engine, EngineKind};
use edge_model::infer_core::CoreEngine;
use edge_model::model_file::{ModelFile, sha256_hex};
use edge_model::self_test::{SelfTestError, input};
use edge_model::signed::{SignedModel, SignedModelError, named_model};
use proptest::prelude::*;
use std::sync::LazyLock;
use test_support::{assert_contains, model};

const SECRET: [u8; 32] = [7; 32];

/// The public half of [`SECRET`], and another key's.
static KEYS: LazyLock<[[u8; 32]; 2]> = LazyLock::new(|| {
    let key = bundle::key_file::parse_public;
    [
        // RFC 8032 has no such seeds; these were made by OpenSSL from them (`openssl pkey -pubout`).
        key("ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c").unwrap(),
        key("1398f62c6d1a457c51ba6a4b5f3dbd2f69fca93216218dc8997e416bd17d93ca").unwrap(),
    ]
});

/// The small model, signed as version 0.0.1 or whatever its metadata say.
static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| signed(0));

fn version() -> String {
    ModelFile::from_bytes(&model::small(1)).unwrap().metadata().version.clone()
}

fn signed(wrong_bits: u32) -> Vec<u8> {
    let file = model::small(1);
    let model = ModelFile::from_bytes(&file).unwrap();
    let input = input(model.metadata().input_side);
    let mut engine = CoreEngine::load(&model, edge_core::kernels::Kernels::SCALAR).unwrap();
    let logit_bits = engine.infer(&input).unwrap().to_bits() ^ wrong_bits;
    bundle::sign_file(&file, &version(), &Golden { input: &input, logit_bits }, &SECRET).unwrap()
}

#[test]
fn what_was_signed_is_what_is_opened_and_every_engine_computes_it() {
    let signed_model = SignedModel::open(&GOOD, &*KEYS).unwrap();
    assert_eq!(signed_model.model().sha256(), sha256_hex(&model::small(1)));
    assert_eq!(Some(signed_model.version()), Version::parse(&version()));
    assert_eq!(named_model(&GOOD), model::small(1), "the file in it is read where it is named");
    // A model that reaches into the header is none, and the file stands for itself.
    let mut reaching = GOOD.clone();
    reaching[20..24].copy_from_slice(&255_u32.to_le_bytes());
    assert_eq!(named_model(&reaching), reaching);
    for kind in EngineKind::ALL {
        signed_model.self_test(&mut *kind.load(signed_model.model()).unwrap()).unwrap();
    }
    let wrong = SignedModel::open(&signed(1), &*KEYS).unwrap();
    let mut engine = EngineKind::default().load(wrong.model()).unwrap();
    let error = wrong.self_test(&mut *engine).unwrap_err();
    assert!(matches!(error, SelfTestError::Logit { .. }), "{error}");
    assert_contains(&error.to_string(), &["as by whoever signed the model"]);
}

#[test]
fn it_takes_one_of_the_keys_and_no_other() {
    let [own, other] = *KEYS;
    assert!(SignedModel::open(&GOOD, &[other, own]).is_ok());
    let error = SignedModel::open(&GOOD, &[other]).unwrap_err();
    assert!(matches!(error, SignedModelError::Key { .. }), "{error}");
    let names = [own, other].map(|key| format!("{:016x}", u64::from_be_bytes(bundle::fingerprint(&key))));
    assert_contains(&error.to_string(), &[&names[0], &names[1], "sign it with a key of this device"]);
    let error = SignedModel::open(&GOOD, &[]).unwrap_err().to_string();
    assert_contains(&error, &["which has none"]);
}

#[test]
fn the_file_in_it_is_checked_as_any_other() {
    let (input, file) = (vec![0; 32 * 32], model::small(1));
    let sign = |file: &[u8], version: &str, input: &[u8]| {
        bundle::sign_file(file, version, &Golden { input, logit_bits: 0 }, &SECRET).unwrap()
    };
    let open = |bytes: Vec<u8>| SignedModel::open(&bytes, &*KEYS).unwrap_err();
    let mut damaged = file.clone();
    damaged[file.len() / 2] ^= 1;
    assert!(matches!(open(sign(&damaged, &version(), &input)), SignedModelError::Model(_)));
    assert!(matches!(
        open(sign(&file, "9.9.9", &input)),
        SignedModelError::Bundle(BundleError::Version { .. })
    ));
    assert!(matches!(
        open(sign(&file, &version(), &input[1..])),
        SignedModelError::Bundle(BundleError::Input { expected: 1024, got: 1023 })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_changed_byte_is_refused(at in any::<prop::sample::Index>(), by in 1u8..) {
        let mut bytes = GOOD.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= by;
        prop_assert!(SignedModel::open(&bytes, &*KEYS).is_err(), "byte {at}");
    }

    #[test]
    fn any_length_but_the_whole_is_refused(length in any::<prop::sample::Index>()) {
        let bytes = &GOOD[..length.index(GOOD.len())];
        prop_assert!(SignedModel::open(bytes, &*KEYS).is_err());
        // And what a person names is read or refused.
        let _ = named_model(bytes);
    }

    #[test]
    fn noise_is_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..2000), like in any::<bool>()) {
        if let (true, Some(start)) = (like, bytes.get_mut(..12)) {
            start.copy_from_slice(b"PNEUMOSL\x01\0\0\0");
        }
        prop_assert!(SignedModel::open(&bytes, &*KEYS).is_err());
        let _ = named_model(&bytes);
    }
}
