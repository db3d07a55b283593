//! A PIO block's registers, as far as the camera's two state machines have to do with them: RP2350
//! data sheet, section 11.7. The block is the camera's alone.

/// A register by its offset from the block's beginning, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Register(u16);

impl Register {
    /// Bits 0 and 1 run machines 0 and 1; bits 4 and 5 set their shift counters, stalls and latched
    /// instructions back.
    pub const CTRL: Self = Self(0x000);
    /// Sticky, written with ones to clear: bit 0, machine 0 stalled on a full receive queue.
    pub const FDEBUG: Self = Self(0x008);
    /// Where machine 0's transmit queue is filled.
    pub const TXF0: Self = Self(0x010);
    /// Where its receive queue is emptied.
    pub const RXF0: Self = Self(0x020);
    /// The eight flags of the block, written with ones to clear.
    pub const IRQ: Self = Self(0x030);
    /// Of machines 0 and 1: whole and fractional part of the clock's divider.
    pub const CLKDIV: [Self; 2] = [Self(0x0C8), Self(0x0E0)];
    /// Where the program wraps, and which pin a jump looks at.
    pub const EXECCTRL: [Self; 2] = [Self(0x0CC), Self(0x0E4)];
    /// How words are made of what is shifted in, and whether one queue has the other's places.
    pub const SHIFTCTRL: [Self; 2] = [Self(0x0D0), Self(0x0E8)];
    /// Written with an instruction, runs it at once.
    pub const INSTR: [Self; 2] = [Self(0x0D8), Self(0x0F0)];
    /// Which pins `in` takes.
    pub const PINCTRL: [Self; 2] = [Self(0x0DC), Self(0x0F4)];
    /// Which of the chip's lines the block calls 0.
    pub const GPIOBASE: Self = Self(0x168);

    /// A place of the program, of which there are 32.
    pub const fn instruction(address: u8) -> Self {
        Self(0x048 + 4 * (address as u16 & 0x1F))
    }

    /// Bytes from the block's beginning; a multiple of 4.
    pub const fn offset(self) -> usize {
        self.0 as usize
    }
}

/// A way to a block's registers: on a chip a read or write of its address, in tests a model.
pub trait Registers {
    /// What the register holds.
    fn read(&mut self, register: Register) -> u32;
    /// Writes all 32 bits.
    fn write(&mut self, register: Register, value: u32);
}
