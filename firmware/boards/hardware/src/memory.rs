//! The arena: one for the whole device, in the region that `layout.x` keeps for it.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::slice;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use firmware::boot::ARENA_BYTES;

#[repr(align(32))]
struct Bulk(UnsafeCell<MaybeUninit<[u8; ARENA_BYTES]>>);

// SAFETY: `arena` hands it out once.
unsafe impl Sync for Bulk {}

#[unsafe(link_section = ".bulk.arena")]
static ARENA: Bulk = Bulk(UnsafeCell::new(MaybeUninit::uninit()));

/// The arena, set to zero. The second call gets none of it.
pub fn arena() -> &'static mut [u8] {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Relaxed) {
        return &mut [];
    }
    let start = ARENA.0.get().cast::<u8>();
    // SAFETY: the memory is the static's, `ARENA_BYTES` bytes, set here before it is read, and
    // nobody else has it.
    unsafe {
        start.write_bytes(0, ARENA_BYTES);
        slice::from_raw_parts_mut(start, ARENA_BYTES)
    }
}
