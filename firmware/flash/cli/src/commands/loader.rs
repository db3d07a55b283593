//! `cargo xtask uf2`, `dfu` and `hex`: a firmware, or a model for one slot, as a file that a
//! board's own boot loader takes. No probe, and no board, is needed.

use super::board::find;
use super::output::{tell, warn_of_development};
use crate::cli::{DfuOptions, FileOptions, Loader, SlotName};
use anyhow::{Context, bail};
use board_config::Board;
use edge_model::files;
use firmware::slots::Slot;
use flash::content::Content;
use flash::outcome::Refused;
use flash::{dfu, hex, uf2};
use serde::Serialize;
use std::path::PathBuf;

#[derive(Serialize)]
struct Written<'a> {
    board: &'a str,
    path: PathBuf,
    /// Bytes of the file.
    bytes: usize,
    /// What it is for: `firmware`, `slot_a` or `slot_b`.
    region: &'a str,
    /// The first address that is written, and how many bytes from there on.
    start: u32,
    length: usize,
}

pub fn uf2(options: &FileOptions) -> anyhow::Result<()> {
    let encode = |content: &Content, board: &Board| match options.model {
        None => uf2::firmware(content, board),
        Some(_) => uf2::model(content),
    };
    write(options, "uf2", Some("RP235"), encode, "hold BOOTSEL while you plug the board in, then copy it")
}

pub fn dfu(options: &DfuOptions) -> anyhow::Result<()> {
    let (encode, hint): (fn(&Content) -> _, _) = match options.loader {
        Loader::St => (dfu::dfuse, "start the board with BOOT0 high, then `dfu-util -a 0 -D` it"),
        Loader::Openmv => {
            (dfu::openmv, "run `dfu-util -w -d ,37c5:9204 -a 2 -D` on it, then plug the board in")
        }
    };
    write(&options.file, "dfu", Some("STM32"), |content, _| encode(content), hint)
}

pub fn hex(options: &FileOptions) -> anyhow::Result<()> {
    let encode = |content: &Content, _: &Board| Ok(hex::text(content).into_bytes());
    write(options, "hex", None, encode, "copy it onto the drive JLINK, or give it to any programmer")
}

/// Writes the file of the kind `ending`, for chips whose name begins with `chips`.
fn write(
    options: &FileOptions,
    ending: &str,
    chips: Option<&str>,
    encode: impl Fn(&Content, &Board) -> anyhow::Result<Vec<u8>>,
    hint: &str,
) -> anyhow::Result<()> {
    let (folder, board, target) = find(options.boards.as_deref(), &options.board)?;
    if let Some(begins) = chips.filter(|begins| !target.name.starts_with(begins)) {
        bail!(
            "a .{ending} file is for chips {begins}..., and {} has {}: use `cargo xtask hex`",
            board.name,
            target.name
        );
    }
    let (content, region) = match (&options.model, options.slot) {
        (Some(path), Some(slot)) => {
            let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let (slot, region) = match slot {
                SlotName::A => (Slot::A, "slot_a"),
                SlotName::B => (Slot::B, "slot_b"),
            };
            let content = Content::model(&bytes, &board, slot);
            let content = content.map_err(|error| Refused(format!("{}: {error:#}", path.display())))?;
            if let Ok(key) = board.key() {
                warn_of_development(&key);
            }
            (content, region)
        }
        (None, None) => {
            let path = match &options.elf {
                Some(path) => path.clone(),
                None => toolbox::firmware::build(&folder, &board)?,
            };
            let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let content = Content::firmware(&bytes, &board);
            (content.map_err(|error| Refused(format!("{}: {error:#}", path.display())))?, "firmware")
        }
        _ => bail!("expected --model FILE together with --slot A or --slot B"),
    };
    let file = encode(&content, &board).map_err(|error| Refused(format!("{error:#}")))?;
    let path = options.out.clone().unwrap_or_else(|| {
        toolbox::target().join(match region {
            "firmware" => format!("{}.{ending}", board.name),
            slot => format!("{}-{slot}.{ending}", board.name),
        })
    });
    files::write(&path, &file)?;
    let written = Written {
        board: &board.name,
        bytes: file.len(),
        region,
        start: content.start(),
        length: content.bytes().len(),
        path,
    };
    tell(options.json, &written, || {
        let Written { path, length, start, region, board, .. } = &written;
        format!("{}: {length} bytes for {region} of {board}, from {start:#010x} on; {hint}", path.display())
    })
}
