//! Sizes in bytes, computed so that none can wrap: a size that wraps on a machine of 32 bits would
//! let slices pass that are shorter than what unsafe code reads.

/// Greatest size in bytes of anything that an operator reads or writes: what one slice can hold on
/// a machine of 32 bits.
pub const MAX_BYTES: usize = i32::MAX as usize;

/// The product; none above [`MAX_BYTES`], on machines of 32 and of 64 bits alike.
pub(crate) fn product(factors: &[usize]) -> Option<usize> {
    let bytes = factors.iter().try_fold(1u64, |bytes, &factor| {
        let factor = u64::try_from(factor).ok()?;
        bytes.checked_mul(factor).filter(|&bytes| bytes <= MAX_BYTES as u64)
    })?;
    usize::try_from(bytes).ok()
}

/// The sum; none above [`MAX_BYTES`].
pub(crate) fn sum(a: usize, b: usize) -> Option<usize> {
    a.checked_add(b).filter(|&bytes| bytes <= MAX_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wraps_on_32_bits_is_no_size() {
        assert_eq!(product(&[26_215, 32_768, 5]), None, "98,304 modulo 2^32");
        assert_eq!(product(&[65_536, 65_536]), None, "0 modulo 2^32");
        assert_eq!(product(&[usize::MAX, usize::MAX]), None);
        assert_eq!(product(&[32_768, 65_535]), Some(32_768 * 65_535));
        assert_eq!(product(&[7, 0]), Some(0));
        assert_eq!(sum(MAX_BYTES, 0), Some(MAX_BYTES));
        assert_eq!(sum(MAX_BYTES, 1), None);
        assert_eq!(sum(usize::MAX, 1), None);
    }
}
