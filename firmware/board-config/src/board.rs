//! A board as its `board.toml` says it, checked; and what its build makes of it.

use crate::estimate::Estimate;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::path::Path;
use std::{fs, io};

/// Everything that `board.toml` says.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// What command lines and logs call it.
    pub name: String,
    /// Chip, board and camera in one line.
    pub description: String,
    /// Triple of the compiler's target, such as `thumbv7em-none-eabihf`.
    pub target: String,
    /// The chip as probe-rs names it; none for an emulated board.
    pub chip: Option<String>,
    /// The ed25519 key that models must be signed with, 64 hexadecimal digits.
    pub public_key: String,
    /// What lies where in its flash.
    pub flash: Flash,
    /// The region of its memory that the firmware has.
    pub ram: Region,
    /// Bytes at the bottom of that region that are the stack's, so that whatever runs out of it
    /// faults instead of writing over what lies above; 0 for a stack that has what nothing else
    /// takes, at the region's end.
    #[serde(default)]
    pub stack: u32,
    /// Further regions, for the linker only.
    #[serde(default)]
    pub other: BTreeMap<String, Region>,
    /// The pin of each wire, as it is written on the board, by the wire's name in the checklist of
    /// a first start; empty for an emulated board.
    #[serde(default)]
    pub wires: BTreeMap<String, String>,
    /// What time and energy are estimated from; none for an emulated board.
    pub estimate: Option<Estimate>,
}

/// The regions of a board's flash. They do not overlap, and each begins at a sector.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Flash {
    /// Bytes that are erased at a time, in the regions of slots and records.
    pub sector: u32,
    /// The program, at its start.
    pub firmware: Region,
    /// Which model runs: two sectors of records.
    pub records: Region,
    /// Room for a signed model.
    pub slot_a: Region,
    /// As large as slot A.
    pub slot_b: Region,
    /// What is not the firmware's and stays as it came, such as a boot loader, by name.
    #[serde(default)]
    pub kept: BTreeMap<String, Region>,
}

/// A range of addresses.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// First address.
    pub start: u32,
    /// Bytes.
    pub size: u32,
}

impl Region {
    /// From the first address to the one behind the last.
    pub fn range(&self) -> Range<u32> {
        self.start..self.start.saturating_add(self.size)
    }
}

