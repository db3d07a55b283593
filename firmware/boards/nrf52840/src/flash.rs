//! The chip's flash: the records through embassy's driver, the slots where they are mapped. A word that was half written reads as
//! anything, and faults nothing.

use crate::{SLOT_A, SLOT_B};
use core::slice;

pub fn slots() -> [&'static [u8]; 2] {
    [SLOT_A, SLOT_B].map(|range| {
        // SAFETY: board.toml's slots lie in mapped flash; a probe writes them while the processor is halted, and the program never.
        unsafe { slice::from_raw_parts(range.start as *const u8, (range.end - range.start) as usize) }
    })
}
