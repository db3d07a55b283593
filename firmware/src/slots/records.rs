//! What a device keeps of its models in flash: which one runs, below which version none is taken,
//! which one failed and why.
//!
//! Two sectors, records appended to one until it is full. Every record is the whole state, and the
//! intact one of the greatest sequence number counts; so a sector may be erased once the newest
//! record lies in the other, and at every moment one of them holds the state. A torn record does
//! not pass its checksum and is stepped over. Records are read by the driver, not through the
//! memory map: where a chip cannot read a word that was torn, its driver says so, and the place
//! counts as used.

use super::slot::Slot;
use crate::bundle::{BundleId, Version};
use crate::self_test::SelfTestError;
use core::fmt;
use core::ops::Range;
use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind};
use sha2::{Digest, Sha256};

/// What is known of the models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BootState {
    /// The slot whose model is confirmed and runs; none on a new device.
    pub active: Option<Slot>,
    /// No model below this version is taken.
    pub minimum_version: Version,
    /// The models of A and B that are not tried again while another one runs.
    pub images: [Option<ImageRecord>; 2],
}

/// A model that is not tried again while another one runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageRecord {
    /// Which: another model in the same slot is not meant.
    pub id: BundleId,
    /// Why.
    pub state: ImageState,
}

/// Why a model is not tried again. A record has the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageState {
    /// Its self-test began and never ended: it hung until the watchdog expired, it crashed, or the
    /// power went.
    Pending = 1,
    /// Its self-test gave another logit.
    RejectedLogit = 2,
    /// The engine could not run its self-test.
    RejectedEngine = 3,
    /// It was confirmed and ran until the other one passed its self-test.
    Superseded = 4,
}

impl ImageState {
    const ALL: [Self; 4] = [Self::Pending, Self::RejectedLogit, Self::RejectedEngine, Self::Superseded];

    /// The state of a model whose self-test failed so.
    pub const fn rejected(error: &SelfTestError) -> Self {
        match error {
            SelfTestError::Logit { .. } => Self::RejectedLogit,
            SelfTestError::Engine(_) => Self::RejectedEngine,
        }
    }

    /// The word for it in the log's `refused` line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "self-test-unfinished",
            Self::RejectedLogit => "self-test-failed",
            Self::RejectedEngine => "self-test-not-run",
            Self::Superseded => "superseded",
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as u8 == code)
    }
}

impl BootState {
    /// What was found of the model `id` in `slot` before; none where it was not tried or is
    /// confirmed.
    pub fn image_state(&self, slot: Slot, id: &BundleId) -> Option<ImageState> {
        slot.of(self.images).filter(|known| known.id == *id).map(|known| known.state)
    }

    /// The same with another record of a slot's model.
    #[must_use]
    pub fn with_image(mut self, slot: Slot, image: Option<ImageRecord>) -> Self {
        *slot.of(self.images.each_mut()) = image;
        self
    }

    /// The same after the model in `slot` has passed its self-test.
    #[must_use]
    pub fn confirm(self, slot: Slot, version: Version) -> Self {
        let minimum_version = self.minimum_version.max(version);
        Self { active: Some(slot), minimum_version, ..self }.with_image(slot, None)
    }
}

/// Bytes of a record: sequence, minimum version, [`FORM`], active slot, image states of A and B,
/// their ids; then the first bytes of the SHA-256 of all that. The active slot is 1 or 2; 0 stands
/// for none.
const RECORD: usize = 32;
const COVERED: usize = RECORD - size_of::<Check>();
const FORM: u8 = 1;

type Check = [u8; 4];

/// Most bytes that a flash may want to write at once.
pub(super) const MAX_WRITE: usize = 256;

fn encode(sequence: u32, state: &BootState) -> [u8; RECORD] {
    let active = state.active.map_or(0, |slot| slot.index() as u8 + 1);
    let [a, b] = state.images;
    let code = |known: Option<ImageRecord>| known.map_or(0, |known| known.state as u8);
    let id = |known: Option<ImageRecord>| known.map_or([0; 8], |known| known.id);
    let parts: [&[u8]; 5] = [
        &sequence.to_le_bytes(),
        &state.minimum_version.0.to_le_bytes(),
        &[FORM, active, code(a), code(b)],
        &id(a),
        &id(b),
    ];
    let mut record = [0; RECORD];
    for (to, from) in record.iter_mut().zip(parts.into_iter().flatten()) {
        *to = *from;
    }
    let check = check(&record);
    if let Some(to) = record.last_chunk_mut() {
        *to = check;
    }
    record
}

fn decode(record: &[u8; RECORD]) -> Option<(u32, BootState)> {
    if record.last_chunk() != Some(&check(record)) {
        return None;
    }
    let [sequence, minimum_version, codes, ids @ .., _] = record.as_chunks::<4>().0 else { return None };
    let ([form, active, code_a, code_b], [a, b]) = (codes, ids.as_flattened().as_chunks::<8>().0) else {
        return None;
    };
    if *form != FORM {
        return None;
    }
    let image =
        |code: &u8, id: &BundleId| Some(ImageRecord { id: *id, state: ImageState::from_code(*code)? });
    let state = BootState {
        active: Slot::ALL.into_iter().find(|slot| slot.index() + 1 == usize::from(*active)),
        minimum_version: Version(u32::from_le_bytes(*minimum_version)),
        images: [image(code_a, a), image(code_b, b)],
    };
    Some((u32::from_le_bytes(*sequence), state))
}

