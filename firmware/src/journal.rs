//! What the device says of itself, as values: a board turns them into a log, the tests look at them.

#[cfg(feature = "defmt")]
mod defmt;

#[cfg(feature = "defmt")]
pub use defmt::DefmtJournal;

use crate::bundle::Version;
use crate::epitaph::Epitaph;
use crate::log::LogCounts;
use crate::slots::{RecordsError, Refusal};
use edge_core::agree::Shown;
use edge_core::pipeline::Judged;
use edge_core::signal::Lamps;

/// One of the two places where a model can lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// What is its own of two things, A's first.
    pub fn of<T>(self, [a, b]: [T; 2]) -> T {
        match self {
            Self::A => a,
            Self::B => b,
        }
    }

    /// 0 or 1.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "slot A",
            Self::B => "slot B",
        }
    }
}

/// Takes note of what happens. It must not wait: what cannot be noted at once is counted and dropped.
pub trait Journal {
    /// Takes an event; it never waits.
    fn note(&mut self, entry: &Entry<'_>);

    /// What became of the lines that it wrote; nothing where it writes none.
    fn counts(&self) -> LogCounts {
        LogCounts::default()
    }
}

/// What is worth a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Entry<'a> {
    /// The program starts.
    Start {
        /// Version of the firmware.
        firmware: &'a str,
        /// Name of the board.
        board: &'a str,
    },
    /// The last run did not end well.
    Died(Epitaph),
    /// A model that has not run yet is put to its self-test.
    Trying {
        /// Where it lies.
        slot: Slot,
        /// Its version.
        version: Version,
    },
    /// It passed: it runs from now on.
    Taken {
        /// Where it lies.
        slot: Slot,
        /// Its version.
        version: Version,
    },
    /// The model of a slot does not run.
    Refused {
        /// Where it lies.
        slot: Slot,
        /// Why.
        why: Refusal,
    },
    /// What runs could not be noted in flash.
    RecordsFailed(RecordsError),
    /// The model that runs.
    Model {
        /// Where it lies.
        slot: Slot,
        /// Its name.
        name: &'a str,
        /// Its version.
        version: &'a str,
        /// SHA-256 of its ONNX file, which names it everywhere.
        sha256: &'a [u8; 32],
        /// Below this score it is NEGATIVE.
        negative_below: f32,
        /// Above this score it is POSITIVE.
        positive_above: f32,
    },
    /// A frame was judged.
    Frame {
        /// Its number since the start, from 1.
        number: u32,
        /// What it gave by itself.
        judged: &'a Judged,
        /// How many frames in a row agree.
        agreeing: u8,
        /// What is shown after it.
        shown: Shown,
        /// Milliseconds since the start.
        at_ms: u64,
    },
    /// What the lights show has changed; none while the device waits for its trigger.
    Shows {
        /// What they show now.
        shown: Option<Shown>,
        /// Milliseconds since the start.
        at_ms: u64,
    },
    /// Lines of the lights that cannot be set.
    LightsFailed(Lamps),
    /// The device has been busy for a while.
    Counts {
        /// Frames judged since the start.
        frames: u32,
        /// Bytes of stack left at the worst time.
        stack_left: u32,
        /// What became of the lines of the log.
        log: LogCounts,
    },
}
