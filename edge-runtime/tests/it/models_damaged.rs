//! A store whose file was written by somebody else: with a checksum that fits, and still not taken.

use bundle::Version;
use edge_runtime::log::Hash;
use edge_runtime::models::{KeptModel, Pending, State, Store, StoreError, Which};
use std::fs;
use tempfile::TempDir;

fn kept(sha256: &str) -> KeptModel {
    KeptModel {
        sha256: sha256.into(),
        name: "a model".into(),
        version: Version::parse("2.1.0").unwrap(),
        installed: "2026-11-29T20:00:00Z".into(),
        key: "0123456789abcdef".into(),
        without_site: false,
        rejected: None,
    }
}

/// The state as a store reads it that finds it in its folder.
fn read_again(state: &State) -> Result<State, StoreError> {
    let folder = TempDir::new().unwrap();
    let sha256 = Hash::of(serde_json::to_string(state).unwrap().as_bytes());
    let file = serde_json::json!({"format": 1, "sha256": sha256, "state": state});
    fs::write(folder.path().join("models.json"), file.to_string()).unwrap();
    Store::at(folder.path()).state()
}

#[test]
fn a_state_that_names_what_it_does_not_list_is_damaged() {
    let (listed, other) = ("ab".repeat(32), "cd".repeat(32));
    let good = State {
        models: vec![kept(&listed)],
        current: Which::Model(listed.clone()),
        previous: Some(Which::BuiltIn),
        pending: Some(Pending { sha256: listed, starts: 1 }),
        ..State::default()
    };
    assert_eq!(read_again(&good).unwrap(), good);
    for wrong in [
        State { current: Which::Model(other.clone()), ..good.clone() },
        State { previous: Some(Which::Model(other.clone())), ..good.clone() },
        State { pending: Some(Pending { sha256: other, starts: 0 }), ..good.clone() },
    ] {
        let error = read_again(&wrong).unwrap_err().to_string();
        assert!(error.contains("names a model that it does not list"), "{error}");
    }
}

/// A hash is the name of a file.
#[test]
fn a_model_whose_hash_is_none_is_damaged() {
    let path = format!("{:0>64}", "/../../etc/passwd");
    let (short, long) = ("a".repeat(63), "a".repeat(65));
    for wrong in ["", &path, &short, &long, &"A".repeat(64), &"g".repeat(64), &"`".repeat(64)] {
        let state = State { models: vec![kept(wrong)], ..State::default() };
        assert!(matches!(read_again(&state), Err(StoreError::Damaged { .. })), "{wrong}");
    }
}

#[test]
fn a_state_that_cannot_be_read_is_not_that_of_a_new_store() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("models.json")).unwrap();
    let error = Store::at(folder.path()).state().unwrap_err();
    assert!(matches!(error, StoreError::Read { .. }), "{error}");
}