impl Board {
    /// Reads `board.toml` in `folder`.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Form`] with the file's path.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("board.toml");
        let name = path.display().to_string();
        let text = fs::read_to_string(&path).map_err(|source| Error::Read { path: name.clone(), source })?;
        Self::parse(&text).map_err(|error| error.of(&name))
    }

    /// Parses the text of a `board.toml`.
    ///
    /// # Errors
    /// [`Error::Form`]: no TOML of this form, or a memory map that cannot be.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let board: Self = toml::from_str(text)
            .map_err(|source| Error::Form { path: String::new(), message: source.to_string() })?;
        board.check().map_err(|message| Error::Form { path: String::new(), message })?;
        Ok(board)
    }

    /// The regions of flash with their names.
    pub fn regions(&self) -> [(&'static str, Region); 4] {
        let &Flash { firmware, records, slot_a, slot_b, .. } = &self.flash;
        [("firmware", firmware), ("records", records), ("slot_a", slot_a), ("slot_b", slot_b)]
    }

    fn check(&self) -> Result<(), String> {
        self.key()?;
        if self.stack >= self.ram.size || !self.stack.is_multiple_of(8) {
            return Err(format!(
                "stack: expected a multiple of 8 below {}, got {}",
                self.ram.size, self.stack
            ));
        }
        let sector = self.flash.sector;
        let whole = |number: u32| sector != 0 && number.is_multiple_of(sector);
        let kept = self.flash.kept.iter().map(|(name, region)| (format!("kept.{name}"), *region));
        let own = self.regions().map(|(name, region)| (name.to_owned(), region));
        let regions: Vec<(String, Region)> = kept.chain(own).collect();
        for (index, (name, region)) in regions.iter().enumerate() {
            if region.size == 0 || u32::checked_add(region.start, region.size).is_none() {
                return Err(format!("flash.{name}: expected a range of addresses, got {region:?}"));
            }
            if !whole(region.start) || name != "firmware" && !whole(region.size) {
                return Err(format!(
                    "flash.{name}: expected whole sectors of {sector} bytes, got {region:?}"
                ));
            }
            for (other, with) in &regions[..index] {
                let (a, b) = (region.range(), with.range());
                if a.start < b.end && b.start < a.end {
                    return Err(format!("flash.{name} overlaps flash.{other}: move one of them"));
                }
            }
        }
        if self.flash.records.size != 2 * sector {
            return Err(format!("flash.records: expected two sectors of {sector} bytes"));
        }
        if self.flash.slot_a.size != self.flash.slot_b.size {
            return Err("flash.slot_a and flash.slot_b: expected two slots of one size".into());
        }
        self.estimate.as_ref().map_or(Ok(()), |estimate| estimate.sources.check())
    }

    /// The bytes of [`Board::public_key`].
    ///
    /// # Errors
    /// What was expected and what stands there.
    pub fn key(&self) -> Result<[u8; 32], String> {
        let wrong = || format!("public_key: expected 64 hexadecimal digits, got {:?}", self.public_key);
        let digits = self.public_key.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(wrong());
        }
        let mut key = [0; 32];
        for (byte, at) in key.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&self.public_key[at..at + 2], 16).map_err(|_| wrong())?;
        }
        Ok(key)
    }

    /// The linker's `memory.x` for cortex-m-rt.
    pub fn memory_x(&self) -> String {
        let mut text = String::from("/* Made from board.toml. */\nMEMORY\n{\n");
        let mut region = |name: &str, region: Region| {
            let _ =
                writeln!(text, "    {name} : ORIGIN = {:#010x}, LENGTH = {:#x}", region.start, region.size);
        };
        region("FLASH", self.flash.firmware);
        let Region { start, size } = self.ram;
        region(
            "RAM",
            Region { start: start.saturating_add(self.stack), size: size.saturating_sub(self.stack) },
        );
        for (name, other) in &self.other {
            region(name, *other);
        }
        text += "}\n";
        if self.stack != 0 {
            let top = start.saturating_add(self.stack);
            let _ = writeln!(text, "_stack_end = {start:#010x};\n_stack_start = {top:#010x};");
        }
        text
    }

    /// Rust source of the constants that a board's program needs: `NAME`, `PUBLIC_KEY`, `SECTOR`,
    /// `RECORDS`, `SLOT_A`, `SLOT_B`; the last three are ranges of addresses.
    ///
    /// # Errors
    /// As for [`Board::key`].
    pub fn constants(&self) -> Result<String, String> {
        let mut text = String::from("// Made from board.toml.\n");
        let _ = writeln!(text, "/// The board's name.\npub const NAME: &str = {:?};", self.name);
        let _ = writeln!(
            text,
            "/// The key that models must be signed with.\npub const PUBLIC_KEY: [u8; 32] = {:?};",
            self.key()?
        );
        let _ = writeln!(
            text,
            "/// Bytes of a sector of slots and records.\npub const SECTOR: u32 = {:#x};",
            self.flash.sector
        );
        for (name, region) in &self.regions()[1..] {
            let (name, range) = (name.to_uppercase(), region.range());
            let _ = writeln!(
                text,
                "/// Addresses.\npub const {name}: core::ops::Range<u32> = {:#x}..{:#x};",
                range.start, range.end
            );
        }
        Ok(text)
    }
}

