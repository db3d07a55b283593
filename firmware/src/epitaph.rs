//! What a device was doing when it died: kept in memory that a reset does not clear, and logged after it.
//!
//! A board puts a [`Tomb`] into memory that its start-up code leaves alone (cortex-m-rt's section `.uninit`). The loop notes each
//! stage in it as it goes; a panic or a hard fault adds what it was. After power was off the words are random, which their checksum
//! shows. All of it is atomics, so handlers may write it at any time.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use edge_core::pipeline::Stage;

/// Most deaths in a row after which a device still tries again; after more it stays in FAULT until it is switched off and on, or reset by
/// hand.
pub const MOST_DEATHS: u8 = 3;

/// Frames after which a frame that is judged makes earlier deaths forgotten.
pub const FRAMES_OF_HEALTH: u32 = 16;

const MAGIC: u32 = 0x504E_4544;

/// What ended the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It noted nothing: the watchdog expired, or, on a chip that cannot tell, somebody pressed reset.
    Watchdog,
    /// A panic; the line of the source.
    Panic(u32),
    /// A fault of the processor; the address of the instruction.
    HardFault(u32),
}

impl Cause {
    const fn words(self) -> [u32; 2] {
        match self {
            Cause::Watchdog => [0, 0],
            Cause::Panic(line) => [1, line],
            Cause::HardFault(address) => [2, address],
        }
    }

    const fn of_words([kind, detail]: [u32; 2]) -> Option<Self> {
        match kind {
            0 => Some(Cause::Watchdog),
            1 => Some(Cause::Panic(detail)),
            2 => Some(Cause::HardFault(detail)),
            _ => None,
        }
    }

    /// Its name in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Watchdog => "watchdog",
            Cause::Panic(_) => "panic",
            Cause::HardFault(_) => "hard-fault",
        }
    }

    /// The line or the address.
    pub const fn detail(self) -> u32 {
        self.words()[1]
    }
}

/// What is known of a death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epitaph {
    /// What ended the program.
    pub cause: Cause,
    /// What it was doing.
    pub stage: Stage,
    /// Number of the frame it was at.
    pub frame: u32,
    /// Deaths in a row, this one counted.
    pub deaths: u8,
}

/// Words of a tomb: magic, stage, frame, kind of cause, its detail, deaths; then their checksum.
const WORDS: usize = 6;

/// The memory that is kept over a reset. Every content is valid; most are no epitaph.
#[derive(Debug)]
pub struct Tomb {
    words: [AtomicU32; WORDS],
    check: AtomicU32,
}

impl Default for Tomb {
    fn default() -> Self {
        Self::new()
    }
}

impl Tomb {
    /// An empty one.
    pub const fn new() -> Self {
        Self { words: [const { AtomicU32::new(0) }; WORDS], check: AtomicU32::new(0) }
    }

    /// What ended the last run, if it left anything; and this run begins. Call it once, first.
    ///
    /// A reset by hand ended a run that noted no cause: that is no death, and those before it are forgotten, as by switching off and on.
    pub fn open(&self, by_hand: bool) -> Option<Epitaph> {
        let found = self.read().filter(|epitaph| !by_hand || epitaph.cause != Cause::Watchdog);
        let deaths = found.map_or(0, |epitaph| epitaph.deaths);
        self.write([MAGIC, u32::from(Stage::Wait.code()), 0, 0, 0, u32::from(deaths)]);
        found
    }

    fn read(&self) -> Option<Epitaph> {
        let words = self.words();
        let [magic, stage, frame, kind, detail, deaths] = words;
        if magic != MAGIC || self.check.load(Relaxed) != check(words) {
            return None;
        }
        Some(Epitaph {
            cause: Cause::of_words([kind, detail])?,
            stage: Stage::of_code(u16::try_from(stage).ok()?)?,
            frame,
            deaths: u8::try_from(deaths).ok()?.saturating_add(1),
        })
    }

    /// The loop is at `stage` of frame number `frame`.
    pub fn at(&self, stage: Stage, frame: u32) {
        let [magic, _, _, kind, detail, deaths] = self.words();
        self.write([magic, stage.code().into(), frame, kind, detail, deaths]);
    }

    /// The program is about to end by `cause`: for the handlers of panics and faults.
    pub fn dies(&self, cause: Cause) {
        let [magic, stage, frame, _, _, deaths] = self.words();
        let [kind, detail] = cause.words();
        self.write([magic, stage, frame, kind, detail, deaths]);
    }

    /// The device works: earlier deaths do not count any more.
    pub fn is_well(&self) {
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

/// FNV-1a over the words (Fowler, Noll, Vo): random memory passes once in four thousand million starts.
fn check(words: [u32; WORDS]) -> u32 {
    words.iter().fold(0x811C_9DC5, |sum: u32, word| (sum ^ word).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read_once_and_deaths_add_up() {
        let tomb = Tomb::new();
        assert_eq!(tomb.open(false), None);
        tomb.at(Stage::Layer(7), 42);
        let first = Epitaph { cause: Cause::Watchdog, stage: Stage::Layer(7), frame: 42, deaths: 1 };
        assert_eq!(tomb.open(false), Some(first));
        tomb.at(Stage::Rows, 3);
        tomb.dies(Cause::Panic(99));
        let second = Epitaph { cause: Cause::Panic(99), stage: Stage::Rows, frame: 3, deaths: 2 };
        assert_eq!(tomb.open(false), Some(second));
        tomb.is_well();
        tomb.dies(Cause::HardFault(0x1234));
        let third = Epitaph { cause: Cause::HardFault(0x1234), stage: Stage::Wait, frame: 0, deaths: 1 };
        assert_eq!(tomb.open(false), Some(third));
    }

    #[test]
    fn a_reset_by_hand_is_no_death_and_forgets_those_before_but_hides_no_cause() {
        let tomb = Tomb::new();
        for expected in [None, Some(1), Some(2)] {
            assert_eq!(tomb.open(false).map(|epitaph| epitaph.deaths), expected);
        }
        assert_eq!(tomb.open(true), None);
        assert_eq!(tomb.open(false).map(|epitaph| epitaph.deaths), Some(1));
        tomb.dies(Cause::Panic(3));
        assert_eq!(
            tomb.open(true).map(|epitaph| (epitaph.cause, epitaph.deaths)),
            Some((Cause::Panic(3), 2))
        );
    }

    #[test]
    fn any_flipped_bit_is_no_epitaph() {
        let tomb = Tomb::new();
        tomb.open(false);
        tomb.at(Stage::Decide, 7);
        for word in tomb.words.iter().chain([&tomb.check]) {
            for bit in 0..32 {
                word.fetch_xor(1 << bit, Relaxed);
                assert_eq!(tomb.read(), None);
                word.fetch_xor(1 << bit, Relaxed);
            }
        }
        assert!(tomb.read().is_some());
    }
}
