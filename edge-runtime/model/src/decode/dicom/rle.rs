//! RLE Lossless: each byte of the samples is a plane of its own, packed by PackBits (PS3.5 annex G).
//!
//! dicom-rs has a reader of it that panics where a plane is too short.

use crate::decode::outcome::DecodeError;

/// The samples of a picture, little-endian, those of a pixel together: `pixels * samples * bytes`.
pub(super) fn decode(
    coded: &[u8],
    pixels: usize,
    samples: usize,
    bytes: usize,
) -> Result<Vec<u8>, DecodeError> {
    let number = |place: usize| -> Option<usize> {
        let four = coded.get(place * 4..place * 4 + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(four) as usize)
    };
    let planes = samples * bytes;
    if number(0) != Some(planes) {
        return Err(damaged("its RLE header states another number of planes"));
    }
    let mut unpacked = vec![0; pixels * planes];
    for plane in 0..planes {
        let begin = number(plane + 1).unwrap_or(usize::MAX);
        let end = if plane + 1 < planes { number(plane + 2) } else { Some(coded.len()) };
        let packed = end.and_then(|end| coded.get(begin..end));
        // The planes of a sample come with its highest byte first.
        let (sample, byte) = (plane / bytes, bytes - 1 - plane % bytes);
        let places = unpacked.iter_mut().skip(sample * bytes + byte).step_by(planes);
        unpack(packed.ok_or_else(|| damaged("an RLE plane lies outside"))?, places)?;
    }
    Ok(unpacked)
}

/// Fills all `places` from one plane; what is packed beyond them fills the plane up.
fn unpack<'p>(packed: &[u8], places: impl Iterator<Item = &'p mut u8>) -> Result<(), DecodeError> {
    let (mut packed, mut places) = (packed.iter(), places.peekable());
    let short = || damaged("an RLE plane is cut short");
    while places.peek().is_some() {
        match *packed.next().ok_or_else(short)? as i8 {
            -128 => {}
            count @ 0.. => {
                for place in places.by_ref().take(count as usize + 1) {
                    *place = *packed.next().ok_or_else(short)?;
                }
            }
            count => {
                let value = *packed.next().ok_or_else(short)?;
                let times = 1 + usize::from(count.unsigned_abs());
                places.by_ref().take(times).for_each(|place| *place = value);
            }
        }
    }
    Ok(())
}

fn damaged(what: &str) -> DecodeError {
    DecodeError::damaged("DICOM", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two planes of four bytes: a run, and a literal behind a byte that says nothing.
    fn coded() -> Vec<u8> {
        let mut coded = vec![0; 64];
        for (place, number) in [2u32, 64, 66].into_iter().enumerate() {
            coded[place * 4..place * 4 + 4].copy_from_slice(&number.to_le_bytes());
        }
        coded.extend([(-3i8) as u8, 1, -128i8 as u8, 3, 10, 20, 30, 40]);
        coded
    }

    #[test]
    fn planes_are_unpacked_and_put_together() {
        assert_eq!(decode(&coded(), 4, 1, 2).unwrap(), [10, 1, 20, 1, 30, 1, 40, 1]);
        assert_eq!(decode(&coded(), 4, 2, 1).unwrap(), [1, 10, 1, 20, 1, 30, 1, 40]);
    }

    #[test]
    fn a_plane_that_is_short_or_outside_is_no_picture() {
        let cut = coded();
        for damaged in [&cut[..cut.len() - 1], &cut[..64], &cut[..3], &[]] {
            assert!(decode(damaged, 4, 1, 2).is_err());
        }
        assert!(decode(&cut, 5, 1, 2).is_err(), "one pixel more than there is");
        assert!(decode(&cut, 4, 3, 1).is_err(), "another number of planes");
    }
}
