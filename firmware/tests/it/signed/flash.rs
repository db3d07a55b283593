//! A NOR flash whose power can fail: writing clears bits, erasing sets them, and each write and
//! erase is counted.

use super::random;
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use firmware::slots::Regions;
use std::collections::BTreeSet;
use std::ops::Range;

/// Bytes that are erased at a time.
pub const SECTOR: usize = 2048;
pub const SLOT: usize = 6 * SECTOR;
const SIZE: usize = 2 * SECTOR + 2 * SLOT;

pub fn regions() -> Regions {
    let place = |from: usize, length: usize| from as u32..(from + length) as u32;
    let records = 2 * SECTOR;
    Regions { records: place(0, records), slots: [place(records, SLOT), place(records + SLOT, SLOT)] }
}

/// What is left of the operation at which the power fails.
#[derive(Clone, Copy, Debug)]
pub enum Tear {
    /// It was not begun.
    Nothing,
    /// Its first bytes are done.
    Prefix,
    /// Some of its bits are done.
    Bits,
}

#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// At this write or erase, counted from 0.
    pub at: usize,
    pub tear: Tear,
    pub seed: u64,
}

/// A flash that is written in words of `WORD` bytes.
#[derive(Clone, Debug)]
pub struct Sim<const WORD: usize> {
    bytes: Vec<u8>,
    /// Writes and erases since the power came on.
    pub operations: usize,
    pub cut: Option<Cut>,
    dead: bool,
    /// Torn words cannot be read until they are erased, as on flash with an error-correcting code.
    pub corrects_errors: bool,
    unreadable: BTreeSet<usize>,
    /// Every write and erase fails, with the power on.
    pub worn_out: bool,
    /// Every write and erase does nothing and says that it did, as on a flash that is locked.
    pub locked: bool,
    /// Planted: erases the other one of the records' two sectors.
    pub erases_wrong_sector: bool,
    /// Words that were written twice without being erased.
    pub written_twice: usize,
}

impl<const WORD: usize> Default for Sim<WORD> {
    fn default() -> Self {
        Self {
            bytes: vec![0xFF; SIZE],
            operations: 0,
            cut: None,
            dead: false,
            corrects_errors: false,
            unreadable: BTreeSet::new(),
            worn_out: false,
            locked: false,
            erases_wrong_sector: false,
            written_twice: 0,
        }
    }
}

impl<const WORD: usize> Sim<WORD> {
    /// The power comes on, for good.
    pub fn power_on(&mut self) {
        (self.operations, self.cut, self.dead) = (0, None, false);
    }

    /// Both slots as they lie in the memory map; empty where one cannot be read.
    pub fn slots(&self) -> [Vec<u8>; 2] {
        regions().slots.map(|slot| {
            let place = slot.start as usize..slot.end as usize;
            if self.is_readable(&place) { self.bytes[place].to_vec() } else { vec![] }
        })
    }

    /// Changes bytes as no program does.
    pub fn poke(&mut self, place: Range<u32>) -> &mut [u8] {
        &mut self.bytes[place.start as usize..place.end as usize]
    }

    fn is_readable(&self, place: &Range<usize>) -> bool {
        self.unreadable.range(place.start / WORD..place.end.div_ceil(WORD)).next().is_none()
    }

    /// How much of this operation happens: all of it, or none, or what the power leaves.
    fn begin(&mut self) -> Result<Option<Cut>, NorFlashErrorKind> {
        if self.dead || self.worn_out {
            return Err(NorFlashErrorKind::Other);
        }
        let cut = self.cut.filter(|cut| cut.at == self.operations);
        self.operations += 1;
        self.dead = cut.is_some();
        Ok(cut)
    }

    /// Sets `place` to what `to` says of each byte's old value, as far as the power lasts.
    fn change(
        &mut self,
        place: Range<usize>,
        cut: Option<Cut>,
        to: impl Fn(usize, u8) -> u8,
    ) -> Result<(), NorFlashErrorKind> {
        if self.locked {
            return Ok(());
        }
        let mut rng = cut.map_or(0, |cut| cut.seed);
        let until = place.start + random(&mut rng) as usize % place.len();
        for at in place.clone() {
            let old = self.bytes[at];
            let new = to(at - place.start, old);
            let mask = match cut.map(|cut| cut.tear) {
                None => 0xFF,
                Some(Tear::Prefix) if at < until => 0xFF,
                Some(Tear::Nothing | Tear::Prefix) => 0,
                Some(Tear::Bits) => random(&mut rng) as u8,
            };
            self.bytes[at] = new & mask | old & !mask;
            if self.corrects_errors
                && self.bytes[at] != new
                && !matches!(cut, Some(Cut { tear: Tear::Nothing, .. }))
            {
                self.unreadable.insert(at / WORD);
            }
        }
        if cut.is_some() { Err(NorFlashErrorKind::Other) } else { Ok(()) }
    }
}

impl<const WORD: usize> ErrorType for Sim<WORD> {
    type Error = NorFlashErrorKind;
}

impl<const WORD: usize> ReadNorFlash for Sim<WORD> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        let place = offset as usize..offset as usize + bytes.len();
        if self.dead || !self.is_readable(&place) {
            return Err(NorFlashErrorKind::Other);
        }
        bytes.copy_from_slice(&self.bytes[place]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        SIZE
    }
}

impl<const WORD: usize> NorFlash for Sim<WORD> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        let cut = self.begin()?;
        let mut place = from as usize..to as usize;
        if self.erases_wrong_sector && place.end <= 2 * SECTOR {
            let start = SECTOR - place.start;
            place = start..start + SECTOR;
        }
        if !matches!(cut, Some(Cut { tear: Tear::Nothing, .. })) {
            self.unreadable.retain(|word| !place.contains(&(word * WORD)));
        }
        self.change(place, cut, |_, _| 0xFF)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        let cut = self.begin()?;
        let place = offset as usize..offset as usize + bytes.len();
        let is_blank = self.is_readable(&place) && self.bytes[place.clone()].iter().all(|byte| *byte == 0xFF);
        self.written_twice += usize::from(!is_blank);
        self.change(place, cut, |at, old| old & bytes[at])
    }
}
