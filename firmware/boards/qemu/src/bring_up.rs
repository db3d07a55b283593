//! The checklist of a first start, as the real boards run it: what it logs is read on the host by
//! what reads theirs. The camera is none on a bus; the watchdog and the reset are the chip's.

use crate::host::{self, Ends};
use crate::{Qemu, chip, flash, log_counts, script, world};
use edge_core::ports::{self, Clock as _};
use firmware::boot::Models;
use firmware::bring_up::{self, Bench, CameraPort, DefmtReport, Report};
use firmware::device::{Board, Parts};
use support::RETAINED_RAM;

static CAMERA: CameraPort = CameraPort::new();

/// The board's button: its script goes on while the button is waited for.
pub struct Button;

impl ports::Button for Button {
    fn is_closed(&mut self) -> bool {
        script::advance(chip::Clock.now_ms());
        world::Button.is_closed()
    }
}

#[inline(always)]
pub fn run(
    parts: Parts<Qemu>,
    flash: &mut flash::Flash,
    models: Models<'static>,
    arena: &'static mut [u8],
) -> ! {
    let ended = bring_up::after_reset(RETAINED_RAM.begin_run(false));
    let report = DefmtReport { counts: log_counts, now_ms: || chip::Clock.now_ms(), unread: false };
    let mut bench = Bench {
        parts,
        report,
        camera: &CAMERA,
        memory: arena,
        retained_ram: &RETAINED_RAM,
        // Its first end is an interrupt, its second the reset.
        watchdog_ms: 2 * u64::from(chip::WATCHDOG_MS),
    };
    match ended {
        Some(line) => bench.report.line(&line),
        None => {
            // What is broken is so from the start.
            script::advance(0);
            bench.report.start(Qemu::NAME);
            bench.report.line(&bring_up::check_records(flash, models.records));
            bring_up::run(&mut bench);
        }
    }
    bench.report.done();
    host::exit(Ends::Well)
}
