//! What a firmware's ELF file puts into flash, held against the region that the firmware has.

use crate::link::Piece;
use anyhow::{Context, ensure};
use board_config::Board;
use object::elf::{FileHeader32, PT_LOAD, SHF_ALLOC};
use object::read::elf::{ElfFile, ProgramHeader, SectionHeader};
use object::{Endianness, Object, ObjectSection};

/// The pieces of `file`, by address.
/// What is outside the region `firmware` is an error: it would overwrite a model or the records.
pub fn pieces(file: &[u8], board: &Board) -> anyhow::Result<Vec<Piece>> {
    let elf = ElfFile::<FileHeader32<Endianness>>::parse(file)
        .context("expected the firmware as a 32-bit ELF file; build the board again")?;
    let endian = elf.endian();
    let mut pieces = Vec::new();
    // Section by section, at the addresses where segments load them: a segment may also hold the
    // file's headers, which no linker script meant for the flash.
    for segment in elf.elf_program_headers().iter().filter(|segment| segment.p_type(endian) == PT_LOAD) {
        let (offset, length) = segment.file_range(endian);
        for section in elf.sections() {
            let header = section.elf_section_header();
            let Some((start, size)) = header.file_range(endian) else { continue };
            let loaded = header.sh_flags(endian).contains(SHF_ALLOC) && size != 0;
            if !loaded || start < offset || start + size > offset + length {
                continue;
            }
            let address = u64::from(segment.p_paddr(endian)) + (start - offset);
            let inside = board.flash.firmware.range();
            let name = section.name().unwrap_or("?");
            ensure!(
                u64::from(inside.start) <= address && address + size <= u64::from(inside.end),
                "section `{}` loads at {address:#010x}..{:#010x}, outside the firmware's region {:#010x}..{:#010x} of {}: \
                 make it smaller, or the region in board.toml larger, and build again",
                name.escape_debug(),
                address + size,
                inside.start,
                inside.end,
                board.name,
            );
            let bytes = section.data().with_context(|| format!("section `{}`", name.escape_debug()))?;
            pieces.push(Piece { address: u32::try_from(address)?, bytes: bytes.to_vec() });
        }
    }
    ensure!(!pieces.is_empty(), "the ELF file loads nothing; build the board again");
    pieces.sort_by_key(|piece| piece.address);
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::board;

    /// A 32-bit little-endian ELF file whose sections have their bytes at these addresses, each in
    /// a segment of its own that begins `before` bytes earlier in the file.
    fn elf(sections: &[(u32, u32, &[u8])], before: u32) -> Vec<u8> {
        const HEADER: usize = 52;
        let count = sections.len();
        let (mut segments, mut table, mut data) = (Vec::new(), vec![0; 40], Vec::new());
        let start = HEADER + 32 * count;
        for (address, flags, bytes) in sections {
            data.resize(data.len() + before as usize, 0);
            let offset = (start + data.len()) as u32;
            let length = bytes.len() as u32;
            let put =
                |to: &mut Vec<u8>, words: &[u32]| to.extend(words.iter().flat_map(|word| word.to_le_bytes()));
            // Loaded at `address`, run elsewhere, as initialised data is.
            let (from, whole) = (offset - before, length + before);
            put(&mut segments, &[1, from, 0x2000_0000, address - before, whole, whole, 4, 4]);
            put(&mut table, &[0, 1, *flags, 0x2000_0000, offset, length, 0, 0, 4, 0]);
            data.extend_from_slice(bytes);
        }
        // The table of names, with the empty one.
        let names = (start + data.len()) as u32;
        data.push(0);
        table.extend([0, 3, 0, 0, names, 1, 0, 0, 1, 0].iter().flat_map(|word: &u32| word.to_le_bytes()));
        let mut file = b"\x7fELF\x01\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend([2, 0, 40, 0]);
        for word in [1, 0, HEADER as u32, (start + data.len()) as u32, 0] {
            file.extend(word.to_le_bytes());
        }
        for half in [HEADER as u16, 32, count as u16, 40, count as u16 + 2, count as u16 + 1] {
            file.extend(half.to_le_bytes());
        }
        [file, segments, data, table].concat()
    }

    #[test]
    fn sections_are_taken_where_they_are_loaded_and_headers_before_them_are_not() {
        let sections: [(u32, u32, &[u8]); 3] =
            [(0x400, 2, b"code"), (0x100, 2, b"vectors"), (0x800, 0, b"log strings")];
        for before in [0, 0x20] {
            let pieces = pieces(&elf(&sections, before), &board()).unwrap();
            let expected = [(0x100, &b"vectors"[..]), (0x400, b"code")];
            assert_eq!(pieces, expected.map(|(address, bytes)| Piece { address, bytes: bytes.to_vec() }));
        }
    }

    #[test]
    fn a_section_outside_the_firmwares_region_is_refused() {
        let end = board().flash.firmware.range().end;
        assert!(pieces(&elf(&[(end - 4, 2, b"last")], 0), &board()).is_ok());
        for address in [end - 3, end, 0x5_0000, 0x2000_0000, 0xFFFF_FFFE] {
            let error = pieces(&elf(&[(0x100, 2, b"good"), (address, 2, b"evil")], 0), &board()).unwrap_err();
            assert!(
                error.to_string().contains("outside the firmware's region 0x00000000..0x00040000"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_no_firmware_is_refused() {
        let good = elf(&[(0x100, 2, b"good")], 0);
        assert!(pieces(&elf(&[], 0), &board()).unwrap_err().to_string().contains("loads nothing"));
        // The table of sections is the last of a file, and not whole in any that is cut short.
        for length in 0..good.len() {
            let error = pieces(&good[..length], &board()).unwrap_err().to_string();
            assert!(
                error.starts_with("expected the firmware as a 32-bit ELF file"),
                "{length} bytes: {error}"
            );
        }
    }
}
