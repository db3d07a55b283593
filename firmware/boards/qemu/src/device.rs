//! The device's program: its start, then its loop until the script ends.

use crate::chip;
use crate::host::{self, Ends};
use crate::{Qemu, flash, log_counts, script};
use edge_core::ports::Clock as _;
use firmware::boot::{Models, start_from_slots};
use firmware::defmt_log::DefmtLog;
use firmware::device::Parts;
use firmware::event_log::{EventLog, LogEvent};
use support::{RETAINED_RAM, stack_left};

/// Milliseconds after which the board ends the run by itself, whatever its script says.
const LIMIT_MS: u64 = 120_000;

#[inline(always)]
pub fn run(
    parts: Parts<Qemu>,
    flash: &mut flash::Flash,
    models: Models<'static>,
    arena: &'static mut [u8],
) -> ! {
    let mut device = start_from_slots(parts, script::settings(), &RETAINED_RAM, arena, flash, models);
    loop {
        device.poll();
        let now = chip::Clock.now_ms();
        script::advance(now);
        if script::ended() || now > LIMIT_MS {
            let counts =
                LogEvent::Counts { frames: device.frames(), stack_left: stack_left(), log: log_counts() };
            DefmtLog { counts: log_counts }.record(&counts);
            host::exit(if now > LIMIT_MS { Ends::Late } else { Ends::Well });
        }
    }
}
