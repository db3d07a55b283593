//! What a chip is given: the signed model and pictures as bare rows, written by `chip_inputs` of
//! the package `tests`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

use toolbox::{host, root};

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
    Rows {
        rows: String,
        width: u32,
        height: u32,
        format: String,
    },
    Error {
        error: String,
    },
}

pub fn inputs(pictures: &[PathBuf]) -> anyhow::Result<Inputs> {
    let folder = PathBuf::from(FOLDER);
    fs::create_dir_all(root().join(&folder))?;
    let mut program = host::program("chip_inputs")?;
    let files = pictures.iter().map(std::path::absolute).collect::<Result<Vec<_>, _>>()?;
    program.arg(FOLDER).args(files);
    let printed = crate::machine::output(program)?;
    let pictures = printed.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let path = root().join(FOLDER).join("model.bundle");
    let bundle = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Inputs { folder, bundle, pictures })
}

/// The board's script: drawn pictures become the files of their rows.
pub fn script(lines: &[String], inputs: &Inputs) -> String {
    let drawn = |word: &str| {
        let name = word.strip_suffix(".rows").unwrap_or(word);
        inputs.pictures.iter().find_map(|picture| match picture {
            Input::Rows { rows, width, height, format } if Path::new(rows).file_stem()?.to_str()? == name => {
                Some(if name == word { format!("{rows} {width} {height} {format}") } else { rows.clone() })
            }
            _ => None,
        })
    };
    let word = |word: &str| drawn(word).unwrap_or_else(|| word.to_owned()) + " ";
    lines.iter().map(|line| line.split(' ').map(word).collect::<String>() + "\n").collect()
}
