//! `cargo xtask flash`: a board's firmware into its region.

use super::board::board;
use crate::cli::FlashOptions;
use crate::probe::{self, Probe, WhenLocked};
use anyhow::Context;
use flash::outcome::Refused;
use flash::progress::Bars;
use flash::{elf, program};
use std::io::{self, Write};

pub fn run(options: &FlashOptions) -> anyhow::Result<()> {
    let (folder, board, target, selector) = board(&options.board)?;
    let path = match &options.elf {
        Some(path) => path.clone(),
        None => {
            if !options.dry_run {
                // Before minutes of building: is there anything to write to?
                probe::find(selector.as_ref())?;
            }
            toolbox::firmware::build(&folder, &board)?
        }
    };
    let file = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
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
    let when_locked = if options.unlock { WhenLocked::Erase } else { WhenLocked::Refuse };
    let mut link = Probe::connect(target, selector.as_ref(), when_locked)?;
    let mut bars = Bars::default();
    let done = program::put(&mut link, &pieces, &mut |progress| bars.show(progress));
    bars.finish();
    done?;
    Ok(writeln!(out, "wrote {what}; it was read back, and the board has started")?)
}
