//! What the device says of itself, as values: `defmt_log` turns them into a log, tests
//! look at them.

use crate::bundle::Version;
use crate::crash_record::CrashRecord;
use crate::message_buffer::LogCounts;
use crate::slots::records::RecordsError;
use crate::slots::refusal::Refusal;
use crate::slots::slot::Slot;
use edge_core::agree::Indication;
use edge_core::pipeline::FrameResult;
use edge_core::signal::LampSet;

/// Takes events. It must not wait: what cannot be logged at once is counted and dropped.
pub trait EventLog {
    /// Logs an event, or counts it as lost.
    fn record(&mut self, event: &LogEvent<'_>);

    /// What became of the messages since the start; zeros where it writes none.
    fn counts(&self) -> LogCounts {
        LogCounts::default()
    }
}

/// What is worth a line. Times are milliseconds since the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LogEvent<'a> {
    /// The program starts.
    Start {
        /// Version of the firmware, as in its `Cargo.toml`.
        firmware: &'a str,
        /// The board, as in its `board.toml`.
        board: &'a str,
    },
    /// The last run did not end well.
    Crashed(CrashRecord),
    /// A model that has not run yet is put to its self-test.
    Trying {
        /// Where it lies.
        slot: Slot,
        /// The version that its signature covers.
        version: Version,
    },
    /// It passed: it runs from now on.
    Taken {
        /// Where it lies.
        slot: Slot,
        /// The version that its signature covers.
        version: Version,
    },
    /// The model of a slot does not run.
    Refused {
        /// Where it lies.
        slot: Slot,
        /// With the numbers that were expected and found.
        why: Refusal,
    },
    /// What runs could not be recorded in flash.
    RecordsFailed(RecordsError),
    /// The model that runs.
    Model {
        /// Where it lies.
        slot: Slot,
        /// From its metadata.
        name: &'a str,
        /// From its metadata, `1.2.3`.
        version: &'a str,
        /// Of its ONNX file, which it names everywhere.
        sha256: &'a [u8; 32],
        /// Score, 0 to 1, below which it says NEGATIVE.
        negative_below: f32,
        /// Score, 0 to 1, above which it says POSITIVE.
        positive_above: f32,
    },
    /// A frame was judged.
    Frame {
        /// Counted since the start, from 1.
        number: u32,
        /// What it gave by itself.
        judged: &'a FrameResult,
        /// How many frames in a row gave the same state.
        agreeing: u8,
        /// What the frames agree on after it.
        shown: Indication,
        /// When it began.
        at_ms: u64,
    },
    /// What the lights show has changed.
    Shows {
        /// None while the device waits for its trigger.
        shown: Option<Indication>,
        /// When.
        at_ms: u64,
    },
    /// Lines of the lights that cannot be set; none once they work again.
    LightsFailed(LampSet),
    /// Another ten seconds are over.
    Counts {
        /// Begun since the start.
        frames: u32,
        /// Bytes that have never been used since the start.
        stack_left: u32,
        /// Of this log.
        log: LogCounts,
    },
}
