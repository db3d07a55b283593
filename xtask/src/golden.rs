//! `cargo xtask golden`: computes the golden vectors of the shipped model with onnxruntime, an
//! engine that is not ours.

use toolbox::{host, process, python};

/// Where the frames are put, one file each, between the two steps.
const FRAMES: &str = ".cache/golden/frames";

/// Draws the frames, then lets tests/golden.py run the model on them and write the vectors.
pub fn run() -> anyhow::Result<()> {
    let python = python::find()?;
    let packages = python::packages(&python)?;
    process::run(host::program("frames")?.arg(FRAMES))?;
    process::run(
        process::command(&python.program)
            .args(["tests/golden.py", "--model", "models/pneumonia/model.onnx", "--frames", FRAMES])
            .args(["--out", "models/pneumonia/golden.json"])
            .env("PYTHONPATH", packages),
    )
}
