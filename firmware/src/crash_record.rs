//! What a device was doing when it crashed: kept in memory that a reset does not clear, and logged
//! after it.
//!
//! A board puts [`RetainedRam`] into memory that its start-up code leaves alone (cortex-m-rt's
//! section `.uninit`). The loop records each stage in it as it goes; a panic or a hard fault adds
//! its cause. After power was off the words are random, which their checksum shows. All of it is
//! atomics, so handlers may write it at any time.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use edge_core::pipeline::Stage;

/// Crashes in a row after which a device still tries again; after more it stays in FAULT until it
/// is switched off and on, or reset by hand.
pub const MAX_BOOT_FAILURES: u8 = 3;

/// Frames after which the next one that is judged ends the row of crashes.
pub const HEALTHY_AFTER_FRAMES: u32 = 16;

const MAGIC: u32 = 0x504E_4544;

/// What ended the last run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetCause {
    /// None was recorded: the watchdog expired, or, on a chip that cannot tell, somebody pressed
    /// reset.
    Watchdog,
    /// A panic, with its line of the source.
    Panic(u32),
    /// A fault of the processor, with the address of the instruction.
    HardFault(u32),
}

impl ResetCause {
    const fn words(self) -> [u32; 2] {
        match self {
            ResetCause::Watchdog => [0, 0],
            ResetCause::Panic(line) => [1, line],
            ResetCause::HardFault(address) => [2, address],
        }
    }

    const fn from_words([kind, detail]: [u32; 2]) -> Option<Self> {
        match kind {
            0 => Some(ResetCause::Watchdog),
            1 => Some(ResetCause::Panic(detail)),
            2 => Some(ResetCause::HardFault(detail)),
            _ => None,
        }
    }

    /// The word for it in the log's `died` line.
    pub const fn name(self) -> &'static str {
        match self {
            ResetCause::Watchdog => "watchdog",
            ResetCause::Panic(_) => "panic",
            ResetCause::HardFault(_) => "hard-fault",
        }
    }

    /// The line or the address; 0 for the watchdog.
    pub const fn detail(self) -> u32 {
        self.words()[1]
    }
}

/// What is known of a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashRecord {
    /// What ended the run.
    pub cause: ResetCause,
    /// What the loop was doing.
    pub stage: Stage,
    /// The frame it was at, counted from 1; 0 before the first.
    pub frame: u32,
    /// Runs in a row that ended so, this one counted.
    pub boot_failures: u8,
}

/// Magic, stage, frame, kind of cause, its detail, boot failures; then their checksum.
const WORDS: usize = 6;

/// Memory that is kept over a reset. Every content is valid; most hold no crash record.
#[derive(Debug)]
pub struct RetainedRam {
    words: [AtomicU32; WORDS],
    check: AtomicU32,
}

impl Default for RetainedRam {
    fn default() -> Self {
        Self::new()
    }
}

impl RetainedRam {
    /// Without a record.
    pub const fn new() -> Self {
        Self { words: [const { AtomicU32::new(0) }; WORDS], check: AtomicU32::new(0) }
    }

    /// What ended the last run, if it left anything; and this run's record begins. To be called
    /// once, first.
    ///
    /// A reset by hand ends a run that recorded no cause: that is no crash, and those before it are
    /// forgotten, as by switching off and on.
    pub fn begin_run(&self, reset_by_hand: bool) -> Option<CrashRecord> {
        let found = self.read().filter(|crash| !reset_by_hand || crash.cause != ResetCause::Watchdog);
        let boot_failures = found.map_or(0, |crash| crash.boot_failures);
        self.write([MAGIC, u32::from(Stage::Wait.code()), 0, 0, 0, u32::from(boot_failures)]);
        found
    }

    fn read(&self) -> Option<CrashRecord> {
        let words = self.words();
        let [magic, stage, frame, kind, detail, boot_failures] = words;
        if magic != MAGIC || self.check.load(Relaxed) != check(words) {
            return None;
        }
        Some(CrashRecord {
            cause: ResetCause::from_words([kind, detail])?,
            stage: Stage::from_code(u16::try_from(stage).ok()?)?,
            frame,
            boot_failures: u8::try_from(boot_failures).ok()?.saturating_add(1),
        })
    }

