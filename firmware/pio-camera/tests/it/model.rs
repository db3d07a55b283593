//! A model of an RP2350's PIO block, as far as two state machines and their programs go: RP2350
//! data sheet, sections 11.2 to 11.7. What the programs do not use stops the test.

use std::collections::VecDeque;

use pio_camera::Register;

const RXSTALL: u32 = 1 << 0;
const TXOVER: u32 = 1 << 16;
const TXSTALL: u32 = 1 << 24;
const JOIN_RX: u32 = 1 << 31;
const JOIN_TX: u32 = 1 << 30;
const AUTOPUSH: u32 = 1 << 16;
const SHIFT_RIGHT: u32 = 1 << 18;

/// Places of a queue that is not joined.
const PLACES: usize = 4;

#[derive(Default)]
pub struct Pio {
    machines: [Machine; 2],
    block: Block,
}

/// What the machines share.
#[derive(Default)]
struct Block {
    program: [u16; 32],
    fdebug: u32,
    flags: u32,
    /// Levels of the pins now, a cycle ago, and two ago: the synchronizers' two flip-flops.
    pins: [u32; 3],
    /// The last cycle saw the same levels as the next one does.
    settled: bool,
}

#[derive(Default)]
struct Machine {
    execctrl: u32,
    shiftctrl: u32,
    pinctrl: u32,
    enabled: bool,
    tx: VecDeque<u32>,
    rx: VecDeque<u32>,
    pc: u8,
    x: u32,
    y: u32,
    osr: u32,
    isr: u32,
    isr_bits: u32,
    /// The instruction waited in the last cycle.
    stalled: bool,
}

impl Pio {
    pub fn set_pins(&mut self, levels: u32) {
        self.block.pins[0] = levels;
    }

    /// Whether DMA is asked to take a word.
    pub fn has_word(&self) -> bool {
        !self.machines[0].rx.is_empty()
    }

    pub fn read(&mut self, register: Register) -> u32 {
        match register {
            Register::FDEBUG => self.block.fdebug,
            Register::IRQ => self.block.flags,
            Register::RXF0 => {
                self.machines[0].stalled = false;
                self.machines[0].rx.pop_front().expect("read from an empty queue")
            }
            other => panic!("the driver has no reason to read {other:?}"),
        }
    }

    pub fn write(&mut self, register: Register, value: u32) {
        let of = |registers: [Register; 2]| registers.iter().position(|one| *one == register);
        match register {
            Register::CTRL => {
                for (bit, machine) in self.machines.iter_mut().enumerate() {
                    machine.enabled = value >> bit & 1 != 0;
                    if value >> (4 + bit) & 1 != 0 {
                        (machine.isr, machine.isr_bits, machine.stalled) = (0, 0, false);
                    }
                }
                assert_eq!(value & !0x33, 0, "bits of other machines");
            }
            Register::FDEBUG => self.block.fdebug &= !value,
            Register::IRQ => self.block.flags &= !value,
            Register::GPIOBASE => assert_eq!(value, 0, "the model has the first 32 lines"),
            Register::TXF0 => {
                let machine = &mut self.machines[0];
                machine.stalled = false;
                if machine.tx.len() < machine.tx_places() {
                    machine.tx.push_back(value);
                } else {
                    self.block.fdebug |= TXOVER;
                }
            }
            _ => {
                if let Some(machine) = of(Register::CLKDIV) {
                    assert_eq!(value, 1 << 16, "machine {machine}: the model runs at the chip's clock only");
                } else if let Some(machine) = of(Register::EXECCTRL) {
                    self.machines[machine].execctrl = value;
                } else if let Some(machine) = of(Register::SHIFTCTRL) {
                    self.machines[machine].set_shiftctrl(value);
                } else if let Some(machine) = of(Register::PINCTRL) {
                    self.machines[machine].pinctrl = value;
                } else if let Some(machine) = of(Register::INSTR) {
                    assert_eq!(value >> 5, 0, "the model runs jumps only that are always taken");
                    (self.machines[machine].pc, self.machines[machine].stalled) = (value as u8, false);
                } else {
                    let place = (0..32).find(|at| Register::instruction(*at) == register);
                    let place = place.unwrap_or_else(|| panic!("no register to write: {register:?}"));
                    self.block.program[usize::from(place)] = value as u16;
                }
            }
        }
    }

    /// Whether nothing changes until a pin or a queue does.
    pub fn rests(&self) -> bool {
        let Block { settled, pins, .. } = self.block;
        settled
            && pins[0] == pins[1]
            && self.machines.iter().all(|machine| machine.stalled || !machine.enabled)
    }

