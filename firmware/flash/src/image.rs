//! The board's records as they were read from it: a flash in memory, so that the firmware's own
//! code reads them here too.

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use std::ops::Range;

/// Flash from address 0, of which `WRITE` bytes are written at once.
///
/// Entries lie at multiples of the board's own number. Read with the least of any board, [`LEAST`],
/// all are found, and what is between them is erased.
pub struct Image<const WRITE: usize>(pub Vec<u8>);

/// The least that any board writes at once.
pub const LEAST: usize = 4;

impl<const WRITE: usize> Image<WRITE> {
    fn part(&mut self, range: Range<u32>) -> Result<&mut [u8], NorFlashErrorKind> {
        self.0.get_mut(range.start as usize..range.end as usize).ok_or(NorFlashErrorKind::OutOfBounds)
    }
}

impl<const WRITE: usize> ErrorType for Image<WRITE> {
    type Error = NorFlashErrorKind;
}

impl<const WRITE: usize> ReadNorFlash for Image<WRITE> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let end = offset.saturating_add(bytes.len() as u32);
        bytes.copy_from_slice(self.part(offset..end)?);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl<const WRITE: usize> NorFlash for Image<WRITE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = WRITE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.part(from..to)?.fill(0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        let end = offset.saturating_add(bytes.len() as u32);
        for (cell, byte) in self.part(offset..end)?.iter_mut().zip(bytes) {
            *cell &= byte;
        }
        Ok(())
    }
}
