//! Flash for records that can be the wrong flash.

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use std::ops::Range;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fault {
    #[default]
    None,
    /// It takes every write and keeps none.
    KeepsNothing,
    /// Half of each byte is always zero.
    WornOut,
    Protected,
    /// The regions are beyond its end.
    TooSmall,
    NotWhole,
}

pub const RECORDS: Range<u32> = 0x1000..0x1400;
const SECTOR: usize = 0x200;

pub struct Flash {
    bytes: Vec<u8>,
    fault: Fault,
}

impl Flash {
    pub fn new(fault: Fault) -> Self {
        let size = if fault == Fault::TooSmall { 0x1000 } else { 0x2000 };
        Self { bytes: vec![0xFF; size], fault }
    }

    fn part(&mut self, from: u32, to: u32) -> Result<&mut [u8], NorFlashErrorKind> {
        self.bytes.get_mut(from as usize..to as usize).ok_or(NorFlashErrorKind::OutOfBounds)
    }

    fn refuses(&self) -> Result<(), NorFlashErrorKind> {
        match self.fault {
            Fault::Protected => Err(NorFlashErrorKind::Other),
            Fault::NotWhole => Err(NorFlashErrorKind::NotAligned),
            _ => Ok(()),
        }
    }
}

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        bytes.copy_from_slice(self.part(offset, offset + bytes.len() as u32)?);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        self.refuses()?;
        self.part(from, to)?.fill(0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        self.refuses()?;
        let fault = self.fault;
        for (cell, byte) in self.part(offset, offset + bytes.len() as u32)?.iter_mut().zip(bytes) {
            match fault {
                Fault::KeepsNothing => {}
                Fault::WornOut => *cell &= byte & 0x0F,
                _ => *cell &= byte,
            }
        }
        Ok(())
    }
}
