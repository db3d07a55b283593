//! Files that are whole or not there, and how far the work on large ones is.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use super::error::{Error, at};

/// Writes a whole file and waits until it is on the disk.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = File::create(path).map_err(at("create", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at("write", path))
}

/// A bar over `bytes` bytes with the remaining time; hidden when standard error is no terminal.
pub(super) fn progress(bytes: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:10} [{bar:40}] {bytes}/{total_bytes}, {eta} left");
    // The template is a constant; were it wrong, the plain bar would do.
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
    ProgressBar::new(bytes).with_style(style).with_message(what)
}
