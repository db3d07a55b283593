//! `cargo xtask flash`: a board's firmware into its region.

use super::board;
use crate::cli::FlashOptions;
use anyhow::Context;
use flash::outcome::Refused;
use flash::probe::{self, Probe};
use flash::progress::Bars;
use flash::{elf, program};
use std::io::{self, Write};

pub fn run(options: &FlashOptions) -> anyhow::Result<()> {
    let (board, target, selector) = board(&options.board)?;
    let Some(path) = &options.elf else {
        // Before minutes of building: would there be anything to write to?
        return if options.dry_run { Ok(()) } else { probe::find(selector.as_ref()).map(|_| ()) };
    };
    let file = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let pieces = elf::pieces(&file, &board).map_err(|error| Refused(format!("{error:#}")))?;
    let bytes: usize = pieces.iter().map(|piece| piece.bytes.len()).sum();
    let region = board.flash.firmware;
    let what = format!(
        "{bytes} bytes of firmware ({} sections) in {:#010x}..{:#010x} of {}",
        pieces.len(),
        region.start,
        region.range().end,
        board.name
    );
    let mut out = io::stdout().lock();
    if options.dry_run {
        return Ok(writeln!(out, "would write {what}")?);
    }
    let mut link = Probe::connect(target, selector.as_ref())?;
    let mut bars = Bars::default();
    let done = program::put(&mut link, &pieces, &mut |progress| bars.show(progress));
    bars.finish();
    done?;
    Ok(writeln!(out, "wrote {what}; it was read back, and the board has started")?)
}
