//! The parts of the chip and its board that are registers: clock, watchdog, LEDs. QEMU's
//! mps2-an386, -an500 and -an505.

use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use cortex_m::peripheral::scb::SystemHandler;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{Peripherals, SCB};
use edge_core::ports;

const CYCLES_A_MS: u32 = if cfg!(feature = "an505") { 20_000 } else { 25_000 };
/// CMSDK's APB watchdog. That of the an505 is the secure one.
const WATCHDOG: usize = if cfg!(feature = "an505") { 0x5008_1000 } else { 0x4000_8000 };
/// Register CFG1 of the board's system controller: its eight LEDs, a bit each.
const LEDS: usize = if cfg!(feature = "an505") { 0x5030_0004 } else { 0x4002_F004 };

/// The watchdog's registers, from [`WATCHDOG`].
mod register {
    pub const LOAD: usize = 0x000;
    pub const CONTROL: usize = 0x008;
    pub const CLEAR: usize = 0x00C;
    pub const LOCK: usize = 0xC00;
}

const UNLOCK: u32 = 0x1ACC_E551;
/// The watchdog interrupts at the end of its first period, and resets the chip at the end of the
/// second.
const INTERRUPT_AND_RESET: u32 = 0b11;
/// Longer than any turn of the loop: a frame that comes in slowly (three seconds) and is judged
/// (below one).
pub const WATCHDOG_MS: u32 = 5000;

/// Milliseconds since the start, and how often they went round.
static MILLIS: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];

fn write(address: usize, value: u32) {
    // SAFETY: the callers name registers of this board, at a multiple of 4.
    unsafe { ptr::write_volatile(ptr::with_exposed_provenance_mut::<u32>(address), value) }
}

fn read(address: usize) -> u32 {
    // SAFETY: as in `write`.
    unsafe { ptr::read_volatile(ptr::with_exposed_provenance::<u32>(address)) }
}

pub fn start() {
    if let Some(Peripherals { mut SYST, mut SCB, .. }) = Peripherals::take() {
        // SAFETY: no section of the program counts on a priority.
        unsafe { SCB.set_priority(SystemHandler::PendSV, 0xFF) };
        SYST.set_clock_source(SystClkSource::Core);
        SYST.set_reload(CYCLES_A_MS - 1);
        SYST.clear_current();
        SYST.enable_counter();
        SYST.enable_interrupt();
    }
    write(WATCHDOG + register::LOCK, UNLOCK);
    write(WATCHDOG + register::LOAD, WATCHDOG_MS * CYCLES_A_MS);
    write(WATCHDOG + register::CONTROL, INTERRUPT_AND_RESET);
}

/// Counts a millisecond; returns how many there were, of which only the low word.
pub fn count_millisecond() -> u32 {
    let [low, high] = &MILLIS;
    if low.fetch_add(1, Relaxed) == u32::MAX {
        high.fetch_add(1, Relaxed);
    }
    low.load(Relaxed)
}

/// Hangs once the clock's interrupt is over.
pub fn hang() {
    SCB::set_pendsv();
}

/// Milliseconds since the start, by SysTick.
#[derive(Clone, Copy)]
pub struct Clock;

impl ports::Clock for Clock {
    fn now_ms(&self) -> u64 {
        let [low, high] = &MILLIS;
        loop {
            let before = high.load(Relaxed);
            let millis = low.load(Relaxed);
            if high.load(Relaxed) == before {
                return u64::from(before) << 32 | u64::from(millis);
            }
        }
    }
}

pub struct Watchdog;

impl ports::Watchdog for Watchdog {
    fn feed(&mut self) {
        write(WATCHDOG + register::CLEAR, 1);
    }
}

/// Lights the LED of that number or puts it out; says whether it is so now.
pub fn set_led(number: u32, lit: bool) -> bool {
    let bit = 1 << number;
    let others = read(LEDS) & !bit;
    let wanted = if lit { others | bit } else { others };
    write(LEDS, wanted);
    read(LEDS) == wanted
}
