//! What a device notes of its models in flash: which one runs, below which version none is taken, which one failed and why.
//!
//! Two sectors, entries appended to one until it is full. Every entry is the whole state, and the whole entry of the greatest
//! sequence number counts; so a sector may be erased once the newest entry lies in the other, and at every moment one of them holds
//! the state. A torn entry does not pass its checksum and is stepped over. Entries are read by the driver, not through
//! the memory map: where a chip cannot read a word that was torn, its driver says so, and the place counts as used.

use crate::bundle::{Id, Version};
use crate::journal::Slot;
use core::fmt;
use core::ops::Range;
use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind};
use sha2::{Digest, Sha256};

/// What is known of the models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The slot whose model runs; none on a new device.
    pub active: Option<Slot>,
    /// No model below this version is taken.
    pub floor: Version,
    /// The model of each slot that is not tried again while another one runs.
    pub rejected: [Option<Rejected>; 2],
}

/// A model that is not tried again while another one runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// What names it: another model in the same slot is not meant.
    pub id: Id,
    /// Why.
    pub verdict: Verdict,
}

/// Why a model is not tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its self-test began and never ended: it hung until the watchdog expired, it crashed, or the power went.
    Unfinished,
    /// Its self-test gave another logit.
    WrongLogit,
    /// The engine could not run it.
    Engine,
    /// It ran until the other one passed its self-test.
    Superseded,
}

impl Verdict {
    const ALL: [Self; 4] = [Self::Unfinished, Self::WrongLogit, Self::Engine, Self::Superseded];

    /// Its name in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unfinished => "self-test-unfinished",
            Self::WrongLogit => "self-test-failed",
            Self::Engine => "self-test-not-run",
            Self::Superseded => "superseded",
        }
    }

    fn code(self) -> u8 {
        self as u8 + 1
    }

    fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.code() == code)
    }
}

impl State {
    /// What was found of the model `id` in `slot` before.
    pub fn verdict(&self, slot: Slot, id: &Id) -> Option<Verdict> {
        slot.of(self.rejected).filter(|known| known.id == *id).map(|known| known.verdict)
    }

    /// The same with another verdict on a slot.
    #[must_use]
    pub fn with(mut self, slot: Slot, rejected: Option<Rejected>) -> Self {
        *slot.of(self.rejected.each_mut()) = rejected;
        self
    }
}

/// Bytes of an entry: sequence, floor, [`FORM`], active slot, verdicts on A and B, their ids; then the first bytes of the SHA-256 of
/// all that. The active slot is 1 or 2; 0 stands for none.
const ENTRY: usize = 32;
const COVERED: usize = ENTRY - size_of::<Check>();
const FORM: u8 = 1;

type Check = [u8; 4];

/// Most bytes that a flash may want to write at once.
pub(super) const MOST: usize = 256;

fn encode(sequence: u32, state: &State) -> [u8; ENTRY] {
    let active = state.active.map_or(0, |slot| slot.index() as u8 + 1);
    let [a, b] = state.rejected;
    let verdict = |known: Option<Rejected>| known.map_or(0, |known| known.verdict.code());
    let id = |known: Option<Rejected>| known.map_or([0; 8], |known| known.id);
    let parts: [&[u8]; 5] = [
        &sequence.to_le_bytes(),
        &state.floor.0.to_le_bytes(),
        &[FORM, active, verdict(a), verdict(b)],
        &id(a),
        &id(b),
    ];
    let mut entry = [0; ENTRY];
    for (to, from) in entry.iter_mut().zip(parts.into_iter().flatten()) {
        *to = *from;
    }
    let check = check(&entry);
    if let Some(to) = entry.last_chunk_mut() {
        *to = check;
    }
    entry
}

fn decode(entry: &[u8; ENTRY]) -> Option<(u32, State)> {
    if entry.last_chunk() != Some(&check(entry)) {
        return None;
    }
    let [sequence, floor, codes, ids @ .., _] = entry.as_chunks::<4>().0 else { return None };
    let ([form, active, verdict_a, verdict_b], [a, b]) = (codes, ids.as_flattened().as_chunks::<8>().0)
    else {
        return None;
    };
    if *form != FORM {
        return None;
    }
    let rejected = |code: &u8, id: &Id| Some(Rejected { id: *id, verdict: Verdict::of_code(*code)? });
    let state = State {
        active: Slot::ALL.into_iter().find(|slot| slot.index() + 1 == usize::from(*active)),
        floor: Version(u32::from_le_bytes(*floor)),
        rejected: [rejected(verdict_a, a), rejected(verdict_b, b)],
    };
    Some((u32::from_le_bytes(*sequence), state))
}

fn check(entry: &[u8; ENTRY]) -> Check {
    let covered = entry.get(..COVERED).unwrap_or(&[]);
    Sha256::digest(covered).first_chunk().copied().unwrap_or_default()
}

/// The records of a device, and where the next one goes.
#[derive(Debug)]
pub struct Records<'f, F> {
    flash: &'f mut F,
    range: Range<u32>,
    state: State,
    sequence: u32,
    /// The sector that holds the newest whole entry: never the one that is erased.
    holder: u32,
    /// Where the next entry goes, and where its sector ends.
    next: Range<u32>,
}

/// What lies at one place of a sector.
enum Place {
    Blank,
    Torn,
    Entry(u32, State),
}

