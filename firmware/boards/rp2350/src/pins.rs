//! Lines whose number is part of their type: embassy's ask at run time which bank a pin is of, and
//! panic where there is none; the loop must have no panic in it.

use core::convert::Infallible;
use core::mem;
use embassy_rp::Peri;
use embassy_rp::gpio::{Drive, Flex, Pin, Pull};
use embassy_rp::pac::SIO;
use embedded_hal::digital::{ErrorType, InputPin, OutputPin};

/// The line GPn of the chip's first bank.
#[derive(Clone, Debug)]
pub struct Line<const N: u8>(());

impl<const N: u8> Line<N> {
    /// An output, low at first.
    ///
    /// # Panics
    /// Where the pin is not GPn: at the first start of a program that was wired wrongly.
    pub fn output(pin: Peri<'static, impl Pin>) -> Self {
        Self::with(pin, |pin| {
            pin.set_low();
            // Otherwise 2 mA: with a lamp at it the line would read back as low.
            pin.set_drive_strength(Drive::_12mA);
            pin.set_as_output();
        })
    }

    /// An input that is high while nothing pulls it low.
    pub fn input(pin: Peri<'static, impl Pin>) -> Self {
        Self::with(pin, |pin| {
            pin.set_pull(Pull::Up);
            pin.set_as_input();
        })
    }

    fn with(pin: Peri<'static, impl Pin>, set_up: impl FnOnce(&mut Flex<'static>)) -> Self {
        assert!(pin.pin() == N, "this is not GP{N}");
        let mut pin = Flex::new(pin);
        set_up(&mut pin);
        // Dropped, it would let go of the pin.
        mem::forget(pin);
        Self(())
    }
}

impl<const N: u8> ErrorType for Line<N> {
    type Error = Infallible;
}

impl<const N: u8> OutputPin for Line<N> {
    fn set_low(&mut self) -> Result<(), Infallible> {
        SIO.gpio_out(0).value_clr().write_value(1 << N);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        SIO.gpio_out(0).value_set().write_value(1 << N);
        Ok(())
    }
}

impl<const N: u8> InputPin for Line<N> {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(SIO.gpio_in(0).read() & 1 << N != 0)
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        self.is_high().map(|high| !high)
    }
}
