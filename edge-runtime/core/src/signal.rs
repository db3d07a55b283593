//! What the lights show: states as patterns, lamps of either polarity, the trigger button without
//! its bounce.
//!
//! | shown | red | amber | green | buzzer |
//! | --- | --- | --- | --- | --- |
//! | POSITIVE | steady | | | three short beeps, once |
//! | NEGATIVE | | | steady | |
//! | REFER | | steady | | one short beep, once |
//! | INVALID | | blinks, 1 Hz | | |
//! | FAULT | alternates with amber, 250 ms each | alternates | | a beep every 4 s |
//! | waiting for its trigger | | | | |
//! | the program has ended | steady | steady | | |
//! | light test | two of three | two of three | two of three | at its end |
//!
//! Each can be told without seeing colour: by which lamp, by steady, blinking or alternating, by
//! one lamp or two. Two rules hold at every time, and the tests ask for them at every millisecond:
//! green is lit alone in NEGATIVE only, and red is lit alone in POSITIVE and, for a quarter of a
//! second, in FAULT only. That is why the light test shows two lamps at a time.
//!
//! The heartbeat is a lamp of its own. Whoever calls says whether the program still lives; all
//! lights dark and a heartbeat that stands still is a dead device, never a NEGATIVE.

mod debounce;
mod lamps;
mod player;

pub use debounce::Debounce;
pub use lamps::{ActiveHigh, ActiveLow, Dark, Lamp, LampLine, LampPins, LampSet};
pub use player::PatternPlayer;

use crate::agree::Indication;
use crate::decide::State;

/// Which lamps are lit, and whether the buzzer sounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Levels {
    pub red: bool,
    pub amber: bool,
    pub green: bool,
    pub buzzer: bool,
}

/// What the lights are to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Pattern {
    /// A state of the device.
    State(State),
    /// Each lamp in turn, for a person to see that all of them work; it takes [`LIGHT_TEST_MS`].
    LightTest,
    /// The device waits for its trigger and nothing is wrong: dark but for the heartbeat.
    Idle,
    /// The program has ended: no answer can be read from it, and it is not dark.
    Safe,
}

impl Pattern {
    /// The one for what a device indicates.
    pub fn of(shown: Option<Indication>) -> Self {
        shown.map_or(Self::Idle, |shown| Self::State(shown.state))
    }
}

/// How long the light test takes, in milliseconds; after that it stays on its last picture.
pub const LIGHT_TEST_MS: u64 = 600;

/// A quarter of the slow blink, half of the fast alternation.
const QUARTER_MS: u64 = 250;

/// The lamps `ms` milliseconds after the pattern began. Every pattern but [`Pattern::Idle`] begins
/// with a lamp lit.
pub const fn levels(pattern: Pattern, ms: u64) -> Levels {
    let none = Levels { red: false, amber: false, green: false, buzzer: false };
    match pattern {
        Pattern::State(State::Positive) => Levels { red: true, buzzer: beeps(ms, 3), ..none },
        Pattern::State(State::Negative) => Levels { green: true, ..none },
        Pattern::State(State::Refer) => Levels { amber: true, buzzer: beeps(ms, 1), ..none },
        Pattern::State(State::Invalid) => Levels { amber: ms % (4 * QUARTER_MS) < 2 * QUARTER_MS, ..none },
        Pattern::State(State::Fault) => {
            // Amber first: a fault that is over at once must not have looked like POSITIVE.
            let amber = ms % (2 * QUARTER_MS) < QUARTER_MS;
            Levels { red: !amber, amber, green: false, buzzer: ms % 4000 < 200 }
        }
        Pattern::LightTest => match ms / (LIGHT_TEST_MS / 3) {
            0 => Levels { red: true, amber: true, ..none },
            1 => Levels { amber: true, green: true, ..none },
            _ => Levels {
                red: true,
                green: true,
                buzzer: ms < LIGHT_TEST_MS && ms >= LIGHT_TEST_MS - 50,
                ..none
            },
        },
        Pattern::Idle => none,
        Pattern::Safe => Levels { red: true, amber: true, ..none },
    }
}

/// `count` beeps of 100 ms with as much silence between, then none.
const fn beeps(ms: u64, count: u64) -> bool {
    ms < 200 * count && ms % 200 < 100
}

/// The heartbeat lamp at `ms` of any clock: it changes twice a second while the caller says that
/// the program lives, and is dark otherwise.
pub const fn heartbeat(ms: u64, alive: bool) -> bool {
    alive && ms % 1000 < 500
}
