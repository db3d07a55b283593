//! What the device lets other programs of its board see, and what they may say to it: files in two
//! folders in memory, since the device has no network.
//!
//! ```text
//! device --status.json, picture-N.png, heat-N.png--> /run/pneumoscope --> screen
//! device <---------- acknowledged.json ----------- /run/pneumoscope-screen <-- screen
//! ```
//!
//! Each folder has one writer, and each file is replaced whole, so a reader sees the file of before
//! or the new one. Whoever reads judges its age by [`Status::monotonic_ms`]: a device that is gone
//! leaves its last status behind, and that must never be taken for an answer.
//!
//! ```
//! use status::{Acknowledgement, Acknowledgements};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let file = folder.path().join(status::ACKNOWLEDGED);
//! let tapped = Acknowledgement { number: 1, run: "a-run".into(), case: 7, pictures: 2 };
//! status::write(&file, &Acknowledgements::new(vec![tapped.clone()])).unwrap();
//! let read: Acknowledgements = status::read(&file).unwrap();
//! assert_eq!(read.entries, [tapped]);
//! ```

mod acknowledgement;
mod exchange;
mod picture;

pub use acknowledgement::{Acknowledgement, Acknowledgements, MOST_ACKNOWLEDGEMENTS};
pub use edge_core::worklist::Progress;
pub use exchange::{MAX_BYTES, StatusError, Versioned, parse, read, write, write_bytes};
pub use picture::{Figure, Heat, Picture};

use edge_core::agree::Indication;
use edge_core::decide::Thresholds;
use edge_core::{Decision, State};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Name of the file that holds a [`Status`].
pub const STATUS: &str = "status.json";

/// Name of the file that holds [`Acknowledgements`].
pub const ACKNOWLEDGED: &str = "acknowledged.json";

/// How often the device writes its status though nothing has changed.
pub const EVERY: Duration = Duration::from_millis(500);

/// A status that is older says nothing any more: the device hangs or is gone, and whoever shows it
/// shows FAULT.
pub const STALE_AFTER: Duration = Duration::from_millis(1500);

/// Most cases that a status lists; the oldest are left out.
pub const MOST_CASES: usize = 256;

/// What the device shows at one moment, and everything that is to be said beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// [`Versioned::VERSION`].
    pub version: u32,
    /// This start of the device; numbers of cases and pictures hold within it.
    pub run: String,
    /// The device's name from its configuration.
    pub device: String,
    /// Version of the program.
    pub software: String,
    /// `CLOCK_MONOTONIC` when this was written, in milliseconds: one clock for all programs of a
    /// board, which no set time moves.
    pub monotonic_ms: u64,
    /// The device's clock when this was written, in milliseconds since 1970, right or wrong.
    pub unix_ms: u64,
    /// What is lit, and why; none while the lamps are dark and the device waits for a picture.
    pub shown: Option<Indication>,
    /// Since when it has been shown, for the case that is named, on the clock of `monotonic_ms`.
    pub shown_since_ms: u64,
    /// Score of what is shown; none where it has none.
    pub score: Option<f32>,
    pub thresholds: Thresholds,
    pub model: Model,
    /// Answers on files, where a folder is watched; none for a camera.
    pub worklist: Option<WorklistStatus>,
    /// The picture whose answer is shown: of the case that has its turn, or else of the worst that is
    /// named; of a camera the newest that was judged. None where there is none, and under a FAULT.
    pub picture: Option<Picture>,
    /// What is wrong beside what is shown, in an engineer's words.
    pub trouble: Option<String>,
}

impl Versioned for Status {
    const VERSION: u32 = 1;
    fn version(&self) -> u32 {
        self.version
    }
}

impl Status {
    /// Whether this still holds at `monotonic_ms` of the same clock. One from the future, of before
    /// a restart of the machine, does not.
    pub fn holds(&self, monotonic_ms: u64) -> bool {
        let age = monotonic_ms.checked_sub(self.monotonic_ms);
        age.is_some_and(|age| u128::from(age) <= STALE_AFTER.as_millis())
    }

    /// The FAULT of the device itself, which hides every answer. A case that has its turn may be
    /// answered by FAULT as well: that one is an answer, and hides no other.
    pub fn device_fault(&self) -> Option<Indication> {
        let turn = self.worklist.as_ref().and_then(|list| list.turn);
        self.shown.filter(|shown| shown.state == State::Fault && turn.is_none())
    }
}

/// What every answer carries of its model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    pub version: String,
    pub intended_use: String,
    pub engine: String,
}

/// The cases of a watched folder, as [`edge_core::worklist`] means them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorklistStatus {
    /// The case that has its turn, a number of `cases`.
    pub turn: Option<u32>,
    /// The worst of the others that need a person.
    pub worst: Option<u32>,
    /// How many need a person, without the one that has its turn.
    pub need_person: u32,
    /// How many have not had their turn.
    pub waiting: u32,
    /// Whether answers are acknowledged, by a button or on a screen.
    pub acknowledges: bool,
    /// Cases since the start, the oldest first, at most [`MOST_CASES`].
    pub cases: Vec<Case>,
}

/// One patient's study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Number within the run.
    pub number: u32,
    /// Accession number, or the file's name, or what the names of several have in common: for
    /// eyes, never for a disk.
    pub name: String,
    /// How many pictures of it have come.
    pub pictures: u16,
    /// The worst of its frontal views.
    pub answer: Decision,
    /// When its last picture was judged, in milliseconds since 1970.
    pub unix_ms: u64,
    pub progress: Progress,
}

impl Case {
    /// Whether somebody may acknowledge it: it has been shown, and its answer is not NEGATIVE.
    pub fn may_be_acknowledged(&self) -> bool {
        self.answer.state != State::Negative
            && matches!(self.progress, Progress::Shown | Progress::NeedsPerson)
    }
}
