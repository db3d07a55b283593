//! The checklist's program, in place of the device's: the same parts, the same camera's task.

use crate::WATCHDOG_MS;
use crate::clock::Uptime;
use crate::memory::arena;
use crate::program::{Chip, Parts};
use edge_core::ports::{Clock, Watchdog};
use embassy_time::Timer;
use embedded_storage::nor_flash::NorFlash;
use firmware::boot::Models;
use firmware::bring_up::{self, Bench, CameraPort, DefmtReport, Report, TestSensor, Tested};
use firmware::capture;
use firmware::device::Settings;
use support::RETAINED_RAM;

static CAMERA: CameraPort = CameraPort::new();

/// Goes through the checklist, or, at the start after its end, says how that was; then it waits for
/// ever, its watchdog fed.
#[inline(always)]
pub fn run<C: Chip>(
    parts: Parts<C>,
    _: Settings,
    flash: &mut impl NorFlash,
    models: Models<'static>,
    start_tasks: impl FnOnce(),
) -> ! {
    let ended = bring_up::after_reset(RETAINED_RAM.begin_run(C::was_reset_by_hand()));
    let report = DefmtReport { counts: parts.log_counts, now_ms: || Uptime.now_ms(), unread: false };
    let mut bench = Bench {
        parts: parts.device(),
        report,
        camera: &CAMERA,
        memory: arena(),
        retained_ram: &RETAINED_RAM,
        watchdog_ms: WATCHDOG_MS.into(),
    };
    match ended {
        Some(line) => bench.report.line(&line),
        None => {
            bench.report.start(C::NAME);
            // Before the tasks: while flash is written a chip's interrupts wait, or may not run.
            bench.report.line(&bring_up::check_records(flash, models.records));
            start_tasks();
            bring_up::run(&mut bench);
        }
    }
    bench.report.done();
    loop {
        bench.parts.watchdog.feed();
    }
}

/// The task of a camera on a chip.
pub async fn run_camera<const ROW: usize>(sensor: impl TestSensor<ROW>) -> ! {
    let sensor = Tested::new(sensor, &CAMERA);
    capture::run(sensor, async |ms: u32| Timer::after_millis(ms.into()).await).await
}
