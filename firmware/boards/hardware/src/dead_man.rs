//! What shows FAULT in place of a loop that hangs, from the interrupt that the camera's tasks run in.

use edge_core::ports::SignalSink;
use embassy_time::Timer;
use firmware::alive::{Alive, LOOK_MS};

/// Looks for ever whether the loop lives. `lamps` are the device's own lines once more: they are touched only while the loop is dead.
pub async fn dead_man(alive: &Alive, mut lamps: impl SignalSink) -> ! {
    loop {
        Timer::after_millis(LOOK_MS.into()).await;
        if let Some(levels) = alive.look() {
            let _ = lamps.set(&levels, false);
        }
    }
}
