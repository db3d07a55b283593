//! One page that says what a training run made, how good it is and how that was measured.
//!
//! The page is a single HTML file: style, diagrams and thumbnails are inside, nothing is loaded and
//! no script runs (a content security policy in the page forbids both). It reads on a phone, on
//! paper, in light and in dark. What a run's folder does not hold is said to be missing, not left
//! out.

mod data;
mod examples;
mod heat;
mod inputs;
mod looked;
mod page;
mod plots;
mod results;
mod settings;
mod training;
mod words;

pub use inputs::{EvaluatedSet, FindPicture, Inputs, PageOptions};

use anyhow::{Context, Result};
use edge_model::files;
use std::path::Path;

/// Writes the page about the run in `run_dir` to `out`.
///
/// Reads `model.onnx`, `run.json`, `data.json`, `history.json`, `quantize.json`, and `metrics.json` with
/// `predictions.csv` in `validation/`, `shifted/`, `film/` and `test/`; each may be absent.
pub fn run(run_dir: &Path, out: &Path, options: &PageOptions) -> Result<()> {
    let inputs = Inputs::read(run_dir)?;
    let html = page::page(&inputs, options)?.into_string();
    if let Some(folder) = out.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    // Pictures and names of patients are their owner's alone; a page without them may be passed round.
    let write = if options.no_pictures { files::write } else { files::write_private };
    write(out, html.as_bytes())?;
    Ok(())
}
