//! The program that every real board has: its start, its loop, and the tasks beside it. What
//! differs is a [`Chip`].

use crate::clock::Uptime;
use crate::memory::arena;
use core::marker::PhantomData;
use edge_core::ports::{Button, FrameSource, LampDriver, Watchdog};
use embassy_time::Timer;
use embedded_storage::nor_flash::NorFlash;
use firmware::boot::{Models, start_from_slots};
use firmware::capture::{self, Sensor};
use firmware::defmt_log::DefmtLog;
use firmware::device::{self, Board, Settings};
use firmware::message_buffer::LogCounts;
use support::{LIVENESS, RETAINED_RAM, stack_left};

/// What one real board has of its own. The rest of [`Board`] is the same on all of them.
pub trait Chip {
    type Source: FrameSource;
    type Lights: LampDriver;
    type Button: Button;
    type Watchdog: Watchdog;

    /// As in `board.toml`.
    const NAME: &'static str;

    /// See [`Board::was_reset_by_hand`].
    fn was_reset_by_hand() -> bool;
}

/// The board around a chip.
struct Hardware<C>(PhantomData<C>);

impl<C: Chip> Board for Hardware<C> {
    type Source = C::Source;
    type Lights = C::Lights;
    type Button = C::Button;
    type Clock = Uptime;
    type Watchdog = C::Watchdog;
    type Log = DefmtLog;

    const NAME: &'static str = C::NAME;

    fn stack_left() -> u32 {
        stack_left()
    }

    fn beat() {
        LIVENESS.beat();
    }

    fn was_reset_by_hand() -> bool {
        C::was_reset_by_hand()
    }
}

/// A board's parts, set up; its watchdog runs.
pub struct Parts<C: Chip> {
    pub source: C::Source,
    pub lights: C::Lights,
    pub button: C::Button,
    pub watchdog: C::Watchdog,
    /// What [`logger!`](support::logger) has made.
    pub log_counts: fn() -> LogCounts,
}

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
    let Parts { source, lights, button, watchdog, log_counts } = parts;
    let log = DefmtLog { counts: log_counts };
    let parts = device::Parts::<Hardware<C>> { source, lights, button, clock: Uptime, watchdog, log };
    let mut device = start_from_slots(parts, settings, &RETAINED_RAM, arena(), flash, models);
    start_tasks();
    loop {
        device.poll();
    }
}

/// The task of a camera on a chip.
pub async fn run_camera<const ROW: usize>(sensor: impl Sensor<ROW>) -> ! {
    capture::run(sensor, async |ms: u32| Timer::after_millis(ms.into()).await).await
}

/// Makes `fn start_tasks(lamps, camera)`: it starts the camera's task and the one that shows FAULT
/// while the loop hangs, in an interrupt that no device of the program has. `interrupt` is the
/// chip's module, `lamps` are the device's lines once more.
#[macro_export]
macro_rules! tasks {
    ($interrupt:ident, priority $priority:ident, lamps $Lamps:ty) => {
        static TASKS: embassy_executor::InterruptExecutor = embassy_executor::InterruptExecutor::new();

        #[interrupt]
        unsafe fn $interrupt() {
            // SAFETY: this is the interrupt that `TASKS` is started with.
            unsafe { TASKS.on_interrupt() }
        }

        #[embassy_executor::task]
        async fn watch_loop(lamps: $Lamps) -> ! {
            $crate::liveness::show_fault_while_hung(lamps).await
        }

        fn start_tasks(
            lamps: $Lamps,
            camera: Result<embassy_executor::SpawnToken<impl Send>, embassy_executor::SpawnError>,
        ) {
            interrupt::InterruptExt::set_priority(interrupt::$interrupt, interrupt::Priority::$priority);
            let spawner = TASKS.start(interrupt::$interrupt);
            if let (Ok(watch_loop), Ok(camera)) = (watch_loop(lamps), camera) {
                spawner.spawn(watch_loop);
                spawner.spawn(camera);
            }
        }
    };
}
