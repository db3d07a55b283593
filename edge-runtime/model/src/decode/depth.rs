//! Samples of 10 or 12 bits that lie in the lower bits of 16: at their face value such a picture is
//! nearly black.

use super::outcome::DecodeError;

/// Brings little-endian samples of 16 bits to full scale where the file says how many bits are
/// `significant` and they lie in the lower ones; leaves them alone where they lie in the upper ones,
/// as PNG (11.3.2.2) has it. A pixel has `colours` such samples, and then one of alpha if `alpha`.
///
/// A file that does not say it is refused where its brightest sample needs no more than 12 bits.
pub(super) fn to_full_scale(
    pixels: &mut [u8],
    colours: usize,
    alpha: bool,
    significant: Option<u8>,
) -> Result<(), DecodeError> {
    let (samples, _) = pixels.as_chunks_mut::<2>();
    let pixel = colours + usize::from(alpha);
    let values =
        || samples.chunks(pixel).flat_map(|p| p.iter().take(colours)).map(|&s| u16::from_le_bytes(s));
    let brightest = values().max().unwrap_or(0);
    let used = 16 - brightest.leading_zeros();
    match significant.map(u32::from) {
        Some(bits @ 1..16) if used <= bits => {
            if values().all(|value| value.trailing_zeros() >= 16 - bits) {
                return Ok(()); // in the upper bits, and dark
            }
            let full = (1_u32 << bits) - 1;
            for sample in samples.chunks_mut(pixel).flat_map(|pixel| pixel.iter_mut().take(colours)) {
                let value = u32::from(u16::from_le_bytes(*sample));
                *sample = (((value * 65535 + full / 2) / full) as u16).to_le_bytes();
            }
            Ok(())
        }
        None => match used {
            1..=8 => Err(DecodeError::UnusedBits { bits: 8 }),
            9..=10 => Err(DecodeError::UnusedBits { bits: 10 }),
            11..=12 => Err(DecodeError::UnusedBits { bits: 12 }),
            _ => Ok(()),
        },
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(values: &[u16], significant: Option<u8>) -> Result<Vec<u16>, String> {
        let mut bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        to_full_scale(&mut bytes, 1, false, significant).map_err(|error| error.to_string())?;
        Ok(bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect())
    }

    #[test]
    fn what_the_file_says_is_significant_becomes_full_scale() {
        assert_eq!(scaled(&[0, 1, 2048, 4095], Some(12)).unwrap(), [0, 16, 32776, 65535]);
        assert_eq!(scaled(&[0, 300, 1023], Some(10)).unwrap(), [0, 19218, 65535]);
        // In the upper bits already, repeated or not, bright or dark.
        for upper in [[0, 0x8008, 0xFFFF], [0, 0x8000, 0xFFF0], [0x10, 0x100, 0xFF0]] {
            assert_eq!(scaled(&upper, Some(12)).unwrap(), upper);
        }
        assert_eq!(scaled(&[0, 77, 4095], Some(16)).unwrap(), [0, 77, 4095]);
    }

    #[test]
    fn alpha_is_neither_looked_at_nor_scaled() {
        let mut pixels = [1000_u16, 65535, 4000, 100].map(u16::to_le_bytes).concat();
        to_full_scale(&mut pixels, 1, true, Some(12)).unwrap();
        assert_eq!(pixels, [16004_u16, 65535, 64015, 100].map(u16::to_le_bytes).concat());
    }

    #[test]
    fn what_the_file_does_not_say_is_refused_by_name() {
        for (brightest, name) in [(4095, "12 bits in 16"), (1100, "12 bits in 16"), (1023, "10 bits in 16")] {
            let error = scaled(&[0, 100, brightest], None).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        assert!(scaled(&[0, 255], None).unwrap_err().contains("8 bits in 16"));
        assert_eq!(scaled(&[0, 4096], None).unwrap(), [0, 4096]);
        assert_eq!(scaled(&[0, 0], None).unwrap(), [0, 0], "black is the gate's to refuse");
    }
}
