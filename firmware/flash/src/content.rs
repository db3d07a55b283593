//! What a file for a board's own boot loader holds: a firmware, or a model for one slot. Nothing
//! outside that one region gets into it, so such a file overwrites neither records nor the other
//! model.

use crate::elf;
use crate::link::Piece;
use crate::model::Model;
use anyhow::{Context, ensure};
use board_config::{Board, Region};
use edge_model::aligned::AlignedBytes;
use firmware::slots::Slot;

/// What flash holds where nothing is written.
const ERASED: u8 = 0xFF;

/// Bytes for one place in one region of a board's flash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    region: Region,
    start: u32,
    bytes: Vec<u8>,
}

impl Content {
    /// What a firmware's ELF file loads, gaps filled as erased flash is.
    ///
    /// # Errors
    /// It is no firmware, or is not for this board's region.
    pub fn firmware(file: &[u8], board: &Board) -> anyhow::Result<Self> {
        Self::of(&elf::pieces(file, board)?, board.flash.firmware)
    }

    /// A signed model that this board would take, for one of its slots.
    ///
    /// # Errors
    /// [`Refused`](crate::outcome::Refused), as for [`Model::open`].
    pub fn model(file: &[u8], board: &Board, slot: Slot) -> anyhow::Result<Self> {
        let aligned = AlignedBytes::copy_of(file);
        Model::open(aligned.as_ref(), board)?;
        let region = slot.of([board.flash.slot_a, board.flash.slot_b]);
        Self::of(&[Piece { address: region.start, bytes: file.to_vec() }], region)
    }

    /// From the first of `pieces`, which are in order, to the last.
    fn of(pieces: &[Piece], region: Region) -> anyhow::Result<Self> {
        let start = pieces.first().context("expected something to write, got nothing")?.address;
        let (inside, mut bytes) = (region.range(), Vec::new());
        for piece in pieces {
            let end = u64::from(piece.address) + piece.bytes.len() as u64;
            ensure!(
                inside.start <= piece.address && end <= u64::from(inside.end),
                "expected what lies in {:#010x}..{:#010x}, got {:#010x}..{end:#010x}: build for this board again",
                inside.start,
                inside.end,
                piece.address
            );
            let at = (piece.address - start) as usize;
            ensure!(
                bytes.len() <= at,
                "two parts of it lie at {:#010x}: build it again, with the board's own linker script",
                piece.address
            );
            bytes.resize(at, ERASED);
            bytes.extend_from_slice(&piece.bytes);
        }
        Ok(Self { region, start, bytes })
    }

    /// The address of the first byte.
    pub fn start(&self) -> u32 {
        self.start
    }

    /// The bytes from [`Content::start`] on.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The region that it is for.
    pub fn region(&self) -> Region {
        self.region
    }

    /// The same as whole units, `first` bytes at the start and `last` at the end, filled up as
    /// erased flash is: for a loader that erases or writes no less.
    ///
    /// # Errors
    /// The region does not consist of such units, so that filling would leave it.
    pub fn whole(&self, first: u32, last: u32) -> anyhow::Result<Self> {
        let before = self.start % first;
        let start = self.start - before;
        let mut bytes = vec![ERASED; before as usize];
        bytes.extend_from_slice(&self.bytes);
        bytes.resize(bytes.len().next_multiple_of(last as usize), ERASED);
        Self::of(&[Piece { address: start, bytes }], self.region).with_context(|| {
            format!("a loader that writes {first} and {last} bytes at once would write beside the region")
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// `length` bytes at `start` of a region of 256 kB.
    pub fn content(start: u32, length: usize) -> Content {
        let region = Region { start: start & !0x3_FFFF, size: 0x4_0000 };
        let bytes = (0..length).map(|at| (at * 7 / 3) as u8).collect();
        Content::of(&[Piece { address: start, bytes }], region).unwrap()
    }

    fn piece(address: u32, bytes: &[u8]) -> Piece {
        Piece { address, bytes: bytes.to_vec() }
    }

    #[test]
    fn gaps_are_filled_as_erased_flash_is() {
        let region = Region { start: 0x100, size: 0x100 };
        let content = Content::of(&[piece(0x110, b"ab"), piece(0x114, b"c")], region).unwrap();
        assert_eq!((content.start(), content.bytes()), (0x110, &b"ab\xFF\xFFc"[..]));
        let whole = content.whole(16, 8).unwrap();
        assert_eq!((whole.start(), whole.bytes()), (0x110, &b"ab\xFF\xFFc\xFF\xFF\xFF"[..]));
        let whole = content.whole(32, 8).unwrap();
        assert_eq!((whole.start(), whole.bytes().len()), (0x100, 24));
        assert_eq!(
            whole.bytes()[..18],
            *b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFab"
        );
    }

    #[test]
    fn nothing_leaves_the_region() {
        let region = Region { start: 0x100, size: 0x100 };
        for pieces in [vec![piece(0xFF, b"a")], vec![piece(0x1FF, b"ab")], vec![piece(u32::MAX, b"ab")]] {
            let error = Content::of(&pieces, region).unwrap_err().to_string();
            assert!(error.starts_with("expected what lies in 0x00000100..0x00000200, got 0x"), "{error}");
        }
        let error = Content::of(&[piece(0x110, b"abc"), piece(0x112, b"d")], region).unwrap_err();
        assert!(error.to_string().starts_with("two parts of it lie at 0x00000112"), "{error}");
        assert!(Content::of(&[], region).is_err());
        // Filling up to whole units does not leave it either.
        let content = Content::of(&[piece(0x1FE, b"ab")], region).unwrap();
        for (first, last) in [(0x400, 4), (4, 0x20)] {
            assert!(content.whole(first, last).is_err(), "{first} {last}");
        }
        assert!(content.whole(4, 4).is_ok());
    }
}
