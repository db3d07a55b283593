//! Marks each frame's way through the stages, so that QEMU's plugin counts its instructions.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use edge_core::pipeline::Stage;

/// A frame is on its way.
static OPEN: AtomicBool = AtomicBool::new(false);

/// To be called at every stage: a frame begins with its rows and has ended when the loop waits
/// again.
pub fn mark_stage(stage: Stage) {
    match stage {
        Stage::Rows if !OPEN.swap(true, Relaxed) => marker::start(),
        Stage::Wait if OPEN.swap(false, Relaxed) => marker::stop(),
        _ => {}
    }
}
