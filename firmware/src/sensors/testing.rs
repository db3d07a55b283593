//! A bus with one chip on it that answers late, not at all, or holds the clock line down; and what
//! every driver of a camera must make of that.

use super::{POWER_ON_MS, RESET_MS, SensorError};
use core::cell::Cell;
use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use std::collections::BTreeMap;
use std::format;
use std::rc::Rc;
use std::string::String;
use std::vec::Vec;

/// How long a board's I2C driver waits for a clock line that is held down, in milliseconds.
const HELD_MS: u64 = 1000;

/// What the chip does on the bus, from a moment on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Manner {
    /// Acknowledges nothing for so many milliseconds, then answers.
    After(u64),
    /// Acknowledges nothing, for ever.
    Absent,
    /// Holds the clock line down: the driver gives up by its own limit.
    HoldsClock,
}

/// Time that passes at once.
#[derive(Clone, Default)]
pub struct Time(Rc<Cell<u64>>);

impl Time {
    pub fn ms(&self) -> u64 {
        self.0.get() / 1_000_000
    }
}

impl DelayNs for Time {
    fn delay_ns(&mut self, ns: u32) {
        self.0.set(self.0.get() + u64::from(ns));
    }
}

/// A chip with registers, at an address: `WIDTH` bytes name a register.
pub struct Chip<const WIDTH: usize> {
    pub address: u8,
    pub registers: BTreeMap<u16, u8>,
    pub writes: Vec<(u16, u8)>,
    /// The write that resets it.
    pub reset: (u16, u8),
    /// From power on, and from its reset on.
    pub manners: [Manner; 2],
    pub time: Time,
    /// What it does now, and since when.
    now: (Manner, u64),
    at: u16,
}

impl<const WIDTH: usize> Chip<WIDTH> {
    /// One that was powered at time zero.
    pub fn new(address: u8, reset: (u16, u8), manners: [Manner; 2]) -> Self {
        Self {
            address,
            registers: BTreeMap::new(),
            writes: Vec::new(),
            reset,
            manners,
            time: Time::default(),
            now: (manners[0], 0),
            at: 0,
        }
    }

    /// What was written last to a register.
    pub fn last(&self, register: u16) -> Option<u8> {
        self.writes.iter().rev().find(|(at, _)| *at == register).map(|(_, value)| *value)
    }

    fn select(&mut self) -> Result<(), ErrorKind> {
        let (manner, since) = self.now;
        match manner {
            Manner::After(ms) if self.time.ms() >= since + ms => Ok(()),
            Manner::After(_) | Manner::Absent => Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address)),
            Manner::HoldsClock => {
                self.time.delay_ms(HELD_MS as u32);
                Err(ErrorKind::Other)
            }
        }
    }
}

impl<const WIDTH: usize> ErrorType for Chip<WIDTH> {
    type Error = ErrorKind;
}

impl<const WIDTH: usize> I2c for Chip<WIDTH> {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        if address != self.address {
            return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address));
        }
        self.select()?;
        for operation in operations {
            match operation {
                Operation::Write(bytes) => {
                    let (register, values) = bytes.split_at(WIDTH);
                    self.at = register.iter().fold(0, |at, byte| at << 8 | u16::from(*byte));
                    for value in values {
                        self.writes.push((self.at, *value));
                        if (self.at, *value) == self.reset {
                            self.now = (self.manners[1], self.time.ms());
                        }
                        self.at += 1;
                    }
                }
                Operation::Read(bytes) => {
                    for byte in bytes.iter_mut() {
                        *byte = self.registers.get(&self.at).copied().unwrap_or(0);
                        self.at += 1;
                    }
                }
            }
        }
        Ok(())
    }
}

/// What is wrong with a driver's `configure`: its camera, as `chip` makes it, is tried in every
/// manner from power on and from its reset on.
pub fn complaints<const WIDTH: usize>(
    chip: impl Fn([Manner; 2]) -> Chip<WIDTH>,
    configure: impl Fn(&mut Chip<WIDTH>, &mut Time) -> Result<(), SensorError<ErrorKind>>,
) -> Vec<String> {
    use Manner::{Absent, After, HoldsClock};
    let manners = [After(0), After(5), After(50), After(90), After(900), Absent, HoldsClock];
    let absent = SensorError::Bus(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address));
    let expected = |limit: u32, manner| match manner {
        After(ms) if ms <= u64::from(limit) => Ok(()),
        After(_) | Absent => Err(absent),
        HoldsClock => Err(SensorError::Bus(ErrorKind::Other)),
    };
    let mut found = Vec::new();
    for (power_on, reset) in manners.iter().flat_map(|first| manners.map(|then| (*first, then))) {
        let mut chip = chip([power_on, reset]);
        let mut time = chip.time.clone();
        let got = configure(&mut chip, &mut time);
        let expected = expected(POWER_ON_MS, power_on).and(expected(RESET_MS, reset));
        let case = format!("{power_on:?} at power on, {reset:?} after the reset");
        if got != expected {
            found.push(format!("{case}: expected {expected:?}, got {got:?}"));
        }
        // Both waits, one of a line that is held, and some more for pauses between.
        if time.ms() > u64::from(POWER_ON_MS + RESET_MS) + HELD_MS + 100 {
            found.push(format!("{case}: took {} ms", time.ms()));
        }
    }
    found
}

/// Where the writes of a driver differ from a table of (register, value, source): a register that
/// is in one of them alone, or has another value at the end.
pub fn differences(writes: &[(u16, u8)], table: &[(u16, u8, &str)]) -> Vec<String> {
    let written: BTreeMap<u16, u8> = writes.iter().copied().collect();
    let listed: BTreeMap<u16, u8> = table.iter().map(|(register, value, _)| (*register, *value)).collect();
    let registers = written.keys().chain(listed.keys()).collect::<std::collections::BTreeSet<_>>();
    let differ = registers.into_iter().filter(|register| written.get(register) != listed.get(register));
    let line = |register: &u16| {
        let (got, expected) = (written.get(register), listed.get(register));
        format!("{register:#06x}: expected {expected:02x?}, got {got:02x?}")
    };
    differ.map(line).collect()
}
