//! The lamps: LEDs of the board, each an output pin. A line that the script breaks is not set any
//! more, and says so.

use crate::{chip, world};
use core::convert::Infallible;
use edge_core::signal::{ActiveHigh, Lamp, LampPins};
use embedded_hal::digital::{Error, ErrorKind, ErrorType, OutputPin};

pub struct Line(Lamp);

#[derive(Debug)]
pub struct Broken;

impl Error for Broken {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl From<Infallible> for Broken {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl ErrorType for Line {
    type Error = Broken;
}

impl Line {
    fn set(&self, lit: bool) -> Result<(), Broken> {
        let follows = !world::is_broken(self.0) && chip::set_led(self.0 as u32, lit);
        if follows { Ok(()) } else { Err(Broken) }
    }
}

impl OutputPin for Line {
    fn set_low(&mut self) -> Result<(), Broken> {
        self.set(false)
    }

    fn set_high(&mut self) -> Result<(), Broken> {
        self.set(true)
    }
}

type LinePin = ActiveHigh<Line>;

/// LED 0 is red, 1 amber, 2 green, 3 the heartbeat, 4 the buzzer.
pub fn lights() -> LampPins<LinePin, LinePin, LinePin, LinePin, LinePin> {
    let line = |which| ActiveHigh(Line(which));
    LampPins {
        red: line(Lamp::Red),
        amber: line(Lamp::Amber),
        green: line(Lamp::Green),
        heartbeat: line(Lamp::Heartbeat),
        buzzer: line(Lamp::Buzzer),
    }
}
