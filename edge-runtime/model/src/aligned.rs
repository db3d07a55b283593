//! Bytes at an address that packed models and arenas must have, and at the beginning of a cache line,
//! where kernels with long registers read one line at a time and not two halves.

use edge_core::packed::ADDRESS_ALIGNMENT;

const _: () = assert!(LINE.is_multiple_of(ADDRESS_ALIGNMENT) && align_of::<u64>() == WORD);

const WORD: usize = size_of::<u64>();
/// Bytes of a cache line, and of the longest register.
const LINE: usize = 64;

/// Bytes whose first lies at the beginning of a cache line, so at a multiple of
/// [`ADDRESS_ALIGNMENT`].
#[derive(Debug)]
pub struct AlignedBytes {
    words: Vec<u64>,
    /// Words before the first byte.
    before: usize,
    length: usize,
}

impl AlignedBytes {
    /// `length` zero bytes.
    pub fn zeroed(length: usize) -> Self {
        let words = vec![0; length.div_ceil(WORD) + LINE / WORD - 1];
        let address = words.as_ptr().addr();
        Self { before: (address.next_multiple_of(LINE) - address) / WORD, words, length }
    }

    /// The same bytes at such an address.
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut aligned = Self::zeroed(bytes.len());
        aligned.as_mut().copy_from_slice(bytes);
        aligned
    }
}

/// The copy has another address, so its bytes begin elsewhere in its words.
impl Clone for AlignedBytes {
    fn clone(&self) -> Self {
        Self::copy_of(self.as_ref())
    }
}

impl AsRef<[u8]> for AlignedBytes {
    fn as_ref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words[self.before..])[..self.length]
    }
}

impl AsMut<[u8]> for AlignedBytes {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words[self.before..])[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_and_aligned() {
        for length in [0, 1, 7, 8, 9, 1000] {
            let bytes: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let aligned = AlignedBytes::copy_of(&bytes);
            for mut aligned in [aligned.clone(), aligned] {
                assert_eq!(aligned.as_ref(), bytes);
                assert_eq!(aligned.as_mut(), bytes);
                assert!(aligned.as_ref().as_ptr().addr().is_multiple_of(LINE));
            }
        }
    }
}
