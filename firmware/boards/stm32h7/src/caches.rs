//! The processor's caches, on from here; flash and the arena are slow without them. Stack, log and
//! retained RAM lie in memory that is not cached.

use core::ops::Range;
use cortex_m::Peripherals;

/// Bytes of a line.
const LINE: usize = 32;

pub fn on() {
    // SAFETY: called once, at the start, when nothing else has these registers.
    let mut core = unsafe { Peripherals::steal() };
    core.SCB.enable_icache();
    core.SCB.enable_dcache(&mut core.CPUID);
}

/// Writes to memory what the data cache holds of a range, and forgets it: from here on somebody
/// else may write there.
pub fn write_out<T>(range: Range<*const T>) {
    // SAFETY: the registers are write-only and hold no state.
    let mut core = unsafe { Peripherals::steal() };
    core.SCB
        .clean_invalidate_dcache_by_address(range.start as usize, range.end as usize - range.start as usize);
}

/// Forgets what the data cache holds of a range that somebody else than the processor has written.
pub fn forget<T>(range: Range<*const T>) {
    let start = range.start as usize & !(LINE - 1);
    // SAFETY: the registers are write-only and hold no state.
    let mut core = unsafe { Peripherals::steal() };
    // SAFETY: callers name flash and the camera's ring, which the processor does not write: no line
    // of them holds anything unwritten.
    unsafe { core.SCB.invalidate_dcache_by_address(start, range.end as usize - start) };
}
