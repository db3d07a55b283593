//! The records alone: how the two sectors fill, and what is said where a record does not fit or is
//! not kept.

use crate::signed::flash::{SECTOR, Sim, regions};
use embedded_storage::nor_flash::NorFlashErrorKind;
use firmware::bundle::Version;
use firmware::slots::{BootState, Records, RecordsError};

/// A state that differs from others by its number; that of 0 is a new device's.
fn numbered(number: u32) -> BootState {
    BootState { minimum_version: Version(number), ..BootState::default() }
}

/// Erasing is what wears a flash. The sectors take turns, at one start or over many.
#[test]
fn a_sector_is_full_before_the_other_one_is_erased() {
    const PLACES: u32 = (SECTOR / 256) as u32;
    let sectors = 5;
    for records_a_start in [1, 3, sectors * PLACES] {
        let mut flash = Sim::<256>::default();
        let mut last = 0;
        while last < sectors * PLACES {
            let mut records = Records::open(&mut flash, regions().records);
            assert_eq!(*records.state(), numbered(last), "{records_a_start} a start");
            for _ in 0..records_a_start.min(sectors * PLACES - last) {
                last += 1;
                records.save(numbered(last)).unwrap();
            }
        }
        // The first sector was blank to begin with.
        let writes_and_erases = sectors * PLACES + sectors - 1;
        assert_eq!((flash.operations, flash.written_twice), (writes_and_erases as usize, 0));
    }
}

/// Where the next record goes lies an old one, even of the same state: only its number tells.
#[test]
fn a_record_that_a_locked_flash_does_not_keep_is_no_success() {
    let mut flash = Sim::<256>::default();
    let mut records = Records::open(&mut flash, regions().records);
    (0..2 * SECTOR / 256).for_each(|_| records.save(numbered(1)).unwrap());
    flash.locked = true;
    let mut records = Records::open(&mut flash, regions().records);
    for state in [numbered(1), numbered(2)] {
        assert_eq!(records.save(state), Err(RecordsError::NotKept));
        assert_eq!(*records.state(), numbered(1));
    }
    let told = RecordsError::NotKept.to_string();
    assert!(told.contains("not read as it was written; check the regions"), "{told}");
}

#[test]
fn a_region_without_room_for_a_record_is_told_and_nothing_erased() {
    for length in [0, 48] {
        let mut flash = Sim::<8>::default();
        let saved = Records::open(&mut flash, 0..length).save(numbered(1));
        assert_eq!(saved, Err(RecordsError::Flash(NorFlashErrorKind::OutOfBounds)));
        assert_eq!(flash.operations, 0);
        let told = saved.unwrap_err().to_string();
        assert!(told.contains("cannot be written") && told.contains("board.toml"), "{told}");
    }
}

/// For a probe, which erases whatever sector it writes to.
#[test]
fn a_record_in_the_other_sector_is_its_first_and_leaves_the_newest_one() {
    let mut flash = Sim::<32>::default();
    let mut records = Records::open(&mut flash, regions().records);
    records.save(numbered(1)).unwrap();
    records.save_in_other_sector(numbered(2)).unwrap();
    let state = |flash: &mut Sim<32>| *Records::open(flash, regions().records).state();
    assert_eq!(state(&mut flash), numbered(2));
    let other = flash.poke(SECTOR as u32..2 * SECTOR as u32);
    assert!(other[32..].iter().all(|byte| *byte == 0xFF));
    other.fill(0xFF);
    assert_eq!(state(&mut flash), numbered(1));
}
