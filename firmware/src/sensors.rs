//! Cameras as they are spoken to: which chip it is, and the registers that make it send what the
//! device wants. Over embedded-hal's I2C, so that a board chooses the bus and the host tests the
//! words on it.

pub mod hm01b0;
pub mod ov7725;
#[cfg(test)]
mod testing;

use core::fmt;
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::{Error, ErrorKind};

/// How long a camera may be silent at the first contact: it may have its supply only just now.
/// Short, because the camera's task waits in an interrupt, and asks a camera that is not there
/// each second anew.
const POWER_ON_MS: u32 = 100;
/// How long it may take to come out of its reset; what other drivers allow at most (Zephyr's
/// `hm01b0.c`, 10 times 100 ms).
const RESET_MS: u32 = 1000;
/// Between two questions meanwhile.
const STEP_MS: u32 = 5;

/// Why a camera is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SensorError<E> {
    /// The bus failed: most often nobody answers at the camera's address.
    Bus(E),
    /// Somebody answers who is not this camera.
    Identity {
        /// Product number of the chip that this driver is for.
        expected: u16,
        /// Product number that was read.
        got: u16,
    },
    /// It answers, and does not come out of its reset.
    Reset {
        /// The register's value after a reset.
        expected: u8,
        /// What it was to the last.
        got: u8,
    },
}

impl<E> From<E> for SensorError<E> {
    fn from(error: E) -> Self {
        Self::Bus(error)
    }
}

impl<E: Error> SensorError<E> {
    /// Whether a camera that is about to be ready may answer so. Not a line that is held down: the
    /// board's driver has waited for it already.
    fn may_pass(&self) -> bool {
        match self {
            Self::Bus(error) => matches!(
                error.kind(),
                ErrorKind::NoAcknowledge(_) | ErrorKind::Bus | ErrorKind::ArbitrationLoss
            ),
            Self::Identity { .. } => false,
            Self::Reset { .. } => true,
        }
    }
}

impl<E: fmt::Debug> fmt::Display for SensorError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bus(error) => write!(
                f,
                "expected that the camera answers, got {error:?}: check its clock, supply and both lines"
            ),
            Self::Identity { expected, got } => {
                write!(f, "expected the camera {expected:#06x}, got {got:#06x}: another chip is fitted")
            }
            Self::Reset { expected, got } => write!(
                f,
                "expected {expected:#04x} in the camera's register of its mode {RESET_MS} ms after a reset, got \
                 {got:#04x}: check its clock and supply"
            ),
        }
    }
}

/// Asks until there is an answer, for at most `limit_ms` milliseconds and the time that the
/// questions take. The last answer is the result.
fn patiently<T, E: Error>(
    delay: &mut impl DelayNs,
    limit_ms: u32,
    mut ask: impl FnMut() -> Result<T, SensorError<E>>,
) -> Result<T, SensorError<E>> {
    let mut waited = 0;
    loop {
        match ask() {
            Err(error) if error.may_pass() && waited < limit_ms => {}
            answer => return answer,
        }
        delay.delay_ms(STEP_MS);
        waited += STEP_MS;
    }
}
