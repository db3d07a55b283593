//! The board's records as they were read from it: a flash in memory, so that the firmware's own code reads them here too.

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use std::ops::Range;

/// Flash from address 0.
pub struct Image(pub Vec<u8>);

impl Image {
    fn part(&mut self, range: Range<u32>) -> Result<&mut [u8], NorFlashErrorKind> {
        self.0.get_mut(range.start as usize..range.end as usize).ok_or(NorFlashErrorKind::OutOfBounds)
    }
}

impl ErrorType for Image {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Image {
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

impl NorFlash for Image {
    // The least that any board writes. A board that writes more at once leaves what is between its entries erased.
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4;

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
