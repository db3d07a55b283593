//! SEGGER's real-time transfer: a ring in memory that a debug probe reads while the program runs.
//! Only up, one channel, for defmt.
//!
//! It never waits. A probe may ask for a channel that blocks, and probe-rs does; that wish is not
//! looked at, because a device whose probe was unplugged would stand still. A message that finds no
//! room is refused whole.

use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

/// Bytes of the ring: some thirty lines of the log.
const RING: usize = 2048;

/// The form is SEGGER's: a probe finds the block by the symbol, or by its first bytes.
#[repr(C)]
struct Block {
    id: UnsafeCell<[u8; 16]>,
    up_channels: u32,
    down_channels: u32,
    up: Channel,
}

#[repr(C)]
struct Channel {
    name: *const u8,
    ring: *const UnsafeCell<[u8; RING]>,
    size: u32,
    write: AtomicU32,
    read: AtomicU32,
    /// The wish of whoever reads: not looked at.
    flags: AtomicU32,
}

// SAFETY: the pointers are to statics. `write` changes in `send` alone, which the logger never
// enters twice at a time; `read` is the probe's; the ring's bytes between the two are nobody's
// until `write` has moved over them.
unsafe impl Sync for Block {}

struct Ring(UnsafeCell<[u8; RING]>);

// SAFETY: as for `Block`.
unsafe impl Sync for Ring {}

static RING_BYTES: Ring = Ring(UnsafeCell::new([0; RING]));

#[unsafe(no_mangle)]
static _SEGGER_RTT: Block = Block {
    id: UnsafeCell::new(*b"SEGGER RTT\0\0\0\0\0\0"),
    up_channels: 1,
    down_channels: 0,
    up: Channel {
        // By this name probe-rs knows that the bytes are defmt's.
        name: c"defmt".as_ptr().cast(),
        ring: &raw const RING_BYTES.0,
        size: RING as u32,
        write: AtomicU32::new(0),
        read: AtomicU32::new(0),
        flags: AtomicU32::new(0),
    },
};

/// Takes a whole message, or none of it and says so. Not to be entered while it runs: the logger
/// sees to that.
pub fn send(message: &[u8]) -> bool {
    let channel = &_SEGGER_RTT.up;
    let write = channel.write.load(Ordering::Relaxed) as usize;
    let read = channel.read.load(Ordering::Acquire) as usize;
    // Both are a probe's to spoil.
    if write >= RING || read >= RING {
        return false;
    }
    // One byte stays free: else a full ring would look empty.
    let room = (read + RING - write - 1) % RING;
    if message.len() > room {
        return false;
    }
    let start = RING_BYTES.0.get().cast::<u8>();
    let first = message.len().min(RING - write);
    // SAFETY: `first` bytes fit from `write` on, the rest from the start, as `room` says; the probe
    // reads none of them until `write` has moved over them.
    unsafe {
        ptr::copy_nonoverlapping(message.as_ptr(), start.add(write), first);
        ptr::copy_nonoverlapping(message.as_ptr().add(first), start, message.len() - first);
    }
    channel.write.store(((write + message.len()) % RING) as u32, Ordering::Release);
    true
}
