//! A board's memory map held against what probe-rs knows of its chip: a region beside the flash, or
//! one that shares a sector with another, would be found only when it has overwritten something.

use anyhow::{Context, ensure};
use board_config::{Board, Region};
use probe_rs::Target;
use probe_rs::config::{MemoryRegion, Registry};
use std::ops::Range;

/// What probe-rs knows of the board's chip, when the board's regions fit it: flash lies in flash,
/// memory in memory, every region of flash is whole sectors of the chip, and `sector` is their
/// size.
pub fn check(board: &Board) -> anyhow::Result<Target> {
    let name = board.chip.as_deref().with_context(|| {
        format!(
            "the board {0} is emulated and has nothing to flash: use `cargo xtask emulate --board {0}`",
            board.name
        )
    })?;
    let target = Registry::from_builtin_families().get_target_by_name(name).with_context(|| {
        format!("chip in board.toml of {}: expected one that probe-rs knows, got `{name}`", board.name)
    })?;
    let (mut flash, mut ram) = (Vec::new(), Vec::new());
    for region in &target.memory_map {
        match region {
            MemoryRegion::Nvm(nvm) if nvm.is_readable() => flash.push(nvm.range.clone()),
            MemoryRegion::Ram(memory) => ram.push(memory.range.clone()),
            _ => {}
        }
    }
    let fits = |name: &str, place: Region, parts: &[Range<u64>], expected: &str| {
        covered(parts, &wide(place)).with_context(|| wrong(board, name, place, expected))
    };
    for (region, place) in board.regions() {
        let named = format!("flash.{region}");
        fits(&named, place, &flash, "flash of the chip")?;
        whole_sectors(&target, &wide(place), (region != "firmware").then_some(board.flash.sector))
            .with_context(|| wrong(board, &named, place, "whole sectors of the chip"))?;
    }
    fits("ram", board.ram, &ram, "memory of the chip")?;
    let both = [flash, ram].concat();
    for (region, place) in &board.other {
        fits(&format!("other.{region}"), *place, &both, "memory or flash of the chip")?;
    }
    Ok(target)
}

fn wide(region: Region) -> Range<u64> {
    u64::from(region.start)..u64::from(region.start) + u64::from(region.size)
}

fn wrong(board: &Board, region: &str, place: Region, expected: &str) -> String {
    let Range { start, end } = wide(place);
    format!("{region} in board.toml of {}: expected {expected}, got {start:#010x}..{end:#010x}", board.name)
}

/// Every byte of `range` is in one of `parts`, which may continue one another.
fn covered(parts: &[Range<u64>], range: &Range<u64>) -> anyhow::Result<()> {
    let mut at = range.start;
    while at < range.end {
        let part = parts.iter().filter(|part| part.contains(&at)).map(|part| part.end).max();
        at = part.with_context(|| format!("there is none at {at:#010x}"))?;
    }
    Ok(())
}

/// `range` begins and ends where sectors do, and those in it have the size `sector`, where one is
/// given.
fn whole_sectors(target: &Target, range: &Range<u64>, sector: Option<u32>) -> anyhow::Result<()> {
    let mut at = range.start;
    while at < range.end {
        let place = sector_at(target, at).with_context(|| format!("probe-rs cannot write at {at:#010x}"))?;
        let size = place.end - place.start;
        ensure!(place.start == at, "a sector begins at {:#010x}, not at {at:#010x}", place.start);
        if let Some(sector) = sector {
            ensure!(
                size == u64::from(sector),
                "the sector at {at:#010x} has {size} bytes, flash.sector says {sector}"
            );
        }
        at = place.end;
    }
    ensure!(at == range.end, "a sector ends at {at:#010x}, not at {:#010x}", range.end);
    Ok(())
}

