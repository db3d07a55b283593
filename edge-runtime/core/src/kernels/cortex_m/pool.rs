//! Sums over positions, four channels a word, in 16-bit halves for as many positions as fit in.

use super::instructions::{uxtab16, uxtab16_odd};
use crate::kernels::call::SumsCall;
use crate::kernels::call::proven;

/// Positions whose bytes surely add up within 16 bits.
const POSITIONS: usize = 65_535 / 255;

pub(super) fn sums(mut call: SumsCall) {
    let (x, sums) = call.slices();
    sums.fill(0);
    let channels = sums.len().max(1);
    let (groups, rest) = sums.as_chunks_mut::<4>();
    let words = groups.len() * 4;
    for part in x.chunks(POSITIONS * channels) {
        for (group, sums) in groups.iter_mut().enumerate() {
            let (mut even, mut odd) = (0, 0);
            let columns = proven(part, group * 4..);
            for four in columns.chunks(channels).filter_map(|pixel| pixel.first_chunk::<4>()) {
                let word = u32::from_le_bytes(*four);
                (even, odd) = (uxtab16(even, word), uxtab16_odd(odd, word));
            }
            for (sum, more) in sums.iter_mut().zip([even & 0xFFFF, odd & 0xFFFF, even >> 16, odd >> 16]) {
                *sum += more;
            }
        }
        for (sum, channel) in rest.iter_mut().zip(words..) {
            *sum += part.iter().skip(channel).step_by(channels).map(|&q| u32::from(q)).sum::<u32>();
        }
    }
}
