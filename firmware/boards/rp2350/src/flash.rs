//! The board's serial flash: the records through embassy's driver, the slots where they are mapped.
//! While it is written, nothing runs from it: the driver sees to that.

use crate::board::{RECORDS, SLOT_A, SLOT_B};
use core::ops::Range;
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
    // SAFETY: board.toml's slots lie in mapped flash; a probe writes them while the processor is
    // halted, and the program never.
    [SLOT_A, SLOT_B].map(|slot| unsafe { support::mapped(slot) })
}