fn sector_at(target: &Target, address: u64) -> Option<Range<u64>> {
    let algorithms = target.flash_algorithms.iter();
    let mut flashes = algorithms.map(|algorithm| &algorithm.flash_properties);
    let flash = flashes.find(|flash| flash.address_range.contains(&address))?;
    let offset = address - flash.address_range.start;
    // Each entry is the size of all sectors from its offset to the next entry's.
    let entry =
        flash.sectors.iter().filter(|sector| sector.address <= offset).max_by_key(|sector| sector.address)?;
    let start = address - (offset - entry.address).checked_rem(entry.size)?;
    Some(start..start + entry.size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use test_support::BOARD;

    /// The boards below `folder` that have a chip, and what does not fit it.
    fn misfits(folder: &Path) -> (Vec<String>, Vec<String>) {
        let boards = board_config::all(folder).unwrap();
        let real = || boards.iter().map(|(_, board)| board).filter(|board| board.chip.is_some());
        let wrong = real().filter_map(|board| check(board).err()).map(|error| format!("{error:#}"));
        (real().map(|board| board.name.clone()).collect(), wrong.collect())
    }

    fn changed(changes: &[(&str, &str)]) -> anyhow::Result<Target> {
        let text = changes.iter().fold(BOARD.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from} is not there");
            text.replace(from, to)
        });
        check(&Board::parse(&text)?)
    }

    #[test]
    fn the_boards_of_the_repository_fit_their_chips() {
        let (boards, wrong) = misfits(&flash::boards_folder());
        assert!(wrong.is_empty(), "{wrong:#?}");
        for board in ["nrf52840", "rp2350", "stm32h7"] {
            assert!(boards.iter().any(|name| name == board), "{board} was not looked at: {boards:?}");
        }
    }

    #[test]
    fn a_wrong_board_in_a_folder_is_found() {
        let folder = tempfile::tempdir().unwrap();
        for (name, chip) in [("good", "nRF52840_xxAA"), ("bad", "nRF52832_xxAA")] {
            let text = BOARD.replace("\"desk\"", &format!("{name:?}")).replace("nRF52840_xxAA", chip);
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("board.toml"), text).unwrap();
        }
        let (boards, wrong) = misfits(folder.path());
        assert_eq!(boards, ["bad", "good"]);
        assert!(
            wrong.len() == 1 && wrong[0].contains("in board.toml of bad: expected flash of the chip"),
            "{wrong:?}"
        );
    }

    #[test]
    fn what_does_not_fit_is_named() {
        changed(&[]).unwrap_or_else(|error| panic!("{error:#}"));
        let chip = "nRF52840_xxAA";
        let cases: [(&[(&str, &str)], &str); 7] = [
            (&[(chip, "nRF99999")], "got `nRF99999`"),
            (
                &[("[flash]", "other.X = { start = 0x30000000, size = 4 }\n[flash]")],
                "other.X in board.toml of desk: expected memory or flash of the chip",
            ),
            // Half the flash, a quarter of the memory.
            (&[(chip, "nRF52832_xxAA")], "flash.slot_a in board.toml of desk: expected flash of the chip"),
            (&[("start = 0x90000", "start = 0xe0000")], "there is none at 0x00100000"),
            (
                &[("start = 0, size = 0x40000", "start = 0, size = 0x3ffff")],
                "ends at 0x00040000, not at 0x0003ffff",
            ),
            (&[("0x20000000, size = 0x40000", "0x20000000, size = 0x40004")], "ram in board.toml of desk"),
            (
                &[("sector = 0x1000", "sector = 0x2000"), ("0x2000 }", "0x4000 }")],
                "has 4096 bytes, flash.sector says 8192",
            ),
        ];
        for (changes, message) in cases {
            let error = format!("{:#}", changed(changes).unwrap_err());
            assert!(error.contains(message), "{changes:?}: {error}");
        }
    }

    #[test]
    fn a_region_may_go_on_in_the_next_bank_of_flash() {
        let (parts, hole) = ([0..10, 10..20], [0..10, 11..20]);
        assert!(covered(&parts, &(5..20)).is_ok());
        for (parts, range, missing) in [(&parts, 5..21, 20), (&hole, 5..20, 10)] {
            let error = covered(parts, &range).unwrap_err().to_string();
            assert_eq!(error, format!("there is none at {missing:#010x}"));
        }
    }

    #[test]
    fn an_emulated_board_is_sent_to_the_emulator() {
        let error = changed(&[("chip = \"nRF52840_xxAA\"", "")]).unwrap_err().to_string();
        assert!(error.contains("cargo xtask emulate --board desk"), "{error}");
    }
}
