//! The lamps' lines, each read back: one that is shorted, or whose driver died, is found when it is
//! set.

use edge_core::signal::{ActiveHigh, ActiveLow, LampPins};
use embedded_hal::digital::{ErrorKind, ErrorType, InputPin, OutputPin};

/// Cycles from the output register to the input register: the synchroniser's, with much to spare,
/// and time for a long cable.
const SETTLE: u32 = 400;

/// The lamps of a board whose own lamp, the heartbeat, is lit while its line is low.
pub type Lamps<P> = LampPins<
    ActiveHigh<ReadBackPin<P>>,
    ActiveHigh<ReadBackPin<P>>,
    ActiveHigh<ReadBackPin<P>>,
    ActiveLow<ReadBackPin<P>>,
    ActiveHigh<ReadBackPin<P>>,
>;

/// The lamps over the pins of red, amber, green, heartbeat and buzzer. `output` makes a line of a
/// pin, high or low from its start: at the level at which its lamp is dark.
pub fn lamps<N, P>(
    [red, amber, green, heartbeat, buzzer]: &[N; 5],
    output: impl Fn(&N, bool) -> P,
) -> Lamps<P> {
    let lit_while_high = |pin| ActiveHigh(ReadBackPin(output(pin, false)));
    LampPins {
        red: lit_while_high(red),
        amber: lit_while_high(amber),
        green: lit_while_high(green),
        heartbeat: ActiveLow(ReadBackPin(output(heartbeat, true))),
        buzzer: lit_while_high(buzzer),
    }
}

#[derive(Clone, Debug)]
pub struct ReadBackPin<P>(pub P);

impl<P> ErrorType for ReadBackPin<P> {
    type Error = ErrorKind;
}

impl<P: InputPin + OutputPin> OutputPin for ReadBackPin<P> {
    fn set_low(&mut self) -> Result<(), ErrorKind> {
        self.0.set_low().map_err(|_| ErrorKind::Other)?;
        self.expect(false)
    }

    fn set_high(&mut self) -> Result<(), ErrorKind> {
        self.0.set_high().map_err(|_| ErrorKind::Other)?;
        self.expect(true)
    }
}

impl<P: InputPin> ReadBackPin<P> {
    fn expect(&mut self, high: bool) -> Result<(), ErrorKind> {
        cortex_m::asm::delay(SETTLE);
        match self.0.is_high() {
            Ok(got) if got == high => Ok(()),
            _ => Err(ErrorKind::Other),
        }
    }
}
