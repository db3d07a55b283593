//! The engines that are compared, and how each one's process is started.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde::Deserialize;

use toolbox::{process, root, target};

/// The engine to which all are compared.
pub const BASELINE: &str = "onnxruntime-f32";

/// onnxruntime on the model as it is shipped.
pub const ONNXRUNTIME_INT8: &str = "onnxruntime-int8";

/// The program that runs our engines, tests/src/bin/bench_worker.
const WORKER: &str = "bench_worker";

/// The shipped model, from the workspace's folder.
const MODEL: &str = "models/pneumonia/model.onnx";

pub struct Engine {
    pub name: String,
    /// Computes the int8 model, so that its logits must be the golden ones.
    pub int8: bool,
    how: How,
}

enum How {
    /// tests/src/bin/bench_worker.rs with this engine, and these kernels where they are not the
    /// best ones.
    Rust {
        engine: String,
        kernels: Option<String>,
    },
    Onnxruntime {
        model: PathBuf,
        suffix: &'static str,
    },
}

pub struct Setup {
    pub prepared: Prepared,
    pub folder: PathBuf,
    python: String,
    packages: PathBuf,
    cpu: String,
    /// Where cargo put the programs that are measured.
    programs: PathBuf,
}

/// What `bench_worker prepare` says.
#[derive(Deserialize)]
pub struct Prepared {
    /// Name of the model in logs and reports.
    pub model_sha256: String,
    /// Bits of the golden logits of the chosen frames.
    pub logits: Vec<u32>,
    pub engines: Vec<String>,
    /// Kernel sets that this machine can run, fastest first: that is the one which our engines take
    /// unasked.
    pub kernels: Vec<String>,
}

impl Setup {
    /// `profile` is cargo's folder of the programs.
    pub fn new(python: &str, packages: &Path, cpu: u16, frames: u16, profile: &str) -> anyhow::Result<Self> {
        let (folder, programs) = (root().join(".cache/bench"), target().join(profile));
        let mut prepare = process::command(programs.join(WORKER));
        prepare.arg("prepare").arg(&folder).args(["--frames", &frames.to_string()]);
        let prepared = answer(prepare)?;
        let (python, packages, cpu) = (python.to_owned(), packages.to_owned(), cpu.to_string());
        Ok(Self { prepared, folder, python, packages, cpu, programs })
    }

    pub fn engines(&self) -> Vec<Engine> {
        let rust = |engine: &str, kernels: Option<&String>| Engine {
            name: kernels.map_or(engine.to_owned(), |kernels| format!("{engine}, {kernels}")),
            int8: engine != "tract-f32",
            how: How::Rust { engine: engine.to_owned(), kernels: kernels.cloned() },
        };
        let onnxruntime = |kind: &str, model, suffix| Engine {
            name: format!("onnxruntime-{kind}"),
            int8: kind == "int8",
            how: How::Onnxruntime { model, suffix },
        };
        let mut engines: Vec<Engine> = self.prepared.engines.iter().map(|name| rust(name, None)).collect();
        engines.extend(self.prepared.kernels.iter().skip(1).map(|set| rust("core", Some(set))));
        engines.push(rust("tract-f32", None));
        engines.push(onnxruntime("f32", self.folder.join("float.onnx"), "f32"));
        engines.push(onnxruntime("int8", root().join(MODEL), "u8"));
        engines
    }

    pub fn worker(&self, engine: &Engine) -> Command {
        match &engine.how {
            How::Rust { engine, kernels } => {
                let mut command = self.pinned(&self.programs.join(WORKER));
                command.args(["engine", engine]).arg(&self.folder);
                command.args(kernels.iter().flat_map(|set| ["--kernels", set]));
                command
            }
            How::Onnxruntime { model, suffix } => {
                let mut command = self.pinned(Path::new(&self.python));
                command.arg("tests/bench.py").env("PYTHONPATH", &self.packages);
                command
                    .arg("--model")
                    .arg(model)
                    .arg("--frames")
                    .arg(&self.folder)
                    .args(["--suffix", suffix]);
                command
            }
        }
    }

    /// The command that runs `edge-runtime classify` on a drawn picture and measures it.
    pub fn program(&self) -> Command {
        let mut command = self.pinned(&self.programs.join(WORKER));
        command.arg("process").arg(target().join("dist/edge-runtime"));
        command.arg("classify").arg(self.folder.join("phantom.png"));
        command
    }

    /// The command that says what layers the shipped model has.
    pub fn inspect(&self) -> Command {
        let mut command = process::command(self.programs.join("edge-runtime"));
        command.args(["--json", "inspect"]);
        command
    }

    /// The file of the last frame, as bytes: a phantom, where the first ones are extremes.
    pub fn last_frame(&self) -> anyhow::Result<PathBuf> {
        let entries = std::fs::read_dir(&self.folder)?.collect::<Result<Vec<_>, _>>()?;
        let paths = entries.into_iter().map(|entry| entry.path());
        let frames = paths.filter(|path| path.extension().is_some_and(|suffix| suffix == "u8"));
        frames.max().context("there are no frames")
    }

    fn pinned(&self, program: &Path) -> Command {
        let mut command = process::command("taskset");
        command.args(["--cpu-list", &self.cpu]).arg(program);
        command
    }
}

/// Runs a command that prints one JSON value.
pub fn answer<T: serde::de::DeserializeOwned>(mut command: Command) -> anyhow::Result<T> {
    let line = process::line(&command);
    let output = command.stderr(std::process::Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot run `{line}`"))?;
    ensure!(output.status.success(), "`{line}` failed ({})", output.status);
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("`{line}` printed something else than JSON"))
}
