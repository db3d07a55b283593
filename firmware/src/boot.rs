//! Power on: what ended the last run, the light test, the slots, the model and its self-test.

use crate::bundle::{Bundle, BundleVerifier};
use crate::crash_record::{MAX_BOOT_FAILURES, RetainedRam};
use crate::device::{Board, Device, Parts, Settings};
use crate::event_log::{EventLog, LogEvent};
use crate::self_test;
use crate::slots::{self, ActiveModel, Records, Slot};
use core::ops::Range;
use edge_core::device::DeviceEvent;
use edge_core::kernels::Kernels;
use edge_core::ports::Clock;
use edge_core::signal::LIGHT_TEST_MS;
use edge_core::{Packed, Reason};
use embedded_storage::nor_flash::NorFlash;

/// Bytes of every board's arena: what the shipped model needs, preprocessing included. A model that
/// needs more is refused.
pub const ARENA_BYTES: usize = 160 * 1024;

/// Version of the firmware, as the log names it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Switches a device on. After the light test `choose` gives the model and its slot, with the arena
/// to test it in and the log to say why another was refused; without a model, or after too many
/// crashes in a row, the device shows FAULT until it is switched off or reset by hand.
pub fn start<'m, B: Board>(
    parts: Parts<B>,
    settings: Settings,
    retained_ram: &'m RetainedRam,
    arena: &'m mut [u8],
    kernels: Kernels,
    choose: impl FnOnce(&mut [u8], &mut B::Log) -> Result<(Slot, Packed<&'m [u8]>), Reason>,
) -> Device<'m, B> {
    let crash = retained_ram.begin_run(B::was_reset_by_hand());
    // The lights first: somebody stands before the device and waits.
    let mut device = Device::new(parts, settings, retained_ram, arena);
    device.log.record(&LogEvent::Start { firmware: VERSION, board: B::NAME });
    if let Some(crash) = crash {
        device.log.record(&LogEvent::Crashed(crash));
    }
    let began = device.clock.now_ms();
    loop {
        let now = device.clock.now_ms();
        device.player.tick(now, true);
        if now.saturating_sub(began) >= LIGHT_TEST_MS {
            break;
        }
    }
    let boot_failures = crash.map_or(0, |crash| crash.boot_failures);
    let restarted = Reason::Restarted(boot_failures, MAX_BOOT_FAILURES);
    let model = if boot_failures > MAX_BOOT_FAILURES {
        Err(restarted)
    } else {
        choose(device.arena, &mut device.log)
    };
    device.install(model, kernels);
    if boot_failures > 0 {
        device.handle(DeviceEvent::Restarted(restarted));
    }
    device
}

/// Where a board's models are, and what it takes of them.
#[derive(Clone, Debug)]
pub struct Models<'m> {
    /// Slots A and B as they lie in the memory map; an empty slice where one cannot be read.
    pub slots: [&'m [u8]; 2],
    /// Two sectors of records, in the addresses of the flash's driver.
    pub records: Range<u32>,
    /// The ed25519 key that models must be signed with.
    pub key: &'m [u8; 32],
    /// The kernels that this processor runs.
    pub kernels: Kernels,
}

/// Switches a device on with the model of its slots: [`start`] with [`slots::select_model`].
/// `flash` holds the records.
pub fn start_from_slots<'m, B: Board>(
    parts: Parts<B>,
    settings: Settings,
    retained_ram: &'m RetainedRam,
    arena: &'m mut [u8],
    flash: &mut impl NorFlash,
    models: Models<'m>,
) -> Device<'m, B> {
    let Models { slots, records, key, kernels } = models;
    start(parts, settings, retained_ram, arena, kernels, |arena, log| {
        let mut records = Records::open(flash, records);
        let verifier = BundleVerifier { key, arena_bytes: arena.len() };
        let mut test = |bundle: &Bundle<'m>| self_test::run(bundle, arena, kernels);
        match slots::select_model(&mut records, slots, &verifier, &mut test, log) {
            Ok(ActiveModel { slot, bundle }) => Ok((slot, bundle.model)),
            Err(_) => Err(Reason::SelfTestFailed),
        }
    })
}
