//! Samples of 10 or 12 bits that lie in the lower bits of 16: at their face value such a picture is
//! nearly black.

use edge_core::Reason;

/// Fewer values than these are no radiograph in whatever bits: a blank exposure, which the gate tells.
pub(super) const LEAST_VALUES: usize = 64;

/// Most bits that are called unused: in 16 they leave a sixteenth of the range, so dark a picture that
/// none is refused which could have been judged.
const MOST_USED: u32 = 12;

/// That a picture's values use `used` bits of the `of` that they have, and nothing says how they are
/// meant; told as the bits that devices have.
pub(super) fn unused(used: u32, of: u32) -> Reason {
    let used = [8, 10, MOST_USED].into_iter().find(|bits| used <= *bits).unwrap_or(used);
    Reason::UnusedBits(used as u8, of as u8)
}

/// Brings little-endian samples of 16 bits to full scale where the file says how many bits are
/// `significant` and they lie in the lower ones; leaves them alone where they lie in the upper ones,
/// as PNG (11.3.2.2) has it. A pixel has `colours` such samples, and then one of alpha if `alpha`.
///
/// Where the file does not say it, and its brightest sample needs no more than 12 bits, the samples stay
/// as they are, and what is given is why the picture must not be judged: nothing tells it from a dark
/// one of 16 bits, which could not be judged either.
pub(super) fn to_full_scale(
    pixels: &mut [u8],
    colours: usize,
    alpha: bool,
    significant: Option<u8>,
) -> Option<Reason> {
    let (samples, _) = pixels.as_chunks_mut::<2>();
    let pixel = colours + usize::from(alpha);
    let values =
        || samples.chunks(pixel).flat_map(|p| p.iter().take(colours)).map(|&s| u16::from_le_bytes(s));
    let brightest = values().max().unwrap_or(0);
    let used = 16 - brightest.leading_zeros();
    match significant.map(u32::from) {
        Some(bits @ 1..16) if used <= bits => {
            if values().all(|value| value.trailing_zeros() >= 16 - bits) {
                return None; // in the upper bits, and dark
            }
            let full = (1_u32 << bits) - 1;
            for sample in samples.chunks_mut(pixel).flat_map(|pixel| pixel.iter_mut().take(colours)) {
                let value = u32::from(u16::from_le_bytes(*sample));
                *sample = (((value * 65535 + full / 2) / full) as u16).to_le_bytes();
            }
            None
        }
        None if used <= MOST_USED => {
            let mut seen = [false; 1 << MOST_USED];
            values().for_each(|value| seen[usize::from(value)] = true);
            let count = seen.iter().filter(|seen| **seen).count();
            (count >= LEAST_VALUES).then(|| unused(used, u16::BITS))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(values: &[u16], significant: Option<u8>) -> (Vec<u16>, Option<Reason>) {
        let mut bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let refused = to_full_scale(&mut bytes, 1, false, significant);
        (bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect(), refused)
    }

    /// Values from 0 to `brightest`, `count` of them.
    fn up_to(brightest: u16, count: u32) -> Vec<u16> {
        (0..count).map(|at| (u32::from(brightest) * at / (count - 1)) as u16).collect()
    }

    #[test]
    fn what_the_file_says_is_significant_becomes_full_scale() {
        assert_eq!(scaled(&[0, 1, 2048, 4095], Some(12)), (vec![0, 16, 32776, 65535], None));
        assert_eq!(scaled(&[0, 300, 1023], Some(10)), (vec![0, 19218, 65535], None));
        // In the upper bits already, repeated or not, bright or dark.
        for upper in [[0, 0x8008, 0xFFFF], [0, 0x8000, 0xFFF0], [0x10, 0x100, 0xFF0]] {
            assert_eq!(scaled(&upper, Some(12)), (upper.to_vec(), None));
        }
        assert_eq!(scaled(&up_to(4095, 100), Some(16)), (up_to(4095, 100), None), "said to be dark");
    }

    #[test]
    fn alpha_is_neither_looked_at_nor_scaled() {
        let mut pixels = [1000_u16, 65535, 4000, 100].map(u16::to_le_bytes).concat();
        assert_eq!(to_full_scale(&mut pixels, 1, true, Some(12)), None);
        assert_eq!(pixels, [16004_u16, 65535, 64015, 100].map(u16::to_le_bytes).concat());
    }

    #[test]
    fn what_the_file_does_not_say_is_refused_by_name() {
        for (brightest, bits) in [(4095, 12), (1100, 12), (1023, 10), (255, 8)] {
            let values = up_to(brightest, 100);
            assert_eq!(scaled(&values, None), (values, Some(Reason::UnusedBits(bits, 16))), "{brightest}");
        }
    }

    /// Dark as it is, a picture of 16 bits, or one that is blank, is the gate's to refuse.
    #[test]
    fn what_is_dark_is_not_called_so() {
        for values in [up_to(4096, 100), up_to(4095, 63), vec![0, 0], (0..63).collect()] {
            assert_eq!(scaled(&values, None), (values, None));
        }
    }
}
