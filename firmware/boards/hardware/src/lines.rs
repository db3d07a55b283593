//! A line that is read back: one that is shorted, or whose driver died, is found when it is set.

use embedded_hal::digital::{ErrorKind, ErrorType, InputPin, OutputPin};

/// Cycles from the output register to the input register: the synchroniser's, with much to spare, and time for a long cable.
const SETTLE: u32 = 400;

#[derive(Clone, Debug)]
pub struct Checked<P>(pub P);

impl<P> ErrorType for Checked<P> {
    type Error = ErrorKind;
}

impl<P: InputPin + OutputPin> OutputPin for Checked<P> {
    fn set_low(&mut self) -> Result<(), ErrorKind> {
        self.0.set_low().map_err(|_| ErrorKind::Other)?;
        self.expect(false)
    }

    fn set_high(&mut self) -> Result<(), ErrorKind> {
        self.0.set_high().map_err(|_| ErrorKind::Other)?;
        self.expect(true)
    }
}

impl<P: InputPin> Checked<P> {
    fn expect(&mut self, high: bool) -> Result<(), ErrorKind> {
        cortex_m::asm::delay(SETTLE);
        match self.0.is_high() {
            Ok(got) if got == high => Ok(()),
            _ => Err(ErrorKind::Other),
        }
    }
}
