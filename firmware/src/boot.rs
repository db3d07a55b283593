//! Power on: what ended the last run, the light test, the model.

use crate::device::{Board, Device, Parts, Settings};
use crate::epitaph::{MOST_DEATHS, Tomb};
use crate::journal::{Entry, Journal};
use edge_core::ports::Clock;
use edge_core::signal::LIGHT_TEST_MS;
use edge_core::{Pipeline, Reason};

/// Version of the firmware.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Switches a device on. After the light test `choose` gives the model, with the arena to test it in and the log to say why another was
/// refused; without a model, or after too many deaths in a row, the device shows FAULT until it is switched off.
pub fn start<'m, B: Board>(
    parts: Parts<B>,
    settings: Settings,
    tomb: &'m Tomb,
    arena: &'m mut [u8],
    choose: impl FnOnce(&mut [u8], &mut B::Journal) -> Result<Pipeline<&'m [u8]>, Reason>,
) -> Device<'m, B> {
    let epitaph = tomb.open();
    // The lights first: somebody stands before the device and waits.
    let mut device = Device::new(parts, settings, tomb, arena);
    device.journal.note(&Entry::Start { firmware: VERSION, board: B::NAME });
    if let Some(epitaph) = epitaph {
        device.journal.note(&Entry::Died(epitaph));
    }
    let began = device.clock.now_ms();
    loop {
        let now = device.clock.now_ms();
        device.panel.tick(now);
        if now.saturating_sub(began) >= LIGHT_TEST_MS {
            break;
        }
    }
    let deaths = epitaph.map_or(0, |epitaph| epitaph.deaths);
    let model = if deaths > MOST_DEATHS {
        Err(Reason::Restarted(deaths, MOST_DEATHS))
    } else {
        choose(device.arena, &mut device.journal)
    };
    device.install(model);
    device
}
