//! The chip's flash: the records through its driver, the slots where they are mapped.
//!
//! Each 32 bytes carry check bits. Where the power went while they were written they may be beyond
//! correction, and reading them is a fault of the bus: so everything is read under a guard first,
//! and what cannot be read is an error or no slot at all.

use crate::board::{RECORDS, SECTOR, SLOT_A, SLOT_B};
use crate::caches;
use core::arch::asm;
use core::ops::Range;
use core::ptr;
use cortex_m::peripheral::SCB;
use embassy_stm32::Peri;
use embassy_stm32::flash::{self, Blocking, FLASH_BASE, FLASH_SIZE};
use embassy_stm32::pac;
use embassy_stm32::pac::flash::regs::Ccr;
use embassy_stm32::peripherals::FLASH;
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use firmware::stm32h7::flash::{CLEAR_DAMAGED, CLEAR_ERRORS};

/// Bytes that are written, and checked, at once.
const WORD: usize = flash::WRITE_SIZE;

/// The flash; its addresses begin at 0.
pub struct Flash(flash::Flash<'static, Blocking>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Not whole words or sectors, or beyond the end.
    Range,
    /// The chip reports a failed write or erase.
    Chip,
    /// Its content is damaged beyond correction.
    Damaged,
}

impl NorFlashError for Error {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Error::Range => NorFlashErrorKind::OutOfBounds,
            Error::Chip | Error::Damaged => NorFlashErrorKind::Other,
        }
    }
}

impl From<flash::Error> for Error {
    fn from(error: flash::Error) -> Self {
        match error {
            flash::Error::Size | flash::Error::Unaligned => Error::Range,
            _ => Error::Chip,
        }
    }
}

impl Flash {
    pub fn new(flash: Peri<'static, FLASH>) -> Self {
        Self(flash::Flash::new_blocking(flash))
    }
}

impl ErrorType for Flash {
    type Error = Error;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Error> {
        let end = offset
            .checked_add(bytes.len() as u32)
            .filter(|end| *end as usize <= FLASH_SIZE)
            .ok_or(Error::Range)?;
        let base = FLASH_BASE as u32;
        if !is_readable(base + offset..base + end) {
            return Err(Error::Damaged);
        }
        Ok(self.0.blocking_read(offset, bytes)?)
    }

    fn capacity(&self) -> usize {
        FLASH_SIZE
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Error> {
        let whole = |at: u32| at.is_multiple_of(SECTOR);
        if from > to || to as usize > FLASH_SIZE || !whole(from) || !whole(to) {
            return Err(Error::Range);
        }
        for sector in (from..to).step_by(SECTOR as usize) {
            clear(CLEAR_ERRORS);
            self.0.blocking_erase(sector, sector + SECTOR)?;
        }
        caches::forget(pointers(from..to));
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Error> {
        if !bytes.len().is_multiple_of(WORD) {
            return Err(Error::Range);
        }
        let mut at = offset;
        for word in bytes.chunks_exact(WORD) {
            clear(CLEAR_ERRORS);
            self.0.blocking_write(at, word)?;
            at += WORD as u32;
        }
        caches::forget(pointers(offset..at));
        Ok(())
    }
}

/// Where the records lie, in the driver's addresses.
pub fn records() -> Range<u32> {
    let base = FLASH_BASE as u32;
    RECORDS.start - base..RECORDS.end - base
}

/// The slots as they are mapped; an empty slice for one that cannot be read.
pub fn slots() -> [&'static [u8]; 2] {
    [SLOT_A, SLOT_B].map(|slot| {
        // SAFETY: board.toml's slots lie in flash; a probe writes them while the processor is
        // halted, and the program never.
        if is_readable(slot.clone()) { unsafe { support::mapped(slot) } } else { &[] }
    })
}

/// Where a range of the driver's is mapped.
fn pointers(range: Range<u32>) -> Range<*const u8> {
    let base = FLASH_BASE as u32;
    (base + range.start) as *const u8..(base + range.end) as *const u8
}

fn banks() -> [pac::flash::Bank; 2] {
    [pac::FLASH.bank(0), pac::FLASH.bank(1)]
}

/// Clears these flags in both banks. One that stands from before, such as of a bit that was
/// corrected while something was read, would be taken for a failure of the next write.
fn clear(flags: u32) {
    banks().iter().for_each(|bank| bank.ccr().write_value(Ccr(flags)));
}

/// Reads a range under a guard: whether all of it can be read.
fn is_readable(range: Range<u32>) -> bool {
    const IGNORE_BUS_FAULTS: u32 = 1 << 8;
    let words = (range.start & !(WORD as u32 - 1)..range.end).step_by(WORD);
    clear(CLEAR_DAMAGED);
    // SAFETY: `CCR.BFHFNMIGN` lets handlers of the highest priority step over faults of the bus,
    // and `cpsid f` raises this code to it; both are taken back below, and nothing between can
    // fault otherwise.
    unsafe {
        (*SCB::PTR).ccr.modify(|ccr| ccr | IGNORE_BUS_FAULTS);
        asm!("dsb", "isb", "cpsid f");
    }
    let mut seen = 0_u32;
    for word in words {
        // SAFETY: mapped flash; a damaged word gives a fault of the bus, which is stepped over.
        seen |= unsafe { ptr::read_volatile(word as *const u32) };
    }
    // SAFETY: as it was.
    unsafe {
        asm!("cpsie f", "dsb", "isb", in("r0") seen);
        (*SCB::PTR).ccr.modify(|ccr| ccr & !IGNORE_BUS_FAULTS);
    }
    let readable = banks().iter().all(|bank| !bank.sr().read().dbeccerr());
    clear(CLEAR_DAMAGED);
    readable
}
