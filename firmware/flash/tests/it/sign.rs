//! What a signed bundle says a device must compute is what onnxruntime computed, an engine that is
//! not ours.

use edge_model::aligned::AlignedBytes;
use edge_model::self_test;
use edge_model::signed::SignedModel;
use firmware::bundle::{Bundle, BundleError, BundleVerifier, Target};
use flash::{boards_folder, key, sign};
use std::path::PathBuf;

fn models() -> PathBuf {
    boards_folder().join("../../models/pneumonia")
}

#[test]
fn the_golden_logit_of_the_shipped_model_is_onnxruntimes() {
    let key = key::read(&boards_folder().join("keys/development.key")).unwrap();
    let model = std::fs::read(models().join("model.onnx")).unwrap();
    let bytes = AlignedBytes::copy_of(&sign::sign(&sign::pack(&model).unwrap(), &key).unwrap());
    let public = key.verifying_key().to_bytes();
    let bundle = Bundle::open(
        bytes.as_ref(),
        &BundleVerifier { key: &public, arena_bytes: firmware::boot::ARENA_BYTES },
    )
    .unwrap();

    let golden = std::fs::read(models().join("golden.json")).unwrap();
    let golden: serde_json::Value = serde_json::from_slice(&golden).unwrap();
    let frame = |name| golden["frames"].as_array().unwrap().iter().find(|f| f["name"] == name).unwrap();
    let (expected, other) = (frame("pneumonia-00"), frame("pneumonia-01"));
    let logit = format!("{:08x}", bundle.logit_bits);
    assert_eq!(expected["logit_bits"], logit);
    assert_eq!(expected["input"], edge_model::model_file::sha256_hex(bundle.input));
    assert_eq!(bundle.input, self_test::input(128));
    // Another frame has another logit: the comparison can fail.
    assert_ne!(other["logit_bits"], logit);
}

#[test]
fn a_bundle_for_linux_holds_the_file_itself_and_is_no_boards() {
    let key = key::read(&boards_folder().join("keys/development.key")).unwrap();
    let public = key.verifying_key().to_bytes();
    let file = std::fs::read(models().join("model.onnx")).unwrap();
    let bytes = sign::sign_file(&file, &key).unwrap();
    let signed = SignedModel::open(&bytes, &[public]).unwrap();
    assert_eq!(signed.model().sha256(), edge_model::model_file::sha256_hex(&file));
    assert_eq!(signed.logit_bits(), self_test::shipped::LOGIT);
    let verifier = BundleVerifier { key: &public, arena_bytes: usize::MAX };
    let as_boards = Bundle::open(AlignedBytes::copy_of(&bytes).as_ref(), &verifier).err();
    assert_eq!(as_boards, Some(BundleError::Target { expected: Target::Board, got: Target::Linux }));
    let packed = std::fs::read(models().join("model.packed")).unwrap();
    let error = sign::sign_file(&packed, &key).unwrap_err().to_string();
    assert!(error.contains("give the ONNX model that it was made of"), "{error}");
}

#[test]
fn onnx_and_packed_give_the_same_bundle() {
    let key = key::read(&boards_folder().join("keys/development.key")).unwrap();
    let [onnx, packed] = ["model.onnx", "model.packed"].map(|name| {
        let bytes = std::fs::read(models().join(name)).unwrap();
        sign::sign(&sign::pack(&bytes).unwrap(), &key).unwrap()
    });
    assert!(onnx == packed);
}

#[test]
fn what_is_no_model_is_refused() {
    for (bytes, expected) in [
        (&b""[..], "it holds no graph"),
        (b"no model", "expected an ONNX model"),
        (b"PNEUMOPK", "expected a packed model of"),
    ] {
        let error = sign::pack(bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