fn check(record: &[u8; RECORD]) -> Check {
    let covered = record.get(..COVERED).unwrap_or(&[]);
    Sha256::digest(covered).first_chunk().copied().unwrap_or_default()
}

/// The records of a device, and where the next one goes.
#[derive(Debug)]
pub struct Records<'f, F> {
    flash: &'f mut F,
    range: Range<u32>,
    state: BootState,
    sequence: u32,
    /// The sector that holds the newest whole record: never the one that is erased.
    holder: u32,
    /// Where the next record goes, and where its sector ends.
    next: Range<u32>,
}

/// What lies at one place of a sector.
enum Place {
    Blank,
    Torn,
    Record(u32, BootState),
}

impl<'f, F: NorFlash> Records<'f, F> {
    /// Bytes from one record to the next.
    const STRIDE: usize = {
        let stride = RECORD.next_multiple_of(F::WRITE_SIZE);
        assert!(stride <= MAX_WRITE && stride % F::READ_SIZE == 0, "a flash that this code does not know");
        stride
    };

    /// Reads the records in `range`, two sectors of `flash`. Where there are none, the state is
    /// that of a new device.
    pub fn open(flash: &'f mut F, range: Range<u32>) -> Self {
        let mut records =
            Self { flash, range, state: BootState::default(), sequence: 0, holder: 0, next: 0..0 };
        let mut free = [records.sector(0), records.sector(1)];
        let mut found = false;
        for (number, free) in (0..).zip(&mut free) {
            let mut at = free.clone();
            while at.len() >= Self::STRIDE {
                let place = records.place(at.start);
                at.start += Self::STRIDE as u32;
                match place {
                    Place::Blank => continue,
                    Place::Record(sequence, state) if !found || sequence > records.sequence => {
                        found = true;
                        (records.sequence, records.state, records.holder) = (sequence, state, number);
                    }
                    Place::Record(..) | Place::Torn => {}
                }
                free.start = at.start;
            }
        }
        let [first, second] = free;
        records.next = if records.holder == 0 { first } else { second };
        records
    }

    /// That of the newest record.
    pub fn state(&self) -> &BootState {
        &self.state
    }

    /// Writes a new state. Whatever happens to the power meanwhile, the old one or the new one is
    /// read later.
    ///
    /// # Errors
    /// [`RecordsError`]: the old state holds, as far as can be known.
    pub fn save(&mut self, state: BootState) -> Result<(), RecordsError> {
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
        let mut bytes = [0xFF; MAX_WRITE];
        if let Some(to) = bytes.first_chunk_mut() {
            *to = encode(self.sequence, &state);
        }
        let bytes = bytes.get(..Self::STRIDE).unwrap_or(&[]);
        self.flash.write(at, bytes).map_err(|error| RecordsError::Flash(error.kind()))?;
        match self.place(at) {
            Place::Record(sequence, kept) if sequence == self.sequence && kept == state => {
                self.state = state;
                self.holder = u32::from(!self.sector(0).contains(&at));
                Ok(())
            }
            _ => Err(RecordsError::NotKept),
        }
    }

    /// As [`Records::save`], as the first record of the sector that does not hold the newest one:
    /// for a host whose probe erases each sector that it writes to.
    pub fn save_in_other_sector(&mut self, state: BootState) -> Result<(), RecordsError> {
        self.next = 0..0;
        self.save(state)
    }

    fn sector(&self, number: u32) -> Range<u32> {
        let half = self.range.end.saturating_sub(self.range.start) / 2;
        let start = self.range.start.saturating_add(number * half);
        start..start.saturating_add(half)
    }

    fn place(&mut self, at: u32) -> Place {
        let mut bytes = [0; MAX_WRITE];
        let Some(bytes) = bytes.get_mut(..Self::STRIDE) else { return Place::Torn };
        if self.flash.read(at, bytes).is_err() {
            return Place::Torn;
        }
        if bytes.iter().all(|byte| *byte == 0xFF) {
            return Place::Blank;
        }
        match bytes.first_chunk().and_then(decode) {
            Some((sequence, state)) => Place::Record(sequence, state),
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
    fn every_state_comes_back_from_its_record_and_no_flipped_bit_does() {
        let states = || (0..=4).map(ImageState::from_code);
        let image = |id, state: Option<ImageState>| state.map(|state| ImageRecord { id, state });
        for (a, b) in states().flat_map(|a| states().map(move |b| (a, b))) {
            for active in [None, Some(Slot::A), Some(Slot::B)] {
                let images = [image([1, 2, 3, 4, 5, 6, 7, 8], a), image([9; 8], b)];
                let state = BootState { active, minimum_version: Version(0x1234_5678), images };
                let mut record = encode(0xDEAD_BEEF, &state);
                assert_eq!(decode(&record), Some((0xDEAD_BEEF, state)));
                for bit in 0..8 * RECORD {
                    record[bit / 8] ^= 1 << (bit % 8);
                    assert_eq!(decode(&record), None, "bit {bit}");
                    record[bit / 8] ^= 1 << (bit % 8);
                }
            }
        }
        assert_eq!(decode(&[0xFF; RECORD]), None);
        assert_eq!(decode(&[0; RECORD]), None);
    }
}
