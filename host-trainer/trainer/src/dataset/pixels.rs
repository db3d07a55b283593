//! Pixels that are in memory, or in a file that is mapped into it.

use memmap2::Mmap;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Grey pixels, rows from the top: in memory, or in a mapped file. Both read as a slice.
#[derive(Clone)]
pub struct Pixels(Place);

#[derive(Clone)]
enum Place {
    Memory(Vec<u8>),
    Mapped(Arc<Mmap>, Range<usize>),
}

impl Deref for Pixels {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::Memory(bytes) => bytes,
            Place::Mapped(map, range) => map.get(range.clone()).unwrap_or_default(),
        }
    }
}

impl From<Vec<u8>> for Pixels {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Place::Memory(bytes))
    }
}

impl From<Pixels> for Vec<u8> {
    fn from(pixels: Pixels) -> Self {
        match pixels.0 {
            Place::Memory(bytes) => bytes,
            Place::Mapped(..) => pixels.to_vec(),
        }
    }
}

impl fmt::Debug for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.is_mapped() { "mapped" } else { "in memory" };
        write!(f, "Pixels({} bytes, {place})", self.len())
    }
}

impl PartialEq for Pixels {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Pixels {}

impl Pixels {
    /// A part of a map; none of it where it lies outside.
    pub(super) fn mapped(map: Arc<Mmap>, range: Range<usize>) -> Self {
        Self(Place::Mapped(map, range))
    }

    /// Whether they lie in a file, and take memory only where there is some to spare.
    pub fn is_mapped(&self) -> bool {
        matches!(self.0, Place::Mapped(..))
    }
}
