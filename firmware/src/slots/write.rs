//! Putting a model into a slot: for the host, by a probe; the device never writes one.

use super::records::{MAX_WRITE, Records, RecordsError};
use super::slot::Slot;
use crate::bundle::{self, Bundle, BundleVerifier, HEADER};
use core::fmt;
use core::ops::Range;
use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind};

/// Where records and slots lie, in the addresses of the flash's driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regions {
    /// Two sectors of records.
    pub records: Range<u32>,
    /// A and B, whole sectors each.
    pub slots: [Range<u32>; 2],
}

/// The slot that a new model goes to: never the one whose model runs, or will run at the next
/// start.
pub fn inactive<F: NorFlash>(records: &Records<'_, F>, slots: [&[u8]; 2], key: &[u8; 32]) -> Slot {
    let verifier = BundleVerifier { key, arena_bytes: usize::MAX };
    let [a, b] = slots.map(|bytes| Bundle::open(bytes, &verifier).ok().map(|bundle| bundle.version));
    let state = records.state();
    match (a, b, state.active) {
        (None, _, _) => Slot::A,
        (_, None, _) => Slot::B,
        (Some(_), Some(_), Some(active)) => active.other(),
        (Some(a), Some(b), None) => {
            let is_new = |slot: Slot| state.image_state(slot, &bundle::id(slot.of(slots))).is_none();
            let (a, b) = ((is_new(Slot::A), a), (is_new(Slot::B), b));
            // Of two new ones of one version the second takes over from the first.
            if b > a || b == a && b.0 { Slot::A } else { Slot::B }
        }
    }
}

/// Writes a bundle into a slot, its header last, so that it counts only once it is whole. What was
/// recorded of the same model at an earlier start is forgotten: it will be tried again. `progress`
/// is told how many bytes are written.
///
/// # Errors
/// [`WriteError`]: the slot holds no whole model then.
pub fn write<F: NorFlash>(
    flash: &mut F,
    regions: &Regions,
    slot: Slot,
    bytes: &[u8],
    progress: &mut dyn FnMut(usize),
) -> Result<(), WriteError> {
    const {
        assert!(
            HEADER.is_multiple_of(F::WRITE_SIZE) && HEADER <= MAX_WRITE,
            "a flash that this code does not know"
        );
    }
    let region = slot.of(regions.slots.each_ref());
    let Some((header, body)) = bytes.split_at_checked(HEADER) else {
        return Err(WriteError::Size { got: bytes.len(), slot: region.len() });
    };
    if bytes.len() > region.len() {
        return Err(WriteError::Size { got: bytes.len(), slot: region.len() });
    }
    let mut records = Records::open(flash, regions.records.clone());
    let state = *records.state();
    if state.image_state(slot, &bundle::id(bytes)).is_some() {
        records.save(state.with_image(slot, None))?;
    }
    let failed = |error: F::Error| WriteError::Flash(error.kind());
    let sectors = bytes.len().next_multiple_of(F::ERASE_SIZE) as u32;
    flash.erase(region.start, region.start.saturating_add(sectors)).map_err(failed)?;
    let mut at = region.start + HEADER as u32;
    let mut written = 0;
    for chunk in body.chunks(HEADER) {
        let mut padded = [0xFF; HEADER];
        padded[..chunk.len()].copy_from_slice(chunk);
        let length = chunk.len().next_multiple_of(F::WRITE_SIZE);
        flash.write(at, &padded[..length]).map_err(failed)?;
        at += HEADER as u32;
        written += chunk.len();
        progress(written);
    }
    flash.write(region.start, header).map_err(failed)?;
    progress(bytes.len());
    Ok(())
}

/// Why a model is not in its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// It is no bundle, or larger than the slot.
    Size {
        /// Bytes of the model.
        got: usize,
        /// Bytes of the slot.
        slot: usize,
    },
    /// The flash's driver says so.
    Flash(NorFlashErrorKind),
    /// What was found of it earlier could not be forgotten.
    Records(RecordsError),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { got, slot } => {
                write!(
                    f,
                    "expected a signed model of {HEADER} to {slot} bytes, got {got}; take another model"
                )
            }
            Self::Flash(kind) => {
                write!(f, "the slot cannot be written: {kind}; check the regions in board.toml")
            }
            Self::Records(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for WriteError {}

impl From<RecordsError> for WriteError {
    fn from(error: RecordsError) -> Self {
        Self::Records(error)
    }
}
