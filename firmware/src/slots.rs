//! Two places for a model: a new one is taken only if everything about it holds, else the old one runs on and the log says why.
//!
//! ```text
//! host:    inactive -> write (erase, body, header last)
//! device:  records -> active slot: open, self-test -> other slot: rejected before? open, version, self-test -> records
//! ```
//!
//! The device writes records only, never a slot: its models are read in place and do not change while it runs. Before a new model's
//! self-test its record already says that it did not finish. If it passes, the next record takes that back; if it hangs or crashes,
//! the next start finds the verdict and runs the old one.
//!
//! What runs must not be older than any model that ran before: the records keep that version, the floor. Where both their sectors are
//! unreadable, the greatest whole model runs and its version is the floor again. Who can write the flash by a probe can erase the
//! records and put an older signed model there, or another firmware: that is not defended against here; the chip's own lock of
//! its debug port is.
//!
//! A model that was rejected, or superseded by another one, is not tried again, unless it is written again or nothing else runs.

mod records;
mod refusal;
mod write;

pub use records::{Records, RecordsError, Rejected, State, Verdict};
pub use refusal::{NoModel, Refusal};
pub use write::{Regions, WriteError, inactive, write};

use crate::bundle::{self, Bundle, BundleError, Device};
use crate::journal::{Entry, Journal, Slot};
use crate::self_test::SelfTestError;
use embedded_storage::nor_flash::NorFlash;

/// The model that runs.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<'a> {
    /// Where it lies.
    pub slot: Slot,
    /// The model.
    pub bundle: Bundle<'a>,
}

/// What a model must pass: [`crate::self_test::golden`] in the device's arena.
pub type SelfTest<'s, 'a> = dyn FnMut(&Bundle<'a>) -> Result<(), SelfTestError> + 's;

/// Chooses the model of this start. `slots` are A and B as they lie in the memory map, an empty slice where one cannot be read.
///
/// Every slot whose model does not run is noted with its reason, at every start. A record that cannot be written is noted too; then
/// the old model runs on.
///
/// # Errors
/// [`NoModel`], with what is wrong with each slot: the device's FAULT.
// Apart, so that a caller that never returns gets its stack back.
#[inline(never)]
pub fn choose<'a, F: NorFlash>(
    records: &mut Records<'_, F>,
    slots: [&'a [u8]; 2],
    device: &Device<'_>,
    self_test: &mut SelfTest<'_, 'a>,
    journal: &mut dyn Journal,
) -> Result<Chosen<'a>, NoModel> {
    let first = records.state().active.unwrap_or_else(|| likely(records.state(), slots));
    let mut chosen = None;
    let mut why = [Refusal::Bundle(BundleError::Empty); 2];
    for slot in [first, first.other()] {
        match consider(records, slot, slot.of(slots), chosen.as_ref(), device, self_test, journal) {
            Ok(Some(bundle)) => chosen = Some(Chosen { slot, bundle }),
            Ok(None) => {}
            Err(refusal) => {
                journal.note(&Entry::Refused { slot, why: refusal });
                *slot.of(why.each_mut()) = refusal;
            }
        }
    }
    chosen.ok_or(NoModel { why })
}

/// The slot to look at first where no record says one: the greatest version, as far as its header can be believed.
fn likely(state: &State, slots: [&[u8]; 2]) -> Slot {
    let [a, b] = Slot::ALL.map(|slot| {
        let bytes = slot.of(slots);
        (state.verdict(slot, &bundle::id(bytes)).is_none(), bundle::claimed_version(bytes))
    });
    if b > a { Slot::B } else { Slot::A }
}

/// The model of one slot, if it is to run in place of `old`; none where it is the same one.
fn consider<'a, F: NorFlash>(
    records: &mut Records<'_, F>,
    slot: Slot,
    bytes: &'a [u8],
    old: Option<&Chosen<'a>>,
    device: &Device<'_>,
    self_test: &mut SelfTest<'_, 'a>,
    journal: &mut dyn Journal,
) -> Result<Option<Bundle<'a>>, Refusal> {
    let state = *records.state();
    let id = bundle::id(bytes);
    if let (Some(verdict), Some(_)) = (state.verdict(slot, &id), old) {
        return Err(Refusal::Before(verdict));
    }
    let bundle = Bundle::open(bytes, device).map_err(Refusal::Bundle)?;
    let (version, floor) = (bundle.version, state.floor);
    if version < floor {
        return Err(Refusal::Older { version, floor });
    }
    if old.is_some_and(|old| old.bundle.id == id) {
        return Ok(None);
    }
    // Without a record nothing new may take over; where nothing else runs, a model without a record is better than none.
    let mut save = |journal: &mut dyn Journal, state| match records.save(state) {
        Err(error) if old.is_some() => Err(Refusal::Records(error)),
        Err(error) => {
            journal.note(&Entry::RecordsFailed(error));
            Ok(())
        }
        Ok(()) => Ok(()),
    };
    let rejected = |verdict| state.with(slot, Some(Rejected { id, verdict }));

    let runs_already = state.active == Some(slot);
    if !runs_already {
        journal.note(&Entry::Trying { slot, version });
        save(journal, rejected(Verdict::Unfinished))?;
    }
    if let Err(error) = self_test(&bundle) {
        if !runs_already {
            let verdict = match error {
                SelfTestError::Logit { .. } => Verdict::WrongLogit,
                SelfTestError::Engine(_) => Verdict::Engine,
            };
            // Where it cannot be kept, the record before the test refuses the model too.
            let _ = save(journal, rejected(verdict));
        }
        return Err(Refusal::SelfTest(error));
    }
    let mut next = State { active: Some(slot), floor: floor.max(version), ..state }.with(slot, None);
    if let Some(Chosen { slot: other, bundle: Bundle { id, .. } }) = old {
        next = next.with(*other, Some(Rejected { id: *id, verdict: Verdict::Superseded }));
    }
    if next != state {
        save(journal, next)?;
    }
    if !runs_already {
        journal.note(&Entry::Taken { slot, version });
    }
    Ok(Some(bundle))
}
