//! What a chip is given: the signed model and pictures as bare rows, written by `chip_inputs` of the package `tests`.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use serde::Deserialize;

use crate::{process, root, target};

/// Where everything lies, from the workspace's folder.
const FOLDER: &str = ".cache/chip";

pub struct Inputs {
    /// The folder, from the workspace's.
    pub folder: PathBuf,
    pub bundle: Vec<u8>,
    /// The drawn pictures, then those that were asked for.
    pub pictures: Vec<Input>,
}

/// A picture as rows, or why it is none.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Input {
    /// A file of its rows, from the workspace's folder.
    Rows { rows: String, width: u32, height: u32, format: String },
    /// Why there are none.
    Error { error: String },
}

/// Builds programs of the host, along with the features of the tests: others would compile tract once more.
pub fn host_programs(names: &[&str]) -> anyhow::Result<()> {
    let mut cargo = process::cargo();
    cargo.args(["build", "--quiet", "--workspace", "--features", "host-trainer/torch"]);
    process::run(cargo.args(names.iter().flat_map(|name| ["--bin", name])))
}

pub fn inputs(pictures: &[PathBuf]) -> anyhow::Result<Inputs> {
    host_programs(&["chip_inputs", "edge-runtime"])?;
    let folder = PathBuf::from(FOLDER);
    fs::create_dir_all(root().join(&folder))?;
    let mut program = process::command(target().join("debug/chip_inputs"));
    let files = pictures.iter().map(std::path::absolute).collect::<Result<Vec<_>, _>>()?;
    let names = files.into_iter().map(OsString::from);
    program.arg(FOLDER).args(names);
    let printed = crate::emulate::output(program)?;
    let pictures = printed.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let path = root().join(FOLDER).join("model.bundle");
    let bundle = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Inputs { folder, bundle, pictures })
}
