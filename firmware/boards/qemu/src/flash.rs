//! The flash: a region of the board's memory that stands for it, read from a file of the host at
//! each start and written back with every write, so that it outlives resets and runs. Bits go from
//! 1 to 0 by writes, and back by erasing only.
//!
//! The power may be cut in the middle of an operation: then half of it is done, and the run ends.

use crate::board;
use crate::host::{self, Ends};
use core::ops::Range;
use core::{ptr, slice};
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use semihosting::io::{Seek, SeekFrom, Write};

/// Where it lies in the memory map; the same range of the file.
const WHOLE: Range<u32> = board::RECORDS.start..board::SLOT_B.end;

/// The records' part of it, the only one that the device writes.
pub struct Flash {
    /// Writes and erasures until the power is cut.
    until_cut: Option<u32>,
}

impl Flash {
    /// Reads it from its file. Call it once a start. The power is cut in the operation after
    /// `until_cut` more.
    pub fn load(until_cut: Option<u32>) -> Self {
        // SAFETY: memory of the board that nothing else has; no other reference to it exists yet.
        let bytes = unsafe { slice::from_raw_parts_mut(pointer(WHOLE.start), WHOLE.len()) };
        if host::fill(host::flash(), bytes) != WHOLE.len() {
            host::complain(b"the image of the flash: it is too short", Ends::File);
        }
        Self { until_cut }
    }

    /// Sets `bytes`, of which all lie in the records, to what `of` makes of them.
    fn change(&mut self, range: Range<u32>, of: impl Fn(usize, u8) -> u8) {
        let (range, cut) = match &mut self.until_cut {
            None => (range, false),
            Some(0) => (range.start..range.start + (range.end - range.start) / 2, true),
            Some(more) => {
                *more -= 1;
                (range, false)
            }
        };
        for (index, address) in range.clone().enumerate() {
            let at = pointer(address);
            // SAFETY: a byte of the records, to which no reference exists.
            unsafe { ptr::write_volatile(at, of(index, ptr::read_volatile(at))) };
        }
        // SAFETY: bytes of the records, to which no other reference exists.
        let bytes = unsafe { slice::from_raw_parts(pointer(range.start), range.len()) };
        let mut file = host::flash();
        let kept = file
            .seek(SeekFrom::Start(u64::from(range.start - WHOLE.start)))
            .and_then(|_| file.write_all(bytes));
        if kept.is_err() {
            host::complain(b"the image of the flash: it cannot be written", Ends::File);
        }
        if cut {
            host::exit(Ends::PowerCut);
        }
    }
}

fn pointer(address: u32) -> *mut u8 {
    ptr::with_exposed_provenance_mut(address as usize)
}

pub fn slot(range: Range<u32>) -> &'static [u8] {
    // SAFETY: memory of the board; after `Flash::load` nothing writes it, because the device writes
    // records only.
    unsafe { support::mapped(range) }
}

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        for (to, address) in bytes.iter_mut().zip(offset..) {
            // SAFETY: a byte of the flash.
            *to = unsafe { ptr::read_volatile(pointer(address)) };
        }
        Ok(())
    }

    /// Addresses count from 0, those of the flash begin further up.
    fn capacity(&self) -> usize {
        board::RECORDS.end as usize
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = board::SECTOR as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        within_records(from)?;
        self.change(from..to, |_, _| 0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        within_records(offset)?;
        let range = offset..offset + bytes.len() as u32;
        self.change(range, |index, old| old & bytes.get(index).copied().unwrap_or(0xFF));
        Ok(())
    }
}

fn within_records(start: u32) -> Result<(), NorFlashErrorKind> {
    if board::RECORDS.contains(&start) { Ok(()) } else { Err(NorFlashErrorKind::OutOfBounds) }
}
