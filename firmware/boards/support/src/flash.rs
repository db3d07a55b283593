//! Flash as it is mapped.

use core::ops::Range;
use core::{ptr, slice};

/// The bytes at a range of addresses.
///
/// # Safety
/// They can be read, and nobody writes them while the program runs.
pub unsafe fn mapped(range: Range<u32>) -> &'static [u8] {
    // SAFETY: the caller's.
    unsafe { slice::from_raw_parts(ptr::with_exposed_provenance(range.start as usize), range.len()) }
}
