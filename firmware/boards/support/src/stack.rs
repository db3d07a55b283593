//! How much of the stack was never used: cortex-m-rt paints it at the start (its feature
//! `paint-stack`), and what still has the paint was not used.

use core::ptr;

unsafe extern "C" {
    /// The stack's lowest word: the linker's.
    static mut _stack_end: u32;
    static mut _stack_start: u32;
}

/// Bytes of the stack that have never been used since the start.
pub fn stack_left() -> u32 {
    let (mut at, top) = (&raw const _stack_end, &raw const _stack_start);
    let bottom = at;
    // SAFETY: from the stack's lowest word to its highest, all of it memory; volatile, because what
    // lies there is no value of the program's.
    while at < top && unsafe { ptr::read_volatile(at) } == cortex_m_rt::STACK_PAINT_VALUE {
        at = at.wrapping_add(1);
    }
    (at as u32).wrapping_sub(bottom as u32)
}
