//! How a program ends that should not: its cause is recorded where a reset does not clear it, then
//! the chip starts again.

use core::panic::PanicInfo;
use cortex_m::peripheral::SCB;
use cortex_m_rt::{ExceptionFrame, exception};
use firmware::crash_record::{ResetCause, RetainedRam};

/// In the section that cortex-m-rt does not clear.
#[unsafe(link_section = ".uninit.retained_ram")]
pub static RETAINED_RAM: RetainedRam = RetainedRam::new();

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    RETAINED_RAM.record_cause(ResetCause::Panic(info.location().map_or(0, |location| location.line())));
    SCB::sys_reset()
}

#[exception]
// SAFETY: it touches atomics alone and does not return.
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    RETAINED_RAM.record_cause(ResetCause::HardFault(frame.pc()));
    SCB::sys_reset()
}
