//! The state machine's instructions as the words that it reads: RP2350 data sheet, section 11.4.
//! Only what the program has; none of them waits or sets a side pin.

/// How far a jump goes.
#[derive(Clone, Copy)]
pub enum If {
    /// Where X is not zero; then X is one less.
    XThenLess = 0b010,
    /// Where the pin of EXECCTRL is high.
    Pin = 0b110,
}

/// `jmp CONDITION, ADDRESS`.
pub const fn jump(condition: If, address: u8) -> u16 {
    (condition as u16) << 5 | address as u16 & 0x1F
}

/// `jmp ADDRESS`: always.
pub const fn jump_always(address: u8) -> u16 {
    address as u16 & 0x1F
}

/// `wait LEVEL gpio NUMBER`.
pub const fn wait(high: bool, gpio: u8) -> u16 {
    0b001 << 13 | (high as u16) << 7 | gpio as u16 & 0x1F
}

/// `in pins, BITS`.
pub const fn in_pins(bits: u8) -> u16 {
    0b010 << 13 | bits as u16 & 0x1F
}

/// `pull block`.
pub const PULL: u16 = 0b100 << 13 | 1 << 7 | 1 << 5;

/// `mov y, osr`.
pub const Y_IS_OSR: u16 = 0b101 << 13 | 0b010 << 5 | 0b111;

/// `mov x, y`.
pub const X_IS_Y: u16 = 0b101 << 13 | 0b001 << 5 | 0b010;

/// `irq set NUMBER`.
pub const fn set_flag(number: u8) -> u16 {
    0b110 << 13 | number as u16 & 0x7
}

/// `irq clear NUMBER`.
pub const fn clear_flag(number: u8) -> u16 {
    0b110 << 13 | 1 << 6 | number as u16 & 0x7
}

/// `wait 0 irq NUMBER`: until the flag is down.
pub const fn wait_for_no_flag(number: u8) -> u16 {
    0b001 << 13 | 0b10 << 5 | number as u16 & 0x7
}
