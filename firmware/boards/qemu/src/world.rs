//! What is outside of the chip and knows nothing of its resets: where the script is, what it has
//! broken, the camera's counter.
//!
//! All of it lies in memory that is zero at power on and that no start clears.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use edge_core::pipeline::Stage;
use edge_core::ports;
use edge_core::signal::Lamp;

#[derive(Clone, Copy)]
pub enum Trap {
    Hang,
    Panic,
    /// It does what the processor cannot.
    HardFault,
}

pub struct World {
    /// Where the script's current line begins.
    pub position: AtomicU32,
    /// Frames of that line that have begun.
    pub begun: AtomicU32,
    /// Number of the camera's last frame.
    pub sequence: AtomicU32,
    /// A bit for each lamp's line that is broken.
    broken: AtomicU32,
    /// Whether the log's reader takes nothing.
    pub deaf: AtomicU32,
    pub pressed: AtomicU32,
    /// The trap that is set: its kind, and the stage's code above bit 16; 0 for none.
    trap: AtomicU32,
}

#[unsafe(link_section = ".world")]
pub static WORLD: World = World {
    position: AtomicU32::new(0),
    begun: AtomicU32::new(0),
    sequence: AtomicU32::new(0),
    broken: AtomicU32::new(0),
    deaf: AtomicU32::new(0),
    pressed: AtomicU32::new(0),
    trap: AtomicU32::new(0),
};

pub fn set_broken(which: Lamp, broken: bool) {
    let bit = 1 << which as u32;
    if broken {
        WORLD.broken.fetch_or(bit, Relaxed)
    } else {
        WORLD.broken.fetch_and(!bit, Relaxed)
    };
}

pub fn is_broken(which: Lamp) -> bool {
    WORLD.broken.load(Relaxed) & 1 << which as u32 != 0
}

pub fn set_trap(trap: Trap, stage: Stage) {
    let kind = match trap {
        Trap::Hang => 1,
        Trap::Panic => 2,
        Trap::HardFault => 3,
    };
    WORLD.trap.store(kind | u32::from(stage.code()) << 16, Relaxed);
}

/// The trap that is set for the stage of that code; it is not set any more.
pub fn take_trap(stage: u32) -> Option<Trap> {
    let set = WORLD.trap.load(Relaxed);
    if set == 0 || set >> 16 != stage {
        return None;
    }
    WORLD.trap.store(0, Relaxed);
    match set & 0xFFFF {
        1 => Some(Trap::Hang),
        2 => Some(Trap::Panic),
        _ => Some(Trap::HardFault),
    }
}

pub struct Button;

impl ports::Button for Button {
    fn is_closed(&mut self) -> bool {
        WORLD.pressed.load(Relaxed) != 0
    }
}
