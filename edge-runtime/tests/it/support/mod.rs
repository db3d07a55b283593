//! What the tests of this package share: models, pictures, logs, and the program itself.

pub mod log;
pub mod qlinearconv;

pub use test_support::{model, picture};

use assert_cmd::Command;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The built program, without colours.
pub fn program() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("edge-runtime"));
    command.env("NO_COLOR", "1");
    command
}

pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn json(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

/// A folder with the test model, removed at the end.
pub struct Bench {
    pub folder: TempDir,
    pub model: PathBuf,
}

impl Bench {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let model = folder.path().join("model.onnx");
        std::fs::write(&model, model::bytes(&model::sealed(32, 1))).unwrap();
        Self { folder, model }
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub fn classify(&self, path: impl AsRef<Path>) -> Run {
        self.run(["classify", "--json", path.as_ref().to_str().unwrap()])
    }

    pub fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Run {
        self.run_with(&self.model, arguments)
    }

    pub fn run_with<'a>(&self, model: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Run {
        run(program().arg("--model").arg(model).args(arguments))
    }
}

/// Runs a command to its end; a panic's exit code (101) or a signal is a failure of whichever test this is.
pub fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!matches!(output.status.code(), None | Some(101)), "the program died: {stderr}");
    Run { code: output.status.code(), stdout: String::from_utf8(output.stdout).unwrap(), stderr }
}
