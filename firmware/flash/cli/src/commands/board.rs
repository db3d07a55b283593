//! The board and the probe that a command line names.

use crate::chip;
use crate::cli::BoardOptions;
use crate::probe::Selector;
use anyhow::Context;
use board_config::Board;
use flash::boards_folder;
use probe_rs::Target;
use std::path::PathBuf;

/// The board that was named and its folder, what is known of its chip, and the probe that was
/// named.
pub(super) fn board(options: &BoardOptions) -> anyhow::Result<(PathBuf, Board, Target, Option<Selector>)> {
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
