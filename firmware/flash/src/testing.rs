//! A board that is memory on the host: its flash is erased by sectors as a real one's, and can fail
//! where a test wants it to.

use crate::link::{Link, Piece, Progress, Step};
use anyhow::bail;
use board_config::Board;

pub fn board() -> Board {
    Board::parse(test_support::BOARD).unwrap()
}

#[derive(Default)]
pub struct Fixture {
    /// Its flash, from address 0.
    pub flash: Vec<u8>,
    sector: usize,
    /// Bytes that can still be written before the connection breaks.
    pub breaks_after: Option<usize>,
    /// A byte that does not keep what is written.
    pub worn: Option<u32>,
    pub writes: usize,
    pub resets: usize,
}

impl Fixture {
    /// One with empty flash.
    pub fn new(board: &Board) -> Self {
        let end = board.regions().iter().map(|(_, region)| region.range().end).max().unwrap_or(0);
        Self { flash: vec![0xFF; end as usize], sector: board.flash.sector as usize, ..Self::default() }
    }
}

impl Link for Fixture {
    fn read(&mut self, address: u32, bytes: &mut [u8]) -> anyhow::Result<()> {
        let start = address as usize;
        bytes.copy_from_slice(&self.flash[start..start + bytes.len()]);
        Ok(())
    }

    fn store(&mut self, address: u32, word: u32) -> anyhow::Result<()> {
        let start = address as usize;
        self.flash[start..start + 4].copy_from_slice(&word.to_le_bytes());
        Ok(())
    }

    fn write(&mut self, pieces: &[Piece], progress: &mut dyn FnMut(Progress)) -> anyhow::Result<()> {
        self.writes += 1;
        for piece in pieces {
            let (start, end) = (piece.address as usize, piece.address as usize + piece.bytes.len());
            let first = start / self.sector * self.sector;
            self.flash[first..end.next_multiple_of(self.sector)].fill(0xFF);
        }
        let total = pieces.iter().map(|piece| piece.bytes.len() as u64).sum();
        let mut done = 0;
        for piece in pieces {
            for (at, byte) in (piece.address..).zip(&piece.bytes) {
                if let Some(left) = &mut self.breaks_after {
                    let Some(less) = left.checked_sub(1) else { bail!("the connection broke") };
                    *left = less;
                }
                self.flash[at as usize] = if self.worn == Some(at) { byte ^ 1 } else { *byte };
            }
            done += piece.bytes.len() as u64;
            progress(Progress { step: Step::Write, done, total });
        }
        Ok(())
    }

    fn reset(&mut self) -> anyhow::Result<()> {
        self.resets += 1;
        Ok(())
    }
}
