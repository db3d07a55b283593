//! Files as a reader sees them that knows the format's text and nothing of the writer.

use super::*;
use crate::content::tests::content;
use std::collections::BTreeMap;

/// Bytes by address.
type Memory = BTreeMap<u32, u8>;

fn word(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(block[at..at + 4].try_into().unwrap())
}

/// What a file writes, a memory for each family; `inside` is where it may write.
/// After "File format" and "Overview" of Microsoft's text; a count is one for each family, as
/// "Embedding multiple files" of the boot ROM's description has it.
fn read(file: &[u8], inside: &[Range<u32>]) -> Result<BTreeMap<u32, Memory>, String> {
    if file.is_empty() || !file.len().is_multiple_of(512) {
        return Err(format!("{} bytes are no blocks", file.len()));
    }
    let mut families = BTreeMap::<u32, Memory>::new();
    let mut numbers = BTreeMap::<u32, Vec<(u32, u32)>>::new();
    for (index, block) in file.chunks(512).enumerate() {
        let magic = (word(block, 0), word(block, 4), word(block, 508));
        if magic != (0x0A32_4655, 0x9E5D_5157, 0x0AB1_6F30) {
            return Err(format!("block {index}: magic {magic:08x?}"));
        }
        if word(block, 8) != 0x2000 {
            return Err(format!("block {index}: flags {:08x}", word(block, 8)));
        }
        let (address, size, family) = (word(block, 12), word(block, 16), word(block, 28));
        if size != 256 || address % 256 != 0 {
            return Err(format!("block {index}: {size} bytes at {address:08x} are no page"));
        }
        if !inside.iter().any(|range| range.start <= address && address + size <= range.end) {
            return Err(format!("block {index}: {address:08x} is outside"));
        }
        numbers.entry(family).or_default().push((word(block, 20), word(block, 24)));
        let memory = families.entry(family).or_default();
        for (at, byte) in (address..).zip(&block[32..32 + size as usize]) {
            if memory.insert(at, *byte).is_some() {
                return Err(format!("block {index}: {at:08x} comes twice"));
            }
        }
        if block[288..508].iter().any(|byte| *byte != 0) {
            return Err(format!("block {index}: something behind its page"));
        }
    }
    for (family, numbers) in numbers {
        // The one block of the erratum says two, as picotool's does.
        let is_spare = numbers == [(0, 2)] && family == 0xE48B_FF57;
        let all = numbers.len() as u32;
        if !is_spare && !numbers.iter().copied().eq((0..all).map(|number| (number, all))) {
            return Err(format!("family {family:08x}: numbers {numbers:?}"));
        }
    }
    Ok(families)
}

fn board() -> Board {
    Board::read(&crate::boards_folder().join("rp2350")).unwrap()
}

const SPARE: Range<u32> = 0x10FF_FF00..0x1100_0000;

#[test]
fn a_firmware_is_read_as_it_was_and_the_spare_block_comes_first() {
    for (start, length) in [(0x1000_0000, 1), (0x1000_0000, 256), (0x1000_0000, 70_001), (0x1000_0104, 5000)]
    {
        let content = content(start, length);
        let file = firmware(&content, &board()).unwrap();
        let families = read(&file, &[SPARE, content.region().range()]).unwrap();
        assert_eq!(families.len(), 2);
        assert_eq!(families[&ABSOLUTE], SPARE.map(|at| (at, 0xEF)).collect());
        assert_eq!(word(&file, 28), ABSOLUTE, "it comes first");
        let memory = &families[&RP2350_ARM_S];
        let end = start + length as u32;
        assert!((start..).zip(content.bytes()).all(|(at, byte)| memory[&at] == *byte));
        assert!(memory.iter().all(|(at, byte)| (start..end).contains(at) || *byte == 0xFF));
        // Whole sectors from their start on, and no page more than needed.
        assert_eq!(*memory.first_key_value().unwrap().0, start & !0xFFF);
        assert_eq!(memory.last_key_value().unwrap().0 + 1, end.next_multiple_of(256));
    }
}

#[test]
fn a_model_goes_to_its_very_addresses_and_is_no_program() {
    let content = content(0x1010_0000, 1000);
    let families = read(&model(&content).unwrap(), &[content.region().range()]).unwrap();
    assert_eq!(families.keys().collect::<Vec<_>>(), [&ABSOLUTE]);
    let memory = &families[&ABSOLUTE];
    assert!((0x1010_0000..).zip(content.bytes()).all(|(at, byte)| memory[&at] == *byte));
}

#[test]
fn each_planted_fault_is_found_by_the_reader() {
    let content = content(0x1000_0000, 3000);
    let good = firmware(&content, &board()).unwrap();
    let inside = [SPARE, content.region().range()];
    assert!(read(&good, &inside).is_ok());
    let changed = |at: usize| {
        let mut file = good.clone();
        file[at] ^= 1;
        file
    };
    let third = 2 * BLOCK;
    for (what, file) in [
        ("magic", changed(third)),
        ("magic", changed(third + 4)),
        ("magic", changed(third + 508)),
        ("flags", changed(third + 8)),
        ("no page", changed(third + 12)),
        ("no page", changed(third + 16)),
        ("comes twice", changed(third + 13)),
        ("numbers", changed(third + 20)),
        ("numbers", changed(third + 24)),
        ("numbers", good[..good.len() - BLOCK].to_vec()),
        ("no blocks", good[..good.len() - 1].to_vec()),
        ("behind its page", changed(third + 300)),
    ] {
        let error = read(&file, &inside).unwrap_err();
        assert!(error.contains(what), "{what}: {error}");
    }
    // A payload across the end of the region.
    let region = content.region().range();
    let error = read(&good, &[SPARE, region.start..region.start + 0xB00]).unwrap_err();
    assert!(error.contains("outside"), "{error}");
}

#[test]
fn a_board_whose_last_sector_holds_something_is_refused() {
    let content = content(0x1000_0000, 10);
    let text = std::fs::read_to_string(crate::boards_folder().join("rp2350/board.toml")).unwrap();
    for slot_b in ["0x101A0000", "0x103A0000", "0x107A0000", "0x10FA0000"] {
        assert!(text.contains("start = 0x10160000"));
        let board = Board::parse(&text.replace("start = 0x10160000", &format!("start = {slot_b}"))).unwrap();
        let error = firmware(&content, &board).unwrap_err().to_string();
        assert!(error.contains("flash.slot_b") && error.contains("RP2350-E10"), "{error}");
    }
}

#[test]
fn another_chips_addresses_are_refused() {
    let error = model(&content(0x0800_0000, 10)).unwrap_err().to_string();
    assert!(error.contains("expected a region in flash, 0x10000000..0x11000000"), "{error}");
}
