//! Pixel Padding: stored values that are no part of the picture, such as what lies outside the
//! collimator or fills a round picture up to a rectangle (PS3.3 C.7.5.1.1.2).
//!
//! They pass through no lookup table, no window and no inversion: they are black, and no range is
//! taken from them.

use std::ops::RangeInclusive;

/// The stored values that are padding, by Pixel Padding Value (0028,0120) and Pixel Padding Range
/// Limit (0028,0121), both included, as the words that lie in the file. None where there is no such
/// value, or one that `bits` cannot store.
pub(super) fn padding(
    value: Option<u16>,
    limit: Option<u16>,
    bits: u16,
    signed: bool,
) -> Option<RangeInclusive<i32>> {
    let value = stored(value?, bits, signed)?;
    // In MONOCHROME1 the limit is the smaller of the two.
    let limit = limit.and_then(|limit| stored(limit, bits, signed)).unwrap_or(value);
    Some(value.min(limit)..=value.max(limit))
}

/// The stored value that a word of a tag means.
fn stored(word: u16, bits: u16, signed: bool) -> Option<i32> {
    let values = 1i32 << bits;
    if !signed {
        return Some(i32::from(word)).filter(|value| *value < values);
    }
    // Some writers leave out the bits above those stored, which of a negative number are ones.
    let meant = [i32::from(word as i16), i32::from(word) - values];
    meant.into_iter().find(|value| (-values / 2..values / 2).contains(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_one_value_or_a_range_of_those_that_can_be_stored() {
        let table = [
            ((None, None, 12, false), None),
            ((None, Some(5), 12, false), None),
            ((Some(0), None, 12, false), Some(0..=0)),
            ((Some(4095), Some(4000), 12, false), Some(4000..=4095)),
            ((Some(0), Some(9), 12, false), Some(0..=9)),
            ((Some(4096), None, 12, false), None),
            ((Some(7), Some(4096), 12, false), Some(7..=7)),
            ((Some(65_535), None, 16, false), Some(65_535..=65_535)),
            ((Some(-2000i16 as u16), None, 16, true), Some(-2000..=-2000)),
            ((Some(-2048i16 as u16), Some(-2000i16 as u16), 12, true), Some(-2048..=-2000)),
            ((Some(0x800), None, 12, true), Some(-2048..=-2048)),
            ((Some(-2049i16 as u16), None, 12, true), None),
            ((Some(2047), None, 12, true), Some(2047..=2047)),
        ];
        for ((value, limit, bits, signed), expected) in table {
            assert_eq!(padding(value, limit, bits, signed), expected, "{value:?} {limit:?} {bits} {signed}");
        }
    }
}
