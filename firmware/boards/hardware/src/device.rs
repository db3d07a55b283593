//! The device's program: its start, its loop, its camera's task.

use crate::memory::arena;
use crate::program::{Chip, Parts};
use embassy_time::Timer;
use embedded_storage::nor_flash::NorFlash;
use firmware::boot::{Models, start_from_slots};
use firmware::capture::{self, Sensor};
use firmware::device::Settings;
use support::RETAINED_RAM;

/// Starts the device, then its tasks, and runs its loop for ever.
///
/// The tasks come after the start because the start writes flash: meanwhile a chip's interrupts
/// wait, or may not run at all.
// Inlined, because what never returns would keep its caller's stack.
#[inline(always)]
pub fn run<C: Chip>(
    parts: Parts<C>,
    settings: Settings,
    flash: &mut impl NorFlash,
    models: Models<'static>,
    start_tasks: impl FnOnce(),
) -> ! {
    let mut device = start_from_slots(parts.device(), settings, &RETAINED_RAM, arena(), flash, models);
    start_tasks();
    loop {
        device.poll();
    }
}

/// The task of a camera on a chip.
pub async fn run_camera<const ROW: usize>(sensor: impl Sensor<ROW>) -> ! {
    capture::run(sensor, async |ms: u32| Timer::after_millis(ms.into()).await).await
}
