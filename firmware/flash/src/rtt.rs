//! The board's log while it runs: SEGGER's ring in its memory, emptied through a [`Link`]. The form
//! is that of firmware/boards/hardware/src/rtt.rs: one channel, up.

use crate::link::Link;
use anyhow::{Context, ensure};
use object::{Object, ObjectSymbol};

const SYMBOL: &str = "_SEGGER_RTT";
/// The block's first bytes.
const ID: &[u8; 16] = b"SEGGER RTT\0\0\0\0\0\0";
/// Where the channel's words lie in the block: the ring's address, its size, where the board
/// writes and where the host reads.
const CHANNEL: u32 = 28;
const READ: u32 = 40;

/// The block of a board's program.
#[derive(Clone, Copy, Debug)]
pub struct Rtt {
    block: u32,
}

impl Rtt {
    /// That of a program's ELF file.
    ///
    /// # Errors
    /// The file has none: it is no firmware of a real board.
    pub fn of(elf: &[u8]) -> anyhow::Result<Self> {
        let file = object::File::parse(elf).context("expected the firmware as an ELF file")?;
        let block = file.symbol_by_name(SYMBOL).with_context(|| {
            format!("expected a program with `{SYMBOL}`, which its log goes through; build the board again")
        })?;
        Ok(Self { block: u32::try_from(block.address())? })
    }

    /// What the board has written since the last time; nothing while it starts.
    ///
    /// # Errors
    /// The link's, or words that the board's program does not write.
    pub fn read(&self, link: &mut dyn Link) -> anyhow::Result<Vec<u8>> {
        let mut id = [0; 16];
        link.read(self.block, &mut id)?;
        if id != *ID {
            return Ok(Vec::new());
        }
        let mut words = [0; 16];
        link.read(self.block + CHANNEL, &mut words)?;
        let word =
            |at: usize| words[at..].first_chunk().map_or(0, |bytes: &[u8; 4]| u32::from_le_bytes(*bytes));
        let [ring, size, write, read] = [0, 4, 8, 12].map(word);
        ensure!(
            write < size && read < size,
            "the log's ring has {size} bytes and is written at {write}, read at {read}: flash the board again"
        );
        let mut bytes = Vec::new();
        for (from, to) in if write < read { [(read, size), (0, write)] } else { [(read, write), (0, 0)] } {
            let mut part = vec![0; (to - from) as usize];
            if !part.is_empty() {
                link.read(ring + from, &mut part)?;
            }
            bytes.extend(part);
        }
        if !bytes.is_empty() {
            link.store(self.block + READ, write)?;
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fixture, board};

    const BLOCK: u32 = 0x100;
    const RING: u32 = 0x200;
    const SIZE: u32 = 16;

    /// A board whose block is in its memory, with an empty ring.
    fn started() -> Fixture {
        let mut fixture = Fixture::new(&board());
        fixture.flash[BLOCK as usize..][..16].copy_from_slice(ID);
        for (at, word) in [(16, 1), (20, 0), (24, 0), (28, RING), (32, SIZE), (36, 0), (40, 0), (44, 0)] {
            fixture.store(BLOCK + at, word).unwrap();
        }
        fixture
    }

    fn word(fixture: &Fixture, at: u32) -> u32 {
        let at = (BLOCK + at) as usize;
        u32::from_le_bytes(fixture.flash[at..at + 4].try_into().unwrap())
    }

    /// What the board does to write a message.
    fn write(fixture: &mut Fixture, message: &[u8]) {
        let start = word(fixture, 36);
        for (at, byte) in (start..).zip(message) {
            fixture.flash[(RING + at % SIZE) as usize] = *byte;
        }
        fixture.store(BLOCK + 36, (start + message.len() as u32) % SIZE).unwrap();
    }

    #[test]
    fn messages_come_once_and_whole_also_around_the_rings_end() {
        let (rtt, mut fixture) = (Rtt { block: BLOCK }, started());
        assert_eq!(rtt.read(&mut fixture).unwrap(), b"");
        for message in [&b"hello"[..], b"a longer one", b"x", b"0123456789abcde"] {
            write(&mut fixture, message);
            assert_eq!(rtt.read(&mut fixture).unwrap(), message);
            assert_eq!(word(&fixture, 36), word(&fixture, 40), "the board has its room back");
            assert_eq!(rtt.read(&mut fixture).unwrap(), b"");
        }
    }

    #[test]
    fn a_board_that_starts_gives_nothing_and_a_spoilt_block_is_told() {
        let (rtt, mut fixture) = (Rtt { block: BLOCK }, started());
        fixture.flash[BLOCK as usize] = 0;
        assert_eq!(rtt.read(&mut fixture).unwrap(), b"");
        fixture.flash[BLOCK as usize] = b'S';
        fixture.store(BLOCK + 36, SIZE).unwrap();
        let error = rtt.read(&mut fixture).unwrap_err().to_string();
        assert!(error.starts_with("the log's ring has 16 bytes and is written at 16"), "{error}");
        assert!(Rtt::of(b"no program").is_err());
    }
}
