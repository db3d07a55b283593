//! A control bus whose every call ends.
//!
//! A camera without supply may hold SCL low, and a driver that waits for the line without a limit
//! then takes whatever it runs in with it: the camera's interrupt, and with that the one that shows
//! FAULT while the loop hangs. Here an asynchronous driver is polled until it is done or its time
//! is over; then it is dropped, which ends it.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use embedded_hal_async::i2c;

/// How long one transaction may take, in microseconds. The longest here is a register's address of
/// two bytes and a byte read back, five bytes on the wire: half a millisecond at 100 kHz.
pub const LIMIT_MICROS: u64 = 5_000;

/// Why a transaction gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusError<E> {
    /// What the driver says.
    Bus(E),
    /// It did not end in time: somebody holds a line low.
    Held,
}

impl<E: embedded_hal::i2c::Error> embedded_hal::i2c::Error for BusError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Bus(error) => error.kind(),
            // As a driver says that has waited long enough: nobody need ask again at once.
            Self::Held => ErrorKind::Other,
        }
    }
}

/// An asynchronous bus as one that blocks, for [`LIMIT_MICROS`] at the most.
pub struct BoundedBus<B> {
    /// The bus.
    pub bus: B,
    /// Microseconds since any moment.
    pub micros: fn() -> u64,
}

impl<B: i2c::ErrorType> ErrorType for BoundedBus<B> {
    type Error = BusError<B::Error>;
}

impl<B: i2c::I2c> I2c for BoundedBus<B> {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), Self::Error> {
        let mut transaction = pin!(self.bus.transaction(address, operations));
        // Nobody has to wake what is polled all the time.
        let mut context = Context::from_waker(Waker::noop());
        let began = (self.micros)();
        loop {
            if let Poll::Ready(done) = transaction.as_mut().poll(&mut context) {
                return done.map_err(BusError::Bus);
            }
            if (self.micros)().saturating_sub(began) > LIMIT_MICROS {
                return Err(BusError::Held);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::{SensorError, hm01b0};
    use core::cell::Cell;
    use core::future::{pending, poll_fn};
    use embedded_hal::delay::DelayNs;

    std::thread_local! {
        static NOW: Cell<u64> = const { Cell::new(0) };
    }

    /// Ten microseconds pass at each look at the clock.
    fn micros() -> u64 {
        NOW.set(NOW.get() + 10);
        NOW.get()
    }

    struct Wait;

    impl DelayNs for Wait {
        fn delay_ns(&mut self, ns: u32) {
            NOW.set(NOW.get() + u64::from(ns) / 1000);
        }
    }

    /// A bus that is done after so many polls, with this; none where a line is held.
    struct Scripted {
        polls: Option<u32>,
        done: Result<(), ErrorKind>,
    }

    impl i2c::ErrorType for Scripted {
        type Error = ErrorKind;
    }

    impl i2c::I2c for Scripted {
        async fn transaction(&mut self, _: u8, _: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
            let Some(mut left) = self.polls else { return pending().await };
            poll_fn(|_| {
                left = left.saturating_sub(1);
                if left == 0 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            self.done
        }
    }

    fn bus(polls: Option<u32>, done: Result<(), ErrorKind>) -> BoundedBus<Scripted> {
        BoundedBus { bus: Scripted { polls, done }, micros }
    }

    #[test]
    fn what_the_driver_says_within_the_limit_is_the_answer() {
        assert_eq!(bus(Some(1), Ok(())).write(1, &[2]), Ok(()));
        assert_eq!(bus(Some(400), Ok(())).write(1, &[2]), Ok(()));
        let refused = Err(BusError::Bus(ErrorKind::Other));
        assert_eq!(bus(Some(3), Err(ErrorKind::Other)).write(1, &[2]), refused);
    }

    #[test]
    fn a_line_that_is_held_low_ends_each_call_after_its_limit() {
        let began = micros();
        assert_eq!(bus(None, Ok(())).write(1, &[2]), Err(BusError::Held));
        let took = micros() - began;
        assert!((LIMIT_MICROS..LIMIT_MICROS + 100).contains(&took), "{took}");
        assert_eq!(bus(Some(600), Ok(())).write(1, &[2]), Err(BusError::Held), "too late is held");
    }

    /// Long before the watchdog, which waits eight seconds.
    #[test]
    fn a_camera_that_holds_its_clock_line_is_an_error_within_two_seconds() {
        let began = micros();
        let error = hm01b0::configure(&mut bus(None, Ok(())), &mut Wait).unwrap_err();
        assert_eq!(error, SensorError::Bus(BusError::Held));
        assert!(micros() - began < 2_000_000);
    }
}
