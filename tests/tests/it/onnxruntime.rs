//! The committed golden vectors are what onnxruntime gives today, and the model passes
//! onnx.checker's full check.
//!
//! Needs Python with onnxruntime and onnx; `cargo xtask test` provides both and runs this.

use conformance::frames;
use std::path::PathBuf;
use std::process::Command;

#[test]
#[ignore = "needs Python with onnxruntime: `cargo xtask test` fetches it and runs this test"]
fn golden_vectors_are_what_onnxruntime_gives() {
    let python = std::env::var("PNEUMOSCOPE_PYTHON").expect("set by cargo xtask test");
    let packages = std::env::var("PNEUMOSCOPE_PYTHON_PACKAGES").expect("set by cargo xtask test");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("golden");
    frames::write_all(&folder).unwrap();
    let out = folder.join("golden.json");
    let run = Command::new(python)
        .env("PYTHONPATH", packages)
        .arg(conformance::root().join("tests/golden.py"))
        .arg("--model")
        .arg(conformance::shipped_model())
        .arg("--frames")
        .arg(&folder)
        .arg("--out")
        .arg(&out)
        .output()
        .expect("Python runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let fresh = std::fs::read_to_string(&out).unwrap();
    let committed =
        std::fs::read_to_string(conformance::root().join("models/pneumonia/golden.json")).unwrap();
    assert!(fresh == committed, "the committed vectors differ; look at `cargo xtask golden` and git diff");
}
