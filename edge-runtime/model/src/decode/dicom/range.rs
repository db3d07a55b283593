//! Whether a file says which of its values are black and white.
//!
//! Without a window everything that its bits could store has a grey of its own. A writer that puts 12
//! bits into 16 and says nothing of it then gives a picture that is nearly one grey, and the gate
//! would call that a fault of the picture. Nothing tells such a file from a dark one of 16 bits, so it
//! is not stretched but not judged either, as in the other formats (`depth.rs`).
//!
//! None is left out that could have been judged: a sixteenth of the range has a standard
//! deviation of a thirty-second at most, which is less than the gate asks for.

use super::error::DicomError;
use super::header::Header;
use super::values;
use crate::decode::depth::{LEAST_VALUES, unused};
use edge_core::Reason;

/// Bits that are stored from which on some may be unused.
const LEAST_BITS: u32 = 12;
/// As many bits less are too few.
const UNUSED: u32 = 4;

/// Why a monochrome picture must not be judged by the values that it has: `seen` says it of each as it
/// stands in its bits.
///
/// # Errors
/// It has none but padding.
pub(super) fn refused(header: &Header, seen: &[bool]) -> Result<Option<Reason>, DicomError> {
    let values = (0u32..).zip(seen).filter(|(_, seen)| **seen).map(|(bits, _)| values::stored(header, bits));
    let shown = values.filter(|value| !header.is_padding(*value));
    let (bits, signed) = match &header.modality_lut {
        Some(lut) => (lut.bits, false),
        None => (header.bits_stored.into(), header.signed),
    };
    let of = |value: i32| header.modality_lut.as_ref().map_or(value, |lut| lut.output(value.into()) as i32);
    let (mut count, mut least, mut most) = (0, i32::MAX, i32::MIN);
    for value in shown.map(of) {
        (count, least, most) = (count + 1, least.min(value), most.max(value));
    }
    if count == 0 {
        return Err(DicomError::NoPicture { what: "all of its pixels are padding" });
    }
    let told = header.window.is_some() || header.voi_lut.is_some();
    let used = used(least, most, bits, signed);
    if told || count < LEAST_VALUES || bits < LEAST_BITS || used + UNUSED > bits {
        return Ok(None);
    }
    Ok(Some(unused(used, bits)))
}

/// Bits that values from `least` to `most` need, counted from the end of the range or the zero that is
/// nearest to them.
fn used(least: i32, most: i32, bits: u32, signed: bool) -> u32 {
    let values = 1i32 << bits;
    let (low, high) = if signed { (-values / 2, values / 2 - 1) } else { (0, values - 1) };
    let near_zero = signed && least.abs().max(most.abs()) < values >> UNUSED;
    let reach = [most - low, high - least, if near_zero { most - least } else { i32::MAX }];
    let reach = reach.into_iter().min().unwrap_or(i32::MAX);
    i32::BITS - reach.leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_end_or_the_zero_that_is_nearest() {
        for ((least, most, bits, signed), expected) in [
            ((0, 4095, 16, false), 12),
            ((300, 4095, 16, false), 12),
            ((0, 4096, 16, false), 13),
            ((61_440, 65_535, 16, false), 12),
            ((30_000, 34_000, 16, false), 16),
            ((0, 4095, 16, true), 12),
            ((-1024, 3071, 16, true), 12),
            ((-1025, 3071, 16, true), 13),
            ((-32_768, -28_673, 16, true), 12),
            ((28_672, 32_767, 16, true), 12),
            ((3000, 6000, 16, true), 15),
            ((-4095, 0, 16, true), 12),
            ((0, 255, 12, false), 8),
            ((0, 1023, 14, false), 10),
        ] {
            assert_eq!(used(least, most, bits, signed), expected, "{least} {most} {bits} {signed}");
        }
    }
}
