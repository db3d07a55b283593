//! Whether the watchdog bites: the checklist stops feeding it and leaves a mark in the memory that
//! a reset does not clear; the next start finds the mark.

use super::line::{Line, Value};
use crate::crash_record::{CrashRecord, ResetCause, RetainedRam};
use edge_core::pipeline::Stage;

const NAME: &str = "watchdog";
/// The frame's number that stands for "waiting for the watchdog": no run counts so far.
pub const BITE: u32 = 0xB17E_D060;

/// Leaves the mark. After this nobody may feed the watchdog.
pub(super) fn wait_for_bite(retained_ram: &RetainedRam) {
    retained_ram.record_stage(Stage::Wait, BITE);
}

/// It should have bitten by now.
pub(super) fn did_not_bite(retained_ram: &RetainedRam) -> Line {
    // So that a later reset by hand is not taken for it.
    retained_ram.record_stage(Stage::Wait, 0);
    let look = "nobody fed it and the chip runs on: it was not started, or is paused by a debugger that halted the chip";
    Line::failed(NAME, Value::Word("reset"), Value::Word("no-reset"), ["", ""], look)
}

/// The last check's result, where the run before ended in it; `crash` is what
/// [`RetainedRam::begin_run`] gave. None where this run is the first.
pub fn after_reset(crash: Option<CrashRecord>) -> Option<Line> {
    let crash = crash.filter(|crash| crash.frame == BITE)?;
    let (reset, look) =
        (Value::Word("reset"), "the start's own checks or a handler ended the run, not the watchdog");
    Some(match crash.cause {
        ResetCause::Watchdog => Line::passed(NAME, reset),
        ResetCause::Panic(_) | ResetCause::HardFault(_) => {
            Line::failed(NAME, reset, Value::Word(crash.cause.name()), ["", ""], look)
        }
    })
}
