//! Power on: what ended the last run, the light test, the model.

use crate::bundle::{self, Bundle};
use crate::device::{Board, Device, Parts, Settings};
use crate::epitaph::{MOST_DEATHS, Tomb};
use crate::journal::{Entry, Journal, Slot};
use crate::self_test;
use crate::slots::{self, Records};
use core::ops::Range;
use edge_core::device::Event;
use edge_core::kernels::Kernels;
use edge_core::ports::Clock;
use edge_core::signal::LIGHT_TEST_MS;
use edge_core::{Packed, Reason};
use embedded_storage::nor_flash::NorFlash;

/// Version of the firmware.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Switches a device on. After the light test `choose` gives the model and its slot, with the arena to test it in and the log to say why
/// another was refused; without a model, or after too many deaths in a row, the device shows FAULT until it is switched off
/// or reset by hand.
pub fn start<'m, B: Board>(
    parts: Parts<B>,
    settings: Settings,
    tomb: &'m Tomb,
    arena: &'m mut [u8],
    kernels: Kernels,
    choose: impl FnOnce(&mut [u8], &mut B::Journal) -> Result<(Slot, Packed<&'m [u8]>), Reason>,
) -> Device<'m, B> {
    let epitaph = tomb.open(B::was_reset_by_hand());
    // The lights first: somebody stands before the device and waits.
    let mut device = Device::new(parts, settings, tomb, arena);
    device.journal.note(&Entry::Start { firmware: VERSION, board: B::NAME });
    if let Some(epitaph) = epitaph {
        device.journal.note(&Entry::Died(epitaph));
    }
    let began = device.clock.now_ms();
    loop {
        let now = device.clock.now_ms();
        device.panel.tick(now, true);
        if now.saturating_sub(began) >= LIGHT_TEST_MS {
            break;
        }
    }
    let deaths = epitaph.map_or(0, |epitaph| epitaph.deaths);
    let restarted = Reason::Restarted(deaths, MOST_DEATHS);
    let model = if deaths > MOST_DEATHS { Err(restarted) } else { choose(device.arena, &mut device.journal) };
    device.install(model, kernels);
    if deaths > 0 {
        device.handle(Event::Restarted(restarted));
    }
    device
}

/// Where a board's models are, and what it takes of them.
#[derive(Clone, Debug)]
pub struct Models<'m> {
    /// Slots A and B as they lie in the memory map; an empty slice where one cannot be read.
    pub slots: [&'m [u8]; 2],
    /// Addresses of the records in the flash that notes which model runs.
    pub records: Range<u32>,
    /// The ed25519 key that models must be signed with.
    pub key: &'m [u8; 32],
    /// The kernels that this processor runs.
    pub kernels: Kernels,
}

/// Switches a device on with the model of its slots: [`start`] with [`slots::choose`]. `flash` holds the records.
pub fn start_with<'m, B: Board>(
    parts: Parts<B>,
    settings: Settings,
    tomb: &'m Tomb,
    arena: &'m mut [u8],
    flash: &mut impl NorFlash,
    models: Models<'m>,
) -> Device<'m, B> {
    let Models { slots, records, key, kernels } = models;
    start(parts, settings, tomb, arena, kernels, |arena, journal| {
        let mut records = Records::open(flash, records);
        let device = bundle::Device { key, arena: arena.len() };
        let mut test = |bundle: &Bundle<'m>| self_test::golden(bundle, arena, kernels);
        let chosen = slots::choose(&mut records, slots, &device, &mut test, journal);
        chosen.map(|chosen| (chosen.slot, chosen.bundle.model)).map_err(|_| Reason::SelfTestFailed)
    })
}
