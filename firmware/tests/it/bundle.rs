//! The signed model: what was signed is what is opened, and no other bytes are.

use crate::signed::{ARENA, OTHER_SECRET, PUBLIC, Recipe, SECRET, public, verifier};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use edge_core::packed::PackedError;
use firmware::bundle::{self, Bundle, BundleError, BundleVerifier, HEADER, Version};
use proptest::prelude::*;

fn signed(version: &str, seed: u64) -> Vec<u8> {
    Recipe { seed, ..Recipe::of(version) }.sign()
}

#[test]
fn what_was_signed_is_what_is_opened() {
    let bytes = signed("1.2.3", 1);
    // A slot is larger than what lies in it.
    let slot = [bytes.as_slice(), &[0xFF; 100]].concat();
    let bundle = Bundle::open(&slot, &verifier()).unwrap();
    assert_eq!(Some(bundle.version), Version::parse("1.2.3"));
    assert_eq!(bundle.version, bundle::claimed_version(&slot));
    assert_eq!(bundle.model.plan().unwrap().metadata().unwrap().version, "1.2.3");
    assert_eq!(bundle.input, &bytes[bytes.len() - 256..]);
    assert_eq!(bundle.id, bundle::id(&bytes));
    assert_ne!(bundle.id, bundle::id(&signed("1.2.3", 2)));
    let place = bundle.model.bytes().as_ptr().addr() - slot.as_ptr().addr();
    assert!(place.is_multiple_of(bundle::ALIGNMENT), "read where it lies");
}

#[test]
fn every_kind_of_damage_has_its_name() {
    let good = signed("1.2.3", 1);
    let after = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        Bundle::open(&bytes, &verifier()).err()
    };
    assert_eq!(after(&|_| ()), None);
    assert_eq!(after(&|b| b.fill(0xFF)), Some(BundleError::Empty));
    let short = BundleError::Short { expected: HEADER, got: HEADER - 1 };
    assert_eq!(after(&|b| b.truncate(HEADER - 1)), Some(short));
    assert_eq!(after(&|b| b[0] = b'x'), Some(BundleError::Magic));
    assert_eq!(after(&|b| b[8] = 2), Some(BundleError::Format { got: 2 }));
    let length = good.len();
    assert_eq!(after(&|b| b.truncate(length - 1)), Some(BundleError::TooLarge { length, slot: length - 1 }));
    assert!(matches!(after(&|b| b[24] ^= 1), Some(BundleError::Length { .. })));
    assert!(matches!(after(&|b| b[HEADER + 99] ^= 1), Some(BundleError::Checksum { .. })));
    assert!(matches!(after(&|b| b[length - 1] ^= 1), Some(BundleError::Checksum { .. })));
    assert!(matches!(after(&|b| b[75] ^= 1), Some(BundleError::Key { .. })));
    for signed in [12, 36, 80, 191, 192, 255] {
        assert_eq!(after(&|b| b[signed] ^= 1), Some(BundleError::Signature), "byte {signed}");
    }
    assert_eq!(after(&|b| b[192..256].fill(0)), Some(BundleError::Signature), "unsigned");
    let other = Recipe { secret: OTHER_SECRET, ..Recipe::of("1.2.3") }.sign();
    let [expected, got] = [*PUBLIC, public(&OTHER_SECRET)].map(|key| bundle::fingerprint(&key));
    assert_eq!(Bundle::open(&other, &verifier()).err(), Some(BundleError::Key { expected, got }));
}

#[test]
fn a_signed_model_is_refused_where_it_does_not_fit() {
    let good = signed("1.2.3", 1);
    let needed = Bundle::open(&good, &verifier()).unwrap().model.arena_bytes();
    let with = |arena| Bundle::open(&good, &BundleVerifier { key: &PUBLIC, arena_bytes: arena }).err();
    assert_eq!(with(needed), None);
    assert_eq!(with(needed - 1), Some(BundleError::Arena { needed, limit: needed - 1 }));

    // What only the holder of the key can do wrong.
    let after = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        crate::signed::seal(&mut bytes, &SECRET);
        Bundle::open(&bytes, &verifier()).err()
    };
    assert_eq!(after(&|_| ()), None);
    let [header, model] = ["1.2.4", "1.2.3"].map(|text| Version::parse(text).unwrap());
    let versions = BundleError::Version { header, model: Some(model) };
    assert_eq!(after(&|b| b[12] += 1), Some(versions));
    let damaged = after(&|b| b[HEADER + 99] ^= 1);
    assert!(matches!(damaged, Some(BundleError::Model(PackedError::Checksum { .. }))), "{damaged:?}");
    // A golden input of one byte less than the network's.
    let shorter = after(&|b| {
        b.pop();
        let length = b.len() as u32;
        b[16..20].copy_from_slice(&length.to_le_bytes());
        b[32..36].copy_from_slice(&255u32.to_le_bytes());
    });
    assert_eq!(shorter, Some(BundleError::Input { expected: 256, got: 255 }));
}

/// A key of low order: plain verification takes a signature that anyone can make.
#[test]
fn a_weak_key_takes_nothing() {
    let mut weak = [0; 32];
    weak[0] = 1;
    let mut bytes = signed("1.2.3", 1);
    bytes[72..80].copy_from_slice(&bundle::fingerprint(&weak));
    // [s]B = R + [k]A with s = 0, and R and A the neutral point.
    bytes[192..256].fill(0);
    bytes[192] = 1;
    let signature = Signature::from_bytes(bytes[192..256].try_into().unwrap());
    let plain = VerifyingKey::from_bytes(&weak).unwrap().verify(&bytes[..192], &signature);
    assert!(plain.is_ok(), "else this test shows nothing");
    let verifier = BundleVerifier { key: &weak, arena_bytes: ARENA };
    assert_eq!(Bundle::open(&bytes, &verifier).err(), Some(BundleError::Signature));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_changed_byte_is_refused(at in any::<prop::sample::Index>(), by in 1u8..) {
        let mut bytes = signed("1.2.3", 1);
        let at = at.index(bytes.len());
        bytes[at] ^= by;
        prop_assert!(Bundle::open(&bytes, &verifier()).is_err(), "byte {at}");
    }

    #[test]
    fn any_length_but_the_whole_is_refused(length in any::<prop::sample::Index>()) {
        let mut bytes = signed("1.2.3", 1);
        bytes.truncate(length.index(bytes.len()));
        prop_assert!(Bundle::open(&bytes, &verifier()).is_err());
    }

    #[test]
    fn noise_is_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..2000), like in any::<bool>()) {
        if let (true, Some(start)) = (like, bytes.get_mut(..12)) {
            start.copy_from_slice(b"PNEUMOSB\x01\0\0\0");
        }
        prop_assert!(Bundle::open(&bytes, &verifier()).is_err());
    }

    /// Whoever holds the key can sign anything: that too is a value or an error.
    #[test]
    fn any_signed_bytes_are_a_value_or_an_error(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)
    ) {
        let mut bytes = signed("1.2.3", 1);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        crate::signed::seal(&mut bytes, &SECRET);
        let _ = Bundle::open(&bytes, &verifier());
    }
}