/// Why there is no board.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}; name a board of firmware/boards")]
    Read {
        /// The file or folder.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file says something that cannot be.
    #[error("{path}: {message}")]
    Form {
        /// The file; empty for a text that is none.
        path: String,
        /// The field, what was expected and what stands there.
        message: String,
    },
    /// No board has that name.
    #[error("there is no board `{}` in {folder}; {}", name.escape_debug(), listed(known))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        folder: String,
        /// The boards that are there.
        known: Vec<String>,
    },
}

fn listed(known: &[String]) -> String {
    if known.is_empty() {
        "there is no board.toml".into()
    } else {
        format!("the boards are: {}", known.join(", "))
    }
}

impl Error {
    fn of(self, name: &str) -> Self {
        match self {
            Error::Form { message, .. } => Error::Form { path: name.into(), message },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::BOARD;

    #[test]
    fn a_board_gives_the_linker_and_the_program_its_regions() {
        let board = Board::parse(BOARD).unwrap();
        assert!(board.memory_x().contains("FLASH : ORIGIN = 0x00000000, LENGTH = 0x40000"));
        let constants = board.constants().unwrap();
        assert!(constants.contains("SLOT_B: core::ops::Range<u32> = 0x90000..0xd0000"), "{constants}");
        assert!(constants.contains("[38, 193, 251, 207"), "{constants}");
    }

    #[test]
    fn a_stack_lies_below_everything_else() {
        let text = BOARD.replace("ram =", "stack = 0x1000\nram =");
        let memory_x = Board::parse(&text).unwrap().memory_x();
        assert!(memory_x.contains("RAM : ORIGIN = 0x20001000, LENGTH = 0x3f000"), "{memory_x}");
        assert!(memory_x.contains("_stack_end = 0x20000000;\n_stack_start = 0x20001000;"), "{memory_x}");
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_name() {
        for (from, to, message) in [
            ("0x50000, size", "0x41000, size", "flash.slot_a overlaps flash.records"),
            (
                "firmware = { start = 0,",
                "firmware = { start = 0x100,",
                "flash.firmware: expected whole sectors",
            ),
            (
                "[flash]",
                "[flash]\nkept.boot = { start = 0x3F000, size = 0x1000 }",
                "overlaps flash.kept.boot",
            ),
            (
                "[flash]",
                "[flash]\nkept.boot = { start = 0x42100, size = 0x1000 }",
                "flash.kept.boot: expected",
            ),
            ("size = 0x2000 ", "size = 0x3000 ", "two sectors"),
            ("start = 0x90000", "start = 0x90001", "flash.slot_b: expected whole sectors"),
            ("sector = 0x1000", "sector = 0", "whole sectors of 0 bytes"),
            ("0x90000, size = 0x40000", "0x90000, size = 0x41000", "two slots of one size"),
            ("26c1fb", "26c1fg", "public_key"),
            ("name =", "nam =", "unknown field"),
            ("ram =", "stack = 0x1004\nram =", "stack: expected a multiple of 8"),
        ] {
            let error = Board::parse(&BOARD.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(message), "{from} -> {to}: {error}");
        }
    }

    #[test]
    fn the_boot_loader_of_the_openmv_cam_stays() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/stm32h7");
        let text = fs::read_to_string(folder.join("board.toml")).unwrap();
        let board = Board::parse(&text).unwrap();
        assert_eq!(board.flash.kept["boot_loader"], Region { start: 0x0800_0000, size: 0x2_0000 });
        // Where it jumps to.
        assert_eq!(board.flash.firmware.start, 0x0804_0000);
        for (from, to, message) in [
            ("firmware = { start = 0x08040000", "firmware = { start = 0x08000000", "flash.kept.boot_loader"),
            ("records = { start = 0x08080000", "records = { start = 0x08020000", "flash.kept.file_system"),
            ("slot_b = { start = 0x08160000", "slot_b = { start = 0x081A0000", "flash.kept.read_only_files"),
        ] {
            assert!(text.contains(from), "{from} is not there");
            let error = Board::parse(&text.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains("overlaps") && error.contains(message), "{to}: {error}");
        }
    }
}
