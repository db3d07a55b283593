//! Where a packed model is written to.

use super::format::ALIGNMENT;

/// Output that counts on where there is no room: a pass over nothing tells the length.
pub(super) struct Out<'a> {
    pub bytes: &'a mut [u8],
    /// Where the next section may begin.
    pub at: usize,
}

impl Out<'_> {
    pub fn put(&mut self, at: usize, what: &[u8]) {
        if let Some(to) = self.bytes.get_mut(at..at + what.len()) {
            to.copy_from_slice(what);
        }
    }

    /// The next section of that length; returns where it begins.
    pub fn section(&mut self, length: usize) -> usize {
        let at = self.at.next_multiple_of(ALIGNMENT);
        self.at = at + length;
        at
    }

    pub fn numbers<const N: usize>(&mut self, from: usize, numbers: impl Iterator<Item = [u8; N]>) {
        for (index, number) in numbers.enumerate() {
            self.put(from + index * N, &number);
        }
    }
}

pub(super) fn u32_of(n: usize) -> [u8; 4] {
    (n as u32).to_le_bytes()
}
