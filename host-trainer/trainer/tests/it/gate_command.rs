//! `gate` as a program: what it does not do unasked.

use edge_core::gate::{FEATURE_CELLS, GateThresholds, LinearDetector};
use edge_model::model_file::{ModelFile, OwnedMetadata};
use std::path::Path;
use std::process::Command;
use trainer::dataset::{content_hash, phantoms};

/// Channels of the small model's features.
const CHANNELS: usize = 16;

/// A small model that says it was trained on 60 drawings, split by seed 3, and as `change` has it.
fn model(path: &Path, change: impl FnOnce(&mut OwnedMetadata)) {
    let model = ModelFile::from_bytes(&test_support::model::small(1)).unwrap();
    let mut metadata = model.metadata().clone();
    metadata.training_data_sha256 = content_hash(&phantoms::load(60, metadata.input_side).samples);
    "split 3, all else 1".clone_into(&mut metadata.seeds);
    change(&mut metadata);
    std::fs::write(path, model.with_metadata(&metadata).unwrap()).unwrap();
}

/// Exit status, standard output and standard error of `gate` on 60 drawings.
fn gate(model: &Path, out: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_trainer"));
    program.args(["gate", "--phantoms", "60", "--model"]).arg(model).arg("--out").arg(out).args(more);
    let output = program.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_model_that_refers_other_chests_does_not_forget_them_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let [plain, refers, out] = ["plain.onnx", "refers.onnx", "out.onnx"].map(|name| folder.path().join(name));
    let familiar = |model: &Path| ModelFile::load(model).unwrap().metadata().gate.familiar.weights.len();
    model(&refers, |metadata| {
        let familiar = LinearDetector { weights: vec![1; FEATURE_CELLS * CHANNELS], least: i32::MIN };
        metadata.gate = GateThresholds { familiar, ..GateThresholds::open() };
    });
    let (code, _, error) = gate(&refers, &out, &[]);
    assert!(code == Some(1) && error.contains("Expected --unfamiliar DIR"), "{error}");
    // Pictures of anything else do not stand for other chests, and a model without the figure is another one.
    let wrists = folder.path().to_str().unwrap();
    assert!(gate(&refers, &out, &["--not-chests", wrists]).2.contains("--forget-unfamiliar"));
    let (code, _, error) = gate(&refers, &out, &["--forget-unfamiliar"]);
    assert!(code == Some(2) && error.contains("--model-version"), "{error}");
    assert!(!out.exists());
    let (code, _, error) = gate(&refers, &out, &["--forget-unfamiliar", "--model-version", "2.0.0-open"]);
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(familiar(&out), 0);

    // One that never had it is fitted without them, and it is said what that means.
    model(&plain, |_| {});
    let (code, said, error) = gate(&plain, &out, &[]);
    assert_eq!((code, familiar(&out)), (Some(0), 0), "{error}");
    assert!(said.contains("note: without --unfamiliar"), "{said}");
    // Its patients are split as they were for the training, not by the fit's own seed.
    assert!(said.contains("patients: split seed 3, a share of the patients"), "{said}");
    assert!(said.contains("gate: fitted on all 48 training pictures"), "{said}");
}

#[test]
fn a_gate_is_not_fitted_on_other_data_than_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let [other, out] = ["other.onnx", "out.onnx"].map(|name| folder.path().join(name));
    model(&other, |metadata| metadata.training_data_sha256 = "ab".repeat(32));
    let (code, _, error) = gate(&other, &out, &[]);
    assert!(code == Some(1) && error.contains("not the data that the model was trained on"), "{error}");
    assert!(!out.exists());
}
