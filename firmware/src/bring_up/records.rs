//! A record in flash: written and read back.

use super::line::{Line, Value};
use crate::slots::{Records, RecordsError};
use core::ops::Range;
use embedded_storage::nor_flash::{NorFlash, NorFlashErrorKind};

const NAME: &str = "records";

/// Writes the newest record once more and reads it back; so nothing that the device knows is lost.
/// `range` is that of [`Models::records`](crate::boot::Models::records).
pub fn check(flash: &mut impl NorFlash, range: Range<u32>) -> Line {
    let kept = Value::Word("kept");
    let fail = |came, look| Line::failed(NAME, kept, Value::Word(came), ["", ""], look);
    let mut records = Records::open(flash, range.clone());
    let state = *records.state();
    let region = "flash.records in board.toml: it must be flash that nothing else uses, whole sectors of it";
    match records.save(state) {
        Err(RecordsError::NotKept) => fail(
            "other",
            "the flash does not keep what is written: another chip, write-protected, or worn out",
        ),
        Err(RecordsError::Flash(NorFlashErrorKind::OutOfBounds)) => fail("out-of-bounds", region),
        Err(RecordsError::Flash(NorFlashErrorKind::NotAligned)) => fail("not-aligned", region),
        Err(RecordsError::Flash(_)) => {
            fail("error", "the flash reports a failed write: write-protected, or worn out")
        }
        Ok(()) if *Records::open(flash, range).state() == state => Line::passed(NAME, kept),
        Ok(()) => fail("lost", region),
    }
}
