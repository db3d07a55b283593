//! Pixels that are in memory, or in a file that is mapped into it.

use crate::progress;
use memmap2::Mmap;
use rayon::prelude::*;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

/// So many pictures are in memory at once while they are written to a file.
const AT_ONCE: usize = 256;

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

/// What `make` gives for each item, made on all cores under a progress bar, in the items' order. With a
/// folder the pixels lie in a file there that has no name and goes with the last of them, so that they
/// take no memory however many they are; without one they are in memory.
///
/// # Errors
/// The file cannot be made, written or mapped.
pub fn keep<T: Sync>(
    what: &str,
    items: &[T],
    folder: Option<&Path>,
    make: impl Fn(&T) -> Pixels + Sync,
) -> io::Result<Vec<Pixels>> {
    let Some(folder) = folder else { return Ok(progress::map(what, items, make)) };
    let mut file = tempfile::tempfile_in(folder)?;
    let bar = progress::bar(what, items.len());
    let (mut places, mut end) = (Vec::with_capacity(items.len()), 0);
    for chunk in items.chunks(AT_ONCE) {
        let made: Vec<Pixels> = chunk.par_iter().map(&make).collect();
        for pixels in made {
            file.write_all(&pixels)?;
            places.push(end..end + pixels.len());
            end += pixels.len();
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let map = map(&file)?;
    Ok(places.into_iter().map(|place| Pixels::mapped(Arc::clone(&map), place)).collect())
}

/// The file as memory, to be read. Of `file` no byte that is looked at may change or be cut off while the
/// map lasts, as is so of the two kinds that this program maps.
pub(super) fn map(file: &File) -> io::Result<Arc<Mmap>> {
    // SAFETY: a file without a name is this process's alone, and written before it is mapped. Of the
    // store's, a slice of the map is given out only for a record that has been written whole, and none is
    // written twice: this process counts them, and others of this program add behind the file's end while
    // they hold its lock. Its mode, 0600, keeps it from anybody else as far as can be done.
    #[expect(unsafe_code, reason = "mapped memory is the way to more pictures than there is memory")]
    Ok(Arc::new(unsafe { Mmap::map(file)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_in_a_file_is_what_was_made_and_leaves_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let items: Vec<usize> = (0..2 * AT_ONCE + 3).collect();
        // Of different lengths, and an empty one.
        let make = |&i: &usize| Pixels::from(vec![(i % 251) as u8; i % 17]);
        let in_memory = keep("", &items, None, make).unwrap();
        let in_file = keep("", &items, Some(folder.path()), make).unwrap();
        assert_eq!(in_file, in_memory);
        assert_eq!(in_file.len(), items.len());
        assert!(in_file.iter().all(Pixels::is_mapped) && !in_memory.iter().any(Pixels::is_mapped));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(keep("", &[0usize; 0], Some(folder.path()), make).unwrap().is_empty());
        assert!(keep("", &items, Some(&folder.path().join("absent")), make).is_err());
    }
}
