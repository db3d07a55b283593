//! How a program ends that should not: what it was is noted where a reset does not clear it, then the chip starts again.

use core::panic::PanicInfo;
use cortex_m::peripheral::SCB;
use cortex_m_rt::{ExceptionFrame, exception};
use firmware::epitaph::{Cause, Tomb};

/// What is kept over a reset.
#[unsafe(link_section = ".uninit.tomb")]
pub static TOMB: Tomb = Tomb::new();

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    TOMB.dies(Cause::Panic(info.location().map_or(0, |location| location.line())));
    SCB::sys_reset()
}

#[exception]
// SAFETY: it touches atomics alone and does not return.
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    TOMB.dies(Cause::HardFault(frame.pc()));
    SCB::sys_reset()
}
