//! The state machines: loaded once, armed for each frame, stopped after it.

use crate::instruction::jump_always;
use crate::program::{D0, HREF, PROGRAM, SHORT_ROW, START, WRAP};
use crate::registers::{Register, Registers};

const ENABLE: u32 = 0b11;
const RESTART: u32 = 0b11 << 4;
const RXSTALL: u32 = 1 << 0;
const ALL_OF_FDEBUG: u32 = 0x0F0F_0F0F;
const ALL_FLAGS: u32 = 0xFF;

/// The chip's clock, undivided.
const CLKDIV: u32 = 1 << 16;
/// A word at each 32 bits (threshold 0), by itself, the first byte lowest. Neither queue is joined
/// to the other: a receive queue with the places of both has no transmit queue any more, and the
/// program would wait for its row's length for ever.
const SHIFTCTRL: u32 = 1 << 18 | 1 << 16;
const JOIN_RX: u32 = 1 << 31;
const PINCTRL: u32 = (D0 as u32) << 15;

/// State machines 0 and 1 of a PIO block.
pub struct StateMachines<R> {
    registers: R,
}

impl<R: Registers> StateMachines<R> {
    /// Loads the programs and says how they are run. Nothing runs yet.
    pub fn load(mut registers: R) -> Self {
        registers.write(Register::CTRL, 0);
        registers.write(Register::GPIOBASE, 0);
        for (address, word) in PROGRAM.iter().enumerate() {
            registers.write(Register::instruction(address as u8), u32::from(*word));
        }
        for (machine, wrap) in WRAP.iter().enumerate() {
            let execctrl = u32::from(HREF) << 24 | u32::from(wrap.top) << 12 | u32::from(wrap.bottom) << 7;
            registers.write(Register::CLKDIV[machine], CLKDIV);
            registers.write(Register::EXECCTRL[machine], execctrl);
            registers.write(Register::PINCTRL[machine], PINCTRL);
        }
        Self { registers }
    }

    /// From here on they wait for a frame's beginning, then take rows of `bytes`. Nothing of an
    /// earlier frame is left: neither words, nor flags that stay until they are cleared.
    pub fn arm(&mut self, bytes: u16) {
        let Self { registers } = self;
        registers.write(Register::CTRL, RESTART);
        // Any change of the join empties both queues.
        registers.write(Register::SHIFTCTRL[0], SHIFTCTRL | JOIN_RX);
        registers.write(Register::SHIFTCTRL[0], SHIFTCTRL);
        registers.write(Register::FDEBUG, ALL_OF_FDEBUG);
        registers.write(Register::IRQ, ALL_FLAGS);
        for (register, start) in Register::INSTR.into_iter().zip(START) {
            registers.write(register, u32::from(jump_always(start)));
        }
        registers.write(Register::TXF0, u32::from(bytes) - 1);
        registers.write(Register::CTRL, ENABLE);
    }

    /// They take nothing any more.
    pub fn stop(&mut self) {
        self.registers.write(Register::CTRL, 0);
    }

    /// Whether a word found no place since they were armed: a byte may be missing.
    pub fn overran(&mut self) -> bool {
        self.registers.read(Register::FDEBUG) & RXSTALL != 0
    }

    /// Whether a row ended before its last byte since they were armed.
    pub fn had_short_row(&mut self) -> bool {
        self.registers.read(Register::IRQ) & 1 << SHORT_ROW != 0
    }
}