    /// Records that the loop is at `stage` of frame number `frame`.
    pub fn record_stage(&self, stage: Stage, frame: u32) {
        let [magic, _, _, kind, detail, boot_failures] = self.words();
        self.write([magic, stage.code().into(), frame, kind, detail, boot_failures]);
    }

    /// Records why the program is about to end: for the handlers of panics and faults.
    pub fn record_cause(&self, cause: ResetCause) {
        let [magic, stage, frame, _, _, boot_failures] = self.words();
        let [kind, detail] = cause.words();
        self.write([magic, stage, frame, kind, detail, boot_failures]);
    }

    /// Ends the row of crashes: the device works.
    pub fn mark_healthy(&self) {
        let [magic, stage, frame, kind, detail, _] = self.words();
        self.write([magic, stage, frame, kind, detail, 0]);
    }

    fn words(&self) -> [u32; WORDS] {
        self.words.each_ref().map(|word| word.load(Relaxed))
    }

    fn write(&self, words: [u32; WORDS]) {
        for (to, word) in self.words.iter().zip(words) {
            to.store(word, Relaxed);
        }
        self.check.store(check(words), Relaxed);
    }
}

/// FNV-1a over the words (Fowler, Noll, Vo): random memory passes once in four thousand million
/// starts.
fn check(words: [u32; WORDS]) -> u32 {
    words.iter().fold(0x811C_9DC5, |sum: u32, word| (sum ^ word).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_is_read_once_and_boot_failures_add_up() {
        let retained_ram = RetainedRam::new();
        assert_eq!(retained_ram.begin_run(false), None);
        retained_ram.record_stage(Stage::Layer(7), 42);
        let first =
            CrashRecord { cause: ResetCause::Watchdog, stage: Stage::Layer(7), frame: 42, boot_failures: 1 };
        assert_eq!(retained_ram.begin_run(false), Some(first));
        retained_ram.record_stage(Stage::Rows, 3);
        retained_ram.record_cause(ResetCause::Panic(99));
        let second =
            CrashRecord { cause: ResetCause::Panic(99), stage: Stage::Rows, frame: 3, boot_failures: 2 };
        assert_eq!(retained_ram.begin_run(false), Some(second));
        retained_ram.mark_healthy();
        retained_ram.record_cause(ResetCause::HardFault(0x1234));
        let third = CrashRecord {
            cause: ResetCause::HardFault(0x1234),
            stage: Stage::Wait,
            frame: 0,
            boot_failures: 1,
        };
        assert_eq!(retained_ram.begin_run(false), Some(third));
    }

    #[test]
    fn a_reset_by_hand_is_no_crash_and_forgets_those_before_but_hides_no_cause() {
        let retained_ram = RetainedRam::new();
        for expected in [None, Some(1), Some(2)] {
            assert_eq!(retained_ram.begin_run(false).map(|crash| crash.boot_failures), expected);
        }
        assert_eq!(retained_ram.begin_run(true), None);
        assert_eq!(retained_ram.begin_run(false).map(|crash| crash.boot_failures), Some(1));
        retained_ram.record_cause(ResetCause::Panic(3));
        assert_eq!(
            retained_ram.begin_run(true).map(|crash| (crash.cause, crash.boot_failures)),
            Some((ResetCause::Panic(3), 2))
        );
    }

    #[test]
    fn any_flipped_bit_is_no_crash_record() {
        let retained_ram = RetainedRam::new();
        retained_ram.begin_run(false);
        retained_ram.record_stage(Stage::Decide, 7);
        for word in retained_ram.words.iter().chain([&retained_ram.check]) {
            for bit in 0..32 {
                word.fetch_xor(1 << bit, Relaxed);
                assert_eq!(retained_ram.read(), None);
                word.fetch_xor(1 << bit, Relaxed);
            }
        }
        assert!(retained_ram.read().is_some());
    }
}
