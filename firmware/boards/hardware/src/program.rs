//! What every real board's program is made of: its parts, and the tasks beside its loop. What
//! differs is a [`Chip`].

use crate::clock::Uptime;
use core::marker::PhantomData;
use edge_core::ports::{Button, FrameSource, LampDriver, Watchdog};
use firmware::defmt_log::DefmtLog;
use firmware::device::{self, Board};
use firmware::message_buffer::LogCounts;
use support::{LIVENESS, stack_left};

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
pub(crate) struct Hardware<C>(PhantomData<C>);

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

impl<C: Chip> Parts<C> {
    /// As the application takes them.
    pub(crate) fn device(self) -> device::Parts<Hardware<C>> {
        let Parts { source, lights, button, watchdog, log_counts } = self;
        device::Parts {
            source,
            lights,
            button,
            clock: Uptime,
            watchdog,
            log: DefmtLog { counts: log_counts },
        }
    }
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
