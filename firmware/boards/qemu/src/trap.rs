//! Faults that the script plants: the program hangs, panics or makes a hard fault at a stage, or
//! the stack is used up to near its end.
//!
//! They happen in the clock's interrupt, or right after it, so that the loop is the one that any
//! board has.

use crate::chip;
use crate::world::{self, Trap};
use core::arch::asm;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use edge_core::pipeline::Stage;

/// Code of the stage that the loop is at.
static STAGE: AtomicU32 = AtomicU32::new(0);

pub fn record_stage(stage: Stage) {
    STAGE.store(stage.code().into(), Relaxed);
}

/// Called a thousand times a second: springs the trap where one is set for this stage. It springs
/// once.
pub fn spring() {
    match world::take_trap(STAGE.load(Relaxed)) {
        None => {}
        Some(Trap::Hang) => chip::hang(),
        Some(Trap::Panic) => panic!("planted by the script"),
        // SAFETY: an instruction that no processor has, which is the point.
        Some(Trap::HardFault) => unsafe { asm!("udf #0") },
    }
}

/// Nothing happens any more, until the watchdog does; but for interrupts above.
pub fn hang() -> ! {
    loop {
        // No hint to the processor that it waits: the emulator takes that for a reason to look
        // around, a hundred times slower.
        cortex_m::asm::nop();
    }
}

unsafe extern "C" {
    /// The stack's lowest word: the linker's.
    static mut _stack_end: u32;
}

/// Uses the stack until no more than `left` bytes have never been used.
pub fn use_stack(left: u32) {
    let end = &raw mut _stack_end;
    let mut at = end.wrapping_byte_add(left as usize & !3);
    // SAFETY: words of the stack below all that is in use: what is in use is not painted.
    while unsafe { ptr::read_volatile(at) } == cortex_m_rt::STACK_PAINT_VALUE {
        // SAFETY: as above.
        unsafe { ptr::write_volatile(at, 0) };
        at = at.wrapping_add(1);
    }
}
