//! The interrupts: the clock's, what hangs in one, and the watchdog's.

use crate::{chip, lamps, trap};
use cortex_m::peripheral::SCB;
use cortex_m_rt::exception;
use firmware::liveness::CHECK_INTERVAL_MS;
use support::LIVENESS;

#[exception]
fn SysTick() {
    let now = chip::count_millisecond();
    if now.is_multiple_of(CHECK_INTERVAL_MS)
        && let Some(levels) = LIVENESS.check()
    {
        let _ = lamps::lights().set(&levels, false);
    }
    trap::spring();
}

/// What hangs in an interrupt hangs here, below the clock's.
#[exception]
fn PendSV() {
    trap::hang();
}

/// The watchdog's first period is over: the loop hangs. What it was doing is in the retained RAM
/// already. If even this did not run, the watchdog would reset the chip after its second period.
#[exception]
// SAFETY: it touches nothing that the program has and does not return.
unsafe fn NonMaskableInt() -> ! {
    SCB::sys_reset()
}
