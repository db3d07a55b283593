//! A board's first start as a checklist that it goes through by itself: each lamp, the button, the
//! records in flash, the camera's identity, its test pattern row by row, a picture, the watchdog.
//!
//! Each check gives a [`Line`]: what was expected, what came, which wire to look at and what may be
//! wrong with it. [`run`] goes through all of them on the parts that the device runs with, but for
//! the camera, whose driver is in a task of its own: [`Tested`] stands between that task and the
//! driver, and [`CameraPort`] between it and the checklist.
//!
//! Nothing here knows a board. A wire has the name that it has in `board.toml`, where its pin
//! stands.

mod button;
mod camera;
mod checklist;
#[cfg(feature = "defmt")]
mod defmt_report;
mod frame;
mod lamps;
mod line;
mod pattern;
mod records;
mod watchdog;

pub use camera::{CameraPort, TestSensor, Tested, identity};
pub use checklist::{Bench, run};
#[cfg(feature = "defmt")]
pub use defmt_report::DefmtReport;
pub use line::{Line, Outcome, Report, Value};
pub use pattern::Pattern;
pub use records::check as check_records;
pub use watchdog::{BITE, after_reset};
