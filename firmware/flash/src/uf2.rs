//! UF2 files, which the RP2350's boot ROM takes as a drive: hold BOOTSEL, plug it in, copy the
//! file onto it. The format is Microsoft's (<https://github.com/microsoft/uf2>); families and what
//! the ROM wants beside it are those of Raspberry Pi's picotool (elf2uf2/elf2uf2.cpp).

use crate::content::Content;
use anyhow::ensure;
use board_config::Board;
use std::ops::Range;

/// A program for the RP2350's Arm cores, secure.
pub const RP2350_ARM_S: u32 = 0xE48B_FF59;
/// Bytes for the very addresses that the file says, whatever is in flash.
pub const ABSOLUTE: u32 = 0xE48B_FF57;

/// Bytes of a block, and of those that it brings.
pub const BLOCK: usize = 512;
const PAGE: usize = 256;
/// Bytes that the ROM erases at once.
const SECTOR: u32 = 4096;
/// Where the chip's flash is mapped, and where its window ends.
const WINDOW: Range<u32> = 0x1000_0000..0x1100_0000;

const MAGIC: [u32; 2] = [0x0A32_4655, 0x9E5D_5157];
const MAGIC_END: u32 = 0x0AB1_6F30;
/// The last word of the header is a family.
const HAS_FAMILY: u32 = 0x2000;

/// A firmware's file. The ROM of chips of stepping A2 looks at the first block of a file too early
/// (erratum RP2350-E10), so that one is a block which nobody needs, as in picotool's files: it goes
/// to the last page of the window, and so to the last page of the flash.
///
/// # Errors
/// The content, or that block, would overwrite something else.
pub fn firmware(content: &Content, board: &Board) -> anyhow::Result<Vec<u8>> {
    spare_sector_is_free(board)?;
    let address = WINDOW.end - PAGE as u32;
    let mut file = block(ABSOLUTE, address, [0, 2], &[0xEF; PAGE]);
    file.extend(blocks(content, RP2350_ARM_S)?);
    Ok(file)
}

/// A model's file: at its slot's addresses, and not taken for a program.
///
/// # Errors
/// As for [`firmware`].
pub fn model(content: &Content) -> anyhow::Result<Vec<u8>> {
    blocks(content, ABSOLUTE)
}

/// The blocks of whole pages from a sector's start on: the ROM erases a sector at its first page.
fn blocks(content: &Content, family: u32) -> anyhow::Result<Vec<u8>> {
    let content = content.whole(SECTOR, PAGE as u32)?;
    let region = content.region();
    ensure!(
        WINDOW.contains(&region.start) && region.range().end <= WINDOW.end,
        "expected a region in flash, {:#010x}..{:#010x}, got {:#010x}..{:#010x}: correct board.toml",
        WINDOW.start,
        WINDOW.end,
        region.start,
        region.range().end
    );
    let pages = content.bytes().chunks(PAGE);
    let all = pages.len() as u32;
    let of = |(number, page): (u32, &[u8])| {
        block(family, content.start() + number * PAGE as u32, [number, all], page)
    };
    Ok((0..).zip(pages).flat_map(of).collect())
}

fn block(family: u32, address: u32, [number, all]: [u32; 2], page: &[u8]) -> Vec<u8> {
    let header = [MAGIC[0], MAGIC[1], HAS_FAMILY, address, PAGE as u32, number, all, family];
    let mut block: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    block.extend_from_slice(page);
    block.resize(BLOCK - 4, 0);
    block.extend(MAGIC_END.to_le_bytes());
    block
}

/// The sector that the first block's page lies in holds nothing. Which it is depends on the size of
/// the flash, a power of two whose address lines above are not there; so each size is looked at
/// that the regions fit in.
fn spare_sector_is_free(board: &Board) -> anyhow::Result<()> {
    let end = board.regions().iter().map(|(_, region)| region.range().end).max().unwrap_or(0);
    let mut size = end.saturating_sub(WINDOW.start).checked_next_power_of_two().unwrap_or(u32::MAX);
    while size <= WINDOW.end - WINDOW.start {
        let sector = WINDOW.start + size - SECTOR;
        for (name, region) in board.regions() {
            ensure!(
                region.range().end <= sector || sector + SECTOR <= region.start,
                "flash.{name} in board.toml of {}: expected the sector at {sector:#010x} to be free, which the boot \
                 ROM's first block erases (erratum RP2350-E10): move the region",
                board.name
            );
        }
        size *= 2;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
