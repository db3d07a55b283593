//! What a device does at its start, on a simulated flash, with the scalar kernels.

use super::flash::{Sim, regions};
use super::{ARENA, verifier};
use edge_core::kernels::Kernels;
use firmware::bundle::{self, Bundle, BundleId, BundleVerifier};
use firmware::event_log::{EventLog, LogEvent};
use firmware::self_test::{self, SelfTestError};
use firmware::slots::Slot;
use firmware::slots::{self, BootState, NoModel, Records, RecordsError, Refusal, WriteError};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

#[derive(Debug, Default)]
pub struct Boot {
    /// What runs: slot and model. None where the start never ended.
    pub runs: Option<Result<(Slot, BundleId), NoModel>>,
    /// Slots whose models were put to their first self-test, and those that passed it.
    pub tried: Vec<Slot>,
    pub taken: Vec<Slot>,
    pub refused: Vec<(Slot, Refusal)>,
    pub failed: Vec<RecordsError>,
    pub state: BootState,
}

impl Boot {
    pub fn id(&self) -> Option<BundleId> {
        Some(self.runs?.ok()?.1)
    }

    pub fn why(&self, slot: Slot) -> Option<&'static str> {
        self.refused.iter().find(|(of, _)| *of == slot).map(|(_, why)| why.name())
    }
}

impl EventLog for Boot {
    fn record(&mut self, event: &LogEvent<'_>) {
        match event {
            LogEvent::Trying { slot, .. } => self.tried.push(*slot),
            LogEvent::Taken { slot, .. } => self.taken.push(*slot),
            LogEvent::Refused { slot, why } => self.refused.push((*slot, *why)),
            LogEvent::RecordsFailed(error) => self.failed.push(*error),
            _ => {}
        }
    }
}

/// What a self-test that hangs does to these tests.
struct Hung;

/// A self-test that hangs until the watchdog resets.
pub fn hang(_: &Bundle) -> Result<(), SelfTestError> {
    resume_unwind(Box::new(Hung))
}

pub fn golden(bundle: &Bundle) -> Result<(), SelfTestError> {
    self_test::run(bundle, &mut vec![0; ARENA], Kernels::SCALAR)
}

pub fn boot<const WORD: usize>(flash: &mut Sim<WORD>) -> Boot {
    boot_with(flash, &verifier(), &mut golden)
}

pub fn boot_with<const WORD: usize>(
    flash: &mut Sim<WORD>,
    verifier: &BundleVerifier,
    self_test: &mut dyn FnMut(&Bundle) -> Result<(), SelfTestError>,
) -> Boot {
    let [a, b] = flash.slots();
    let mut boot = Boot::default();
    let mut records = Records::open(flash, regions().records);
    let mut test = |bundle: &Bundle| self_test(bundle);
    let ended = catch_unwind(AssertUnwindSafe(|| {
        slots::select_model(&mut records, [&a, &b], verifier, &mut test, &mut boot)
    }));
    boot.runs = match ended {
        Ok(chosen) => Some(chosen.map(|chosen| (chosen.slot, chosen.bundle.id))),
        Err(hung) if hung.is::<Hung>() => None,
        Err(panic) => resume_unwind(panic),
    };
    if let Some(Ok((slot, id))) = boot.runs {
        assert_eq!(id, bundle::id([&a, &b][slot.index()]), "what runs lies in its slot");
    }
    boot.state = *records.state();
    boot
}

pub fn inactive<const WORD: usize>(flash: &mut Sim<WORD>) -> Slot {
    let [a, b] = flash.slots();
    slots::inactive(&Records::open(flash, regions().records), [&a, &b], verifier().key)
}

/// Puts a model into the slot where the one that runs is not.
pub fn update<const WORD: usize>(flash: &mut Sim<WORD>, bytes: &[u8]) -> Result<Slot, WriteError> {
    let slot = inactive(flash);
    slots::write(flash, &regions(), slot, bytes, &mut |_| ())?;
    Ok(slot)
}
