//! The chip's flash: the records through embassy's driver, the slots where they are mapped. A word
//! that was half written reads as anything, and faults nothing.

use crate::board::{SLOT_A, SLOT_B};

pub fn slots() -> [&'static [u8]; 2] {
    // SAFETY: board.toml's slots lie in mapped flash; a probe writes them while the processor is
    // halted, and the program never.
    [SLOT_A, SLOT_B].map(|slot| unsafe { support::mapped(slot) })
}
