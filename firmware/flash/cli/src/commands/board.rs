//! The board and the probe that a command line names.

use crate::chip;
use crate::cli::BoardOptions;
use crate::probe::Selector;
use anyhow::Context;
use board_config::Board;
use flash::boards_folder;
use probe_rs::Target;
use std::path::{Path, PathBuf};

/// The board of that name and its folder, and what is known of its chip.
pub(super) fn find(folder: Option<&Path>, name: &str) -> anyhow::Result<(PathBuf, Board, Target)> {
    let folder = folder.map_or_else(boards_folder, Path::to_path_buf);
    let (folder, board) = board_config::find(&folder, name)?;
    let target = chip::check(&board)?;
    Ok((folder, board, target))
}

/// The same of the board that the options name, and the probe that they name.
pub(super) fn board(options: &BoardOptions) -> anyhow::Result<(PathBuf, Board, Target, Option<Selector>)> {
    let (folder, board, target) = find(options.boards.as_deref(), &options.board)?;
    let selector = options.probe.as_deref().map(str::parse).transpose();
    Ok((
        folder,
        board,
        target,
        selector.context("--probe: expected VID:PID or VID:PID:SERIAL, as in 2e8a:000c")?,
    ))
}
