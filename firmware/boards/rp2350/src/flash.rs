//! The board's serial flash: the records through embassy's driver, the slots where they are mapped. While it is written, nothing runs from it:
//! the driver sees to that.

use crate::{RECORDS, SLOT_A, SLOT_B};
use core::ops::Range;
use core::slice;
use embassy_rp::flash::{self, Blocking, FLASH_BASE};
use embassy_rp::peripherals::FLASH;

/// Bytes of the Pico 2's flash.
const SIZE: usize = 4 * 1024 * 1024;

/// The flash; its addresses begin at 0.
pub type Flash = flash::Flash<'static, FLASH, Blocking, SIZE>;

/// Where the records lie, in the driver's addresses.
pub fn records() -> Range<u32> {
    let base = FLASH_BASE as u32;
    RECORDS.start - base..RECORDS.end - base
}

pub fn slots() -> [&'static [u8]; 2] {
    [SLOT_A, SLOT_B].map(|range| {
        // SAFETY: board.toml's slots lie in mapped flash; a probe writes them while the processor is halted, and the program never.
        unsafe { slice::from_raw_parts(range.start as *const u8, (range.end - range.start) as usize) }
    })
}