impl<'f, F: NorFlash> Records<'f, F> {
    /// Bytes from one entry to the next.
    const STRIDE: usize = {
        let stride = ENTRY.next_multiple_of(F::WRITE_SIZE);
        assert!(stride <= MOST && stride % F::READ_SIZE == 0, "a flash that this code does not know");
        stride
    };

    /// Reads the records in `range`, two sectors of `flash`. Where there are none, the state is that of a new device.
    pub fn open(flash: &'f mut F, range: Range<u32>) -> Self {
        let mut records = Self { flash, range, state: State::default(), sequence: 0, holder: 0, next: 0..0 };
        let mut free = [records.sector(0), records.sector(1)];
        let mut found = false;
        for (number, free) in (0..).zip(&mut free) {
            let mut at = free.clone();
            while at.len() >= Self::STRIDE {
                let place = records.place(at.start);
                at.start += Self::STRIDE as u32;
                match place {
                    Place::Blank => continue,
                    Place::Entry(sequence, state) if !found || sequence > records.sequence => {
                        found = true;
                        (records.sequence, records.state, records.holder) = (sequence, state, number);
                    }
                    Place::Entry(..) | Place::Torn => {}
                }
                free.start = at.start;
            }
        }
        let [first, second] = free;
        records.next = if records.holder == 0 { first } else { second };
        records
    }

    /// What they say.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Notes a new state. Whatever happens to the power meanwhile, the old one or the new one is read later.
    ///
    /// # Errors
    /// [`RecordsError`]: the old state holds, as far as can be known.
    pub fn save(&mut self, state: State) -> Result<(), RecordsError> {
        if self.next.len() < Self::STRIDE {
            let other = self.sector(1 - self.holder);
            if other.len() < Self::STRIDE {
                return Err(RecordsError::Flash(NorFlashErrorKind::OutOfBounds));
            }
            self.flash.erase(other.start, other.end).map_err(|error| RecordsError::Flash(error.kind()))?;
            self.next = other;
        }
        // Whatever becomes of them, neither this place nor this number is used again.
        let at = self.next.start;
        self.next.start += Self::STRIDE as u32;
        self.sequence = self.sequence.saturating_add(1);
        let mut bytes = [0xFF; MOST];
        if let Some(to) = bytes.first_chunk_mut() {
            *to = encode(self.sequence, &state);
        }
        let bytes = bytes.get(..Self::STRIDE).unwrap_or(&[]);
        self.flash.write(at, bytes).map_err(|error| RecordsError::Flash(error.kind()))?;
        match self.place(at) {
            Place::Entry(sequence, kept) if sequence == self.sequence && kept == state => {
                self.state = state;
                self.holder = u32::from(!self.sector(0).contains(&at));
                Ok(())
            }
            _ => Err(RecordsError::NotKept),
        }
    }

    /// As [`Records::save`], as the first entry of the sector that does not hold the newest one: for a host whose probe erases each
    /// sector that it writes to.
    pub fn save_apart(&mut self, state: State) -> Result<(), RecordsError> {
        self.next = 0..0;
        self.save(state)
    }

    fn sector(&self, number: u32) -> Range<u32> {
        let half = self.range.end.saturating_sub(self.range.start) / 2;
        let start = self.range.start.saturating_add(number * half);
        start..start.saturating_add(half)
    }

    fn place(&mut self, at: u32) -> Place {
        let mut bytes = [0; MOST];
        let Some(bytes) = bytes.get_mut(..Self::STRIDE) else { return Place::Torn };
        if self.flash.read(at, bytes).is_err() {
            return Place::Torn;
        }
        if bytes.iter().all(|byte| *byte == 0xFF) {
            return Place::Blank;
        }
        match bytes.first_chunk().and_then(decode) {
            Some((sequence, state)) => Place::Entry(sequence, state),
            None => Place::Torn,
        }
    }
}

/// Why a record was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordsError {
    /// The flash's driver says so.
    Flash(NorFlashErrorKind),
    /// What is read is not what was written.
    NotKept,
}

impl fmt::Display for RecordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(kind) => write!(f, "the records cannot be written: {kind}; "),
            Self::NotKept => write!(f, "a record is not read as it was written; "),
        }?;
        write!(f, "check the regions in board.toml, else the flash is worn out")
    }
}

impl core::error::Error for RecordsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_comes_back_from_its_entry_and_no_flipped_bit_does() {
        let verdicts = || Verdict::ALL.map(Some).into_iter().chain([None]);
        let known = |id, verdict: Option<Verdict>| verdict.map(|verdict| Rejected { id, verdict });
        for (a, b) in verdicts().flat_map(|a| verdicts().map(move |b| (a, b))) {
            for active in [None, Some(Slot::A), Some(Slot::B)] {
                let rejected = [known([1, 2, 3, 4, 5, 6, 7, 8], a), known([9; 8], b)];
                let state = State { active, floor: Version(0x1234_5678), rejected };
                let mut entry = encode(0xDEAD_BEEF, &state);
                assert_eq!(decode(&entry), Some((0xDEAD_BEEF, state)));
                for bit in 0..8 * ENTRY {
                    entry[bit / 8] ^= 1 << (bit % 8);
                    assert_eq!(decode(&entry), None, "bit {bit}");
                    entry[bit / 8] ^= 1 << (bit % 8);
                }
            }
        }
        assert_eq!(decode(&[0xFF; ENTRY]), None);
        assert_eq!(decode(&[0; ENTRY]), None);
    }
}
