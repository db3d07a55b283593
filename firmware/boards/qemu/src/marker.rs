//! Marks each frame's way through the stages for QEMU with `xtask/src/instructions/plugin.c`, which counts the instructions between
//! a start and a stop: moves of a register to itself, which no compiler emits.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use edge_core::pipeline::Stage;

/// A frame is on its way.
static OPEN: AtomicBool = AtomicBool::new(false);

/// The loop is at a stage: a frame begins with its rows and has ended when the loop waits again.
pub fn at(stage: Stage) {
    match stage {
        Stage::Rows if !OPEN.swap(true, Relaxed) => start(),
        Stage::Wait if OPEN.swap(false, Relaxed) => stop(),
        _ => {}
    }
}

fn start() {
    // SAFETY: the instruction changes nothing.
    unsafe { asm!("mov r9, r9", options(nostack, preserves_flags)) };
}

fn stop() {
    // SAFETY: the instruction changes nothing.
    unsafe { asm!("mov r10, r10", options(nostack, preserves_flags)) };
}
