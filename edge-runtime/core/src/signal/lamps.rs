//! Lamps on output pins, with their polarity as a type, and the five of them together.

use super::Levels;
use embedded_hal::digital::{OutputPin, PinState};

/// Something that can be lit: a lamp of either polarity, or none.
pub trait LampLine {
    /// Why the line cannot be set.
    type Error;

    /// Lights it or puts it out.
    fn light(&mut self, lit: bool) -> Result<(), Self::Error>;
}

/// A lamp that is lit while its pin is high.
#[derive(Clone, Debug)]
pub struct ActiveHigh<P>(pub P);

/// A lamp that is lit while its pin is low.
#[derive(Clone, Debug)]
pub struct ActiveLow<P>(pub P);

/// No lamp: a buzzer or heartbeat that this device does not have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dark;

impl<P: OutputPin> LampLine for ActiveHigh<P> {
    type Error = P::Error;

    fn light(&mut self, lit: bool) -> Result<(), P::Error> {
        self.0.set_state(PinState::from(lit))
    }
}

impl<P: OutputPin> LampLine for ActiveLow<P> {
    type Error = P::Error;

    fn light(&mut self, lit: bool) -> Result<(), P::Error> {
        self.0.set_state(PinState::from(!lit))
    }
}

impl LampLine for Dark {
    type Error = core::convert::Infallible;

    fn light(&mut self, _: bool) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// One of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Lamp {
    Red,
    Amber,
    Green,
    Heartbeat,
    Buzzer,
}

impl Lamp {
    /// All five, in the order of this enum.
    pub const ALL: [Lamp; 5] = [Lamp::Red, Lamp::Amber, Lamp::Green, Lamp::Heartbeat, Lamp::Buzzer];

    /// Its name in configuration and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Lamp::Red => "red",
            Lamp::Amber => "amber",
            Lamp::Green => "green",
            Lamp::Heartbeat => "heartbeat",
            Lamp::Buzzer => "buzzer",
        }
    }
}

/// A set of lines, such as those that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LampSet(u8);

impl LampSet {
    /// Not a single line.
    pub const NONE: Self = Self(0);

    /// Every line.
    pub const ALL: Self = Self(0b1_1111);

    /// The set and one more.
    #[must_use]
    pub const fn with(self, which: Lamp) -> Self {
        Self(self.0 | 1 << which as u8)
    }

    /// Whether the line is one of them.
    pub const fn has(self, which: Lamp) -> bool {
        self.0 & 1 << which as u8 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether red, amber or green is one of them: without these a state cannot be read any more.
    pub const fn any_state_lamp(self) -> bool {
        self.has(Lamp::Red) || self.has(Lamp::Amber) || self.has(Lamp::Green)
    }

    /// Those of the set.
    pub fn iter(self) -> impl Iterator<Item = Lamp> {
        Lamp::ALL.into_iter().filter(move |&which| self.has(which))
    }
}

/// The lamps of a device: red, amber, green, heartbeat, buzzer.
///
/// ```
/// use core::convert::Infallible;
/// use edge_core::signal::{ActiveHigh, ActiveLow, Dark, LampPins, LampSet, Levels};
/// use embedded_hal::digital::{ErrorType, OutputPin};
///
/// /// Whether the pin is high.
/// struct Pin(bool);
///
/// impl ErrorType for Pin {
///     type Error = Infallible;
/// }
///
/// impl OutputPin for Pin {
///     fn set_low(&mut self) -> Result<(), Infallible> {
///         self.0 = false;
///         Ok(())
///     }
///
///     fn set_high(&mut self) -> Result<(), Infallible> {
///         self.0 = true;
///         Ok(())
///     }
/// }
///
/// let mut lamps = LampPins {
///     red: ActiveHigh(Pin(false)),
///     amber: ActiveLow(Pin(false)), // lit while its pin is low
///     green: ActiveHigh(Pin(false)),
///     heartbeat: Dark,
///     buzzer: Dark,
/// };
/// assert_eq!(lamps.set(&Levels { red: true, ..Levels::default() }, true), LampSet::NONE);
/// assert!(lamps.red.0.0 && lamps.amber.0.0 && !lamps.green.0.0);
/// ```
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the names say it
pub struct LampPins<R, A, G, H, B> {
    pub red: R,
    pub amber: A,
    pub green: G,
    pub heartbeat: H,
    pub buzzer: B,
}

impl<R: LampLine, A: LampLine, G: LampLine, H: LampLine, B: LampLine> LampPins<R, A, G, H, B> {
    /// Sets every line, whatever became of the others, and says which failed.
    ///
    /// Lamps go out before others are lit, so that no two answers are shown at once, not even for a
    /// microsecond.
    pub fn set(&mut self, levels: &Levels, heartbeat: bool) -> LampSet {
        let mut failed = LampSet::NONE;
        let mut note = |which, ok: bool| {
            if !ok {
                failed = failed.with(which);
            }
        };
        for lit in [false, true] {
            if levels.green == lit {
                note(Lamp::Green, self.green.light(lit).is_ok());
            }
            if levels.red == lit {
                note(Lamp::Red, self.red.light(lit).is_ok());
            }
            if levels.amber == lit {
                note(Lamp::Amber, self.amber.light(lit).is_ok());
            }
        }
        note(Lamp::Heartbeat, self.heartbeat.light(heartbeat).is_ok());
        note(Lamp::Buzzer, self.buzzer.light(levels.buzzer).is_ok());
        failed
    }
}
