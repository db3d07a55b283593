//! Two slots for a model: a new one is confirmed only if everything about it holds, else the old
//! one runs on and the log says why.
//!
//! ```text
//! host:    inactive -> write (erase, body, header last)
//! device:  records -> active slot: open, self-test -> other slot: rejected before? open, version,
//!          pending, self-test -> confirm
//! ```
//!
//! The device writes records only, never a slot: its models are read in place and do not change
//! while it runs. Before a new model's self-test its record says that it is pending. If it passes,
//! the next record confirms it; if it hangs or crashes, the next start finds it pending still and
//! runs the old one.
//!
//! What runs must not be older than any model that ran before: the records keep that minimum
//! version. Where both their sectors are unreadable, the newest whole model runs and its version is
//! the minimum again. Who can write the flash by a probe can erase the records and put an older
//! signed model there, or another firmware: that is not defended against here; the chip's own lock
//! of its debug port is.
//!
//! A model that was rejected, or superseded by another one, is not tried again, unless it is
//! written again or nothing else runs.

pub(crate) mod records;
pub(crate) mod refusal;
pub(crate) mod slot;
mod write;

pub use records::{BootState, ImageRecord, ImageState, Records, RecordsError};
pub use refusal::{NoModel, Refusal};
pub use slot::Slot;
pub use write::{Regions, WriteError, inactive, write};

use crate::bundle::{self, Bundle, BundleError, BundleVerifier};
use crate::event_log::{EventLog, LogEvent};
use crate::self_test::SelfTestError;
use embedded_storage::nor_flash::NorFlash;

/// The model that runs.
#[derive(Clone, Copy, Debug)]
pub struct ActiveModel<'a> {
    /// Where it lies.
    pub slot: Slot,
    /// It passed its self-test at this start.
    pub bundle: Bundle<'a>,
}

/// What a model must pass: [`crate::self_test::run`] in the device's arena.
pub type SelfTest<'s, 'a> = dyn FnMut(&Bundle<'a>) -> Result<(), SelfTestError> + 's;

/// Selects the model of this start. `slots` are A and B as they lie in the memory map, an empty
/// slice where one cannot be read.
///
/// Every slot whose model does not run is logged with its reason, at every start. A record that
/// cannot be written is logged too; then the old model runs on.
///
/// # Errors
/// [`NoModel`], with what is wrong with each slot: the device's FAULT.
// Apart, so that a caller that never returns gets its stack back.
#[inline(never)]
pub fn select_model<'a, F: NorFlash>(
    records: &mut Records<'_, F>,
    slots: [&'a [u8]; 2],
    verifier: &BundleVerifier<'_>,
    self_test: &mut SelfTest<'_, 'a>,
    log: &mut dyn EventLog,
) -> Result<ActiveModel<'a>, NoModel> {
    let first = records.state().active.unwrap_or_else(|| newest_slot(records.state(), slots));
    let mut active = None;
    let mut why = [Refusal::Bundle(BundleError::Empty); 2];
    for slot in [first, first.other()] {
        match validate_slot(records, slot, slot.of(slots), active.as_ref(), verifier, self_test, log) {
            Ok(Some(bundle)) => active = Some(ActiveModel { slot, bundle }),
            Ok(None) => {}
            Err(refusal) => {
                log.record(&LogEvent::Refused { slot, why: refusal });
                *slot.of(why.each_mut()) = refusal;
            }
        }
    }
    active.ok_or(NoModel { why })
}

/// The slot to validate first where no record names one: the greatest version, as far as its header
/// can be believed.
fn newest_slot(state: &BootState, slots: [&[u8]; 2]) -> Slot {
    let [a, b] = Slot::ALL.map(|slot| {
        let bytes = slot.of(slots);
        (state.image_state(slot, &bundle::id(bytes)).is_none(), bundle::claimed_version(bytes))
    });
    if b > a { Slot::B } else { Slot::A }
}

/// The model of one slot, if it is to run in place of `old`; none where it is the same one.
fn validate_slot<'a, F: NorFlash>(
    records: &mut Records<'_, F>,
    slot: Slot,
    bytes: &'a [u8],
    old: Option<&ActiveModel<'a>>,
    verifier: &BundleVerifier<'_>,
    self_test: &mut SelfTest<'_, 'a>,
    log: &mut dyn EventLog,
) -> Result<Option<Bundle<'a>>, Refusal> {
    let state = *records.state();
    let id = bundle::id(bytes);
    if let (Some(known), Some(_)) = (state.image_state(slot, &id), old) {
        return Err(Refusal::Before(known));
    }
    let bundle = Bundle::open(bytes, verifier).map_err(Refusal::Bundle)?;
    let (version, minimum) = (bundle.version, state.minimum_version);
    if version < minimum {
        return Err(Refusal::Older { version, minimum });
    }
    if old.is_some_and(|old| old.bundle.id == id) {
        return Ok(None);
    }
    // Without a record nothing new may take over; where nothing else runs, a model without a record
    // is better than none.
    let mut save = |log: &mut dyn EventLog, state| match records.save(state) {
        Err(error) if old.is_some() => Err(Refusal::Records(error)),
        Err(error) => {
            log.record(&LogEvent::RecordsFailed(error));
            Ok(())
        }
        Ok(()) => Ok(()),
    };
    let with = |image_state| state.with_image(slot, Some(ImageRecord { id, state: image_state }));

    let is_active = state.active == Some(slot);
    if !is_active {
        log.record(&LogEvent::Trying { slot, version });
        save(log, with(ImageState::Pending))?;
    }
    if let Err(error) = self_test(&bundle) {
        if !is_active {
            // Where it cannot be kept, the record before the test refuses the model too.
            let _ = save(log, with(ImageState::rejected(&error)));
        }
        return Err(Refusal::SelfTest(error));
    }
    let mut next = state.confirm(slot, version);
    if let Some(ActiveModel { slot: other, bundle: Bundle { id, .. } }) = old {
        let superseded = ImageRecord { id: *id, state: ImageState::Superseded };
        next = next.with_image(*other, Some(superseded));
    }
    if next != state {
        save(log, next)?;
    }
    if !is_active {
        log.record(&LogEvent::Taken { slot, version });
    }
    Ok(Some(bundle))
}
