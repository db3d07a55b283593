//! What shows FAULT in place of a loop that hangs, from the interrupt that the camera's tasks run
//! in.

use edge_core::ports::LampDriver;
use embassy_time::Timer;
use firmware::liveness::CHECK_INTERVAL_MS;
use support::LIVENESS;

/// Checks for ever whether the loop lives. `lamps` are the device's own lines once more: they are
/// set only while the loop is dead.
pub async fn show_fault_while_hung(mut lamps: impl LampDriver) -> ! {
    loop {
        Timer::after_millis(CHECK_INTERVAL_MS.into()).await;
        if let Some(levels) = LIVENESS.check() {
            let _ = lamps.set(&levels, false);
        }
    }
}
