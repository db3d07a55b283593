//! The committed golden vectors are what onnxruntime gives today, and the model passes
//! onnx.checker's full check.
//!
//! Needs Python with onnxruntime and onnx; `cargo xtask test` provides both and runs this.

use conformance::frames;
use std::path::PathBuf;
use test_support::python;

#[test]
#[ignore = "needs Python with onnxruntime: `cargo xtask test` fetches it and runs this test"]
fn golden_vectors_are_what_onnxruntime_gives() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("golden");
    frames::write_all(&folder).unwrap();
    let out = folder.join("golden.json");
    let mut golden = python::script("golden.py");
    golden.arg("--model").arg(conformance::shipped_model());
    python::output(golden.arg("--frames").arg(&folder).arg("--out").arg(&out));
    let fresh = std::fs::read_to_string(&out).unwrap();
    let committed =
        std::fs::read_to_string(conformance::root().join("models/pneumonia/golden.json")).unwrap();
    assert!(fresh == committed, "the committed vectors differ; look at `cargo xtask golden` and git diff");
}
