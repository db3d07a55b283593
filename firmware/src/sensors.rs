//! Cameras as they are spoken to: which chip it is, and the registers that make it send what the
//! device wants. Over embedded-hal's I2C, so that a board chooses the bus and the host tests the
//! words on it.

pub mod hm01b0;
pub mod ov7725;

use core::fmt;

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
    /// It does not come out of its reset.
    Reset,
}

impl<E> From<E> for SensorError<E> {
    fn from(error: E) -> Self {
        Self::Bus(error)
    }
}

impl<E: fmt::Debug> fmt::Display for SensorError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bus(error) => {
                write!(f, "the camera does not answer ({error:?}): check its clock, supply and both lines")
            }
            Self::Identity { expected, got } => {
                write!(
                    f,
                    "the camera says it is {got:#06x}, expected {expected:#06x}: another chip is fitted"
                )
            }
            Self::Reset => {
                f.write_str("the camera does not come out of its reset: check its clock and supply")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use embedded_hal::delay::DelayNs;
    use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
    use std::vec::Vec;

    /// A chip with registers, at an address: `WIDTH` bytes name a register.
    pub struct Chip<const WIDTH: usize> {
        pub address: u8,
        pub registers: [u8; 0x4000],
        pub writes: Vec<(u16, u8)>,
        pub at: u16,
    }

    impl<const WIDTH: usize> Chip<WIDTH> {
        pub fn new(address: u8) -> Self {
            Self { address, registers: [0; 0x4000], writes: Vec::new(), at: 0 }
        }

        pub fn last(&self, register: u16) -> Option<u8> {
            self.writes.iter().rev().find(|(at, _)| *at == register).map(|(_, value)| *value)
        }
    }

    impl<const WIDTH: usize> ErrorType for Chip<WIDTH> {
        type Error = ErrorKind;
    }

    impl<const WIDTH: usize> I2c for Chip<WIDTH> {
        fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
            if address != self.address {
                return Err(ErrorKind::NoAcknowledge(embedded_hal::i2c::NoAcknowledgeSource::Address));
            }
            for operation in operations {
                match operation {
                    Operation::Write(bytes) => {
                        let (register, values) = bytes.split_at(WIDTH);
                        self.at = register.iter().fold(0, |at, byte| at << 8 | u16::from(*byte));
                        for value in values {
                            self.writes.push((self.at, *value));
                            self.at += 1;
                        }
                    }
                    Operation::Read(bytes) => {
                        for byte in bytes.iter_mut() {
                            *byte = self.registers[usize::from(self.at)];
                            self.at += 1;
                        }
                    }
                }
            }
            Ok(())
        }
    }

    /// Time that passes at once, and is summed up.
    #[derive(Default)]
    pub struct Waited(pub u64);

    impl DelayNs for Waited {
        fn delay_ns(&mut self, ns: u32) {
            self.0 += u64::from(ns);
        }
    }
}
