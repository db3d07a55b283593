//! Clocks that nobody sets.

use rustix::time::{ClockId, clock_gettime};

/// Milliseconds of the clock that never steps and that the kernel stamps frames with
/// (`CLOCK_MONOTONIC`).
pub fn monotonic_ms() -> u64 {
    milliseconds(ClockId::Monotonic)
}

/// Milliseconds since the machine was switched on, sleep counted (`CLOCK_BOOTTIME`).
pub fn boottime_ms() -> u64 {
    milliseconds(ClockId::Boottime)
}

fn milliseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1000 + u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000
}
