//! `cargo xtask flash-model`: a signed model into the slot that does not run.

use super::board::board;
use super::output::{tell, warn_of_development};
use crate::cli::FlashModelOptions;
use crate::probe::{Probe, WhenLocked};
use anyhow::Context;
use edge_model::aligned::AlignedBytes;
use flash::model::{self, Model};
use flash::outcome::Refused;
use flash::progress::Bars;
use serde::Serialize;

#[derive(Serialize)]
struct Flashed<'a> {
    board: &'a str,
    path: String,
    bytes: usize,
    version: String,
    /// The version that ran before; none on a new board.
    replaces: Option<String>,
    slot: &'static str,
    written: bool,
    started: bool,
}

pub fn run(options: &FlashModelOptions) -> anyhow::Result<()> {
    let (_, board, target, selector) = board(&options.board)?;
    let path = options.file.display().to_string();
    let bytes = std::fs::read(&options.file).with_context(|| format!("cannot read {path}"))?;
    let bytes = AlignedBytes::copy_of(&bytes);
    let model = Model::open(bytes.as_ref(), &board).map_err(|error| named(error, &path))?;
    if let Ok(key) = board.key() {
        warn_of_development(&key);
    }
    let mut link = Probe::connect(target, selector.as_ref(), WhenLocked::Refuse)?;
    let mut bars = Bars::default();
    let plan = model::plan(&mut link, &board, &model, &mut |progress| bars.show(progress))
        .map_err(|error| named(error, &path))?;
    let write = !options.dry_run && !plan.already;
    if write {
        model::put(&mut link, &board, &model, &plan, &mut |progress| bars.show(progress))?;
    }
    bars.finish();

    let flashed = Flashed {
        board: &board.name,
        path,
        bytes: bytes.as_ref().len(),
        version: model.version().to_string(),
        replaces: plan.runs.map(|version| version.to_string()),
        slot: plan.slot.letter(),
        written: write,
        started: write,
    };
    tell(options.json, &flashed, || words(&flashed, plan.already))
}

fn words(flashed: &Flashed, already: bool) -> String {
    let Flashed { board, version, bytes, slot, replaces, written, .. } = flashed;
    if already {
        return format!(
            "version {version} is in slot {slot} of {board} already, and runs; nothing was written"
        );
    }
    let what = format!("version {version} ({bytes} bytes) to slot {slot} of {board}");
    if *written {
        return format!(
            "wrote {what} and read it back; the board has started, and takes it if its self-test holds (its log says so)"
        );
    }
    let old = replaces.as_deref().map_or("no model runs there yet".into(), |old| format!("{old} runs now"));
    format!("would write {what}; {old}")
}

/// A refusal with the file's name before it.
fn named(error: anyhow::Error, path: &str) -> anyhow::Error {
    match error.downcast::<Refused>() {
        Ok(Refused(why)) => Refused(format!("{path}: {why}")).into(),
        Err(error) => error,
    }
}
