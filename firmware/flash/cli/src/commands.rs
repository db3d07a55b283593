//! One file a subcommand.

pub mod flash;
pub mod flash_model;
pub mod send;
pub mod sign;

use crate::chip;
use crate::cli::BoardOptions;
use crate::probe::Selector;
use ::flash::{boards_folder, key};
use anyhow::Context;
use board_config::Board;
use probe_rs::Target;
use serde::Serialize;
use std::io::{self, Write};
use std::path::PathBuf;

/// The board that was named and its folder, what is known of its chip, and the probe that was
/// named.
fn board(options: &BoardOptions) -> anyhow::Result<(PathBuf, Board, Target, Option<Selector>)> {
    let folder = options.boards.clone().unwrap_or_else(boards_folder);
    let (folder, board) = board_config::find(&folder, &options.board)?;
    let target = chip::check(&board)?;
    let selector = options.probe.as_deref().map(str::parse).transpose();
    Ok((
        folder,
        board,
        target,
        selector.context("--probe: expected VID:PID or VID:PID:SERIAL, as in 2e8a:000c")?,
    ))
}

/// Says so where everybody has the private half of a key.
fn warn_of_development(public: &[u8; 32]) {
    if key::is_development(public) {
        eprintln!(
            "warning: the development key, which everybody has: for boards on a fixture only (firmware/boards/keys)"
        );
    }
}

/// What a command did, on standard output: as one JSON object, or in words.
fn tell(json: bool, done: &impl Serialize, words: impl FnOnce() -> String) -> anyhow::Result<()> {
    let line = if json { serde_json::to_string(done)? } else { words() };
    Ok(writeln!(io::stdout().lock(), "{line}")?)
}