    /// A cycle of the chip's clock.
    pub fn step(&mut self) {
        let flags = self.block.flags;
        for machine in &mut self.machines {
            machine.step(&mut self.block);
        }
        let pins = self.block.pins;
        let next = [pins[0], pins[0], pins[1]];
        // A flag that one machine raised is for the other what a pin is.
        self.block.settled = next == pins && self.block.flags == flags;
        self.block.pins = next;
    }
}

impl Block {
    fn level(&self, gpio: u32) -> bool {
        self.pins[2] >> gpio & 1 != 0
    }
}

impl Machine {
    fn set_shiftctrl(&mut self, value: u32) {
        if (self.shiftctrl ^ value) & (JOIN_RX | JOIN_TX) != 0 {
            self.tx.clear();
            self.rx.clear();
        }
        self.shiftctrl = value;
    }

    fn tx_places(&self) -> usize {
        match self.shiftctrl & (JOIN_RX | JOIN_TX) {
            0 => PLACES,
            JOIN_TX => 2 * PLACES,
            _ => 0,
        }
    }

    fn rx_places(&self) -> usize {
        match self.shiftctrl & (JOIN_RX | JOIN_TX) {
            0 => PLACES,
            JOIN_RX => 2 * PLACES,
            _ => 0,
        }
    }

    fn step(&mut self, block: &mut Block) {
        if !self.enabled {
            return;
        }
        let at = self.pc;
        self.stalled = !self.execute(block.program[usize::from(at)], block);
        if !self.stalled && self.pc == at {
            let wrap_top = (self.execctrl >> 12 & 0x1F) as u8;
            let wrap_bottom = (self.execctrl >> 7 & 0x1F) as u8;
            self.pc = if at == wrap_top { wrap_bottom } else { at + 1 };
        }
    }

    /// False where the instruction waits; it is tried again in the next cycle.
    fn execute(&mut self, word: u16, block: &mut Block) -> bool {
        let argument = u32::from(word & 0x1F);
        assert_eq!(word >> 8 & 0x1F, 0, "the model knows no delay and no side pin: {word:#06x}");
        match (word >> 13, word >> 5 & 0x7) {
            (0b000, condition) => {
                let taken = match condition {
                    0b000 => true,
                    0b010 => {
                        let taken = self.x != 0;
                        self.x = self.x.wrapping_sub(1);
                        taken
                    }
                    0b110 => block.level(self.execctrl >> 24 & 0x1F),
                    other => panic!("the model knows no jump if {other:#05b}"),
                };
                if taken {
                    assert_ne!(argument as u8, self.pc, "a jump to itself looks like none here");
                    self.pc = argument as u8;
                }
            }
            (0b001, 0b000) => return !block.level(argument),
            (0b001, 0b100) => return block.level(argument),
            (0b001, 0b010) => return block.flags >> argument & 1 == 0,
            (0b010, 0b000) => return self.shift_in(argument, block),
            (0b100, 0b101) => match self.tx.pop_front() {
                Some(word) => self.osr = word,
                None => {
                    block.fdebug |= TXSTALL;
                    return false;
                }
            },
            (0b101, destination) => {
                let value = match argument {
                    0b010 => self.y,
                    0b111 => self.osr,
                    other => panic!("the model moves nothing from {other:#05b}"),
                };
                match destination {
                    0b001 => self.x = value,
                    0b010 => self.y = value,
                    other => panic!("the model moves nothing to {other:#05b}"),
                }
            }
            (0b110, 0b000) => block.flags |= 1 << argument,
            (0b110, 0b010) => block.flags &= !(1 << argument),
            other => panic!("the model does not know {word:#06x} ({other:?})"),
        }
        true
    }

    fn shift_in(&mut self, bits: u32, block: &mut Block) -> bool {
        let threshold = match self.shiftctrl >> 20 & 0x1F {
            0 => 32,
            threshold => threshold,
        };
        // Waiting for a place, what was shifted in stays as it is.
        if self.isr_bits < threshold {
            let pins = block.pins[2].rotate_right(self.pinctrl >> 15 & 0x1F) & ((1 << bits) - 1);
            self.isr = if self.shiftctrl & SHIFT_RIGHT != 0 {
                self.isr >> bits | pins << (32 - bits)
            } else {
                self.isr << bits | pins
            };
            self.isr_bits = (self.isr_bits + bits).min(32);
        }
        if self.shiftctrl & AUTOPUSH == 0 || self.isr_bits < threshold {
            return true;
        }
        if self.rx.len() == self.rx_places() {
            block.fdebug |= RXSTALL;
            return false;
        }
        self.rx.push_back(self.isr);
        (self.isr, self.isr_bits) = (0, 0);
        true
    }
}
