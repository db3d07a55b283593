//! What is too deep or too narrow for the buffers of the fast kernels: weights in blocks, four outputs at a time, expanded where
//! they are used.

use super::instructions::{requantize, smlad, sxtb16, sxtb16_odd, uxtb16, uxtb16_odd};
use crate::kernels::layout::{BLOCK, DEPTH};
use crate::kernels::pointwise::Call;

pub(super) fn pointwise(mut call: Call) {
    let (depth, outputs, weights, channels) =
        (call.depth(), call.outputs(), call.weights(), *call.channels());
    let (x_stride, y_stride, zero) = (call.x_stride().max(1), call.y_stride().max(1), channels.zero());
    let block = depth.div_ceil(DEPTH) * BLOCK * DEPTH;
    let (biases, multipliers) =
        (channels.bias().as_chunks::<4>().0, channels.multiplier().as_chunks::<4>().0);
    let (x, y) = call.slices();
    for (pixel, y) in x.chunks(x_stride).zip(y.chunks_mut(y_stride)) {
        let (words, tail) = pixel.get(..depth).unwrap_or(&[]).as_chunks::<DEPTH>();
        let y = y.get_mut(..outputs).unwrap_or(&mut []);
        for ((four, y), (bias, multiplier)) in y.chunks_mut(4).enumerate().zip(biases.iter().zip(multipliers))
        {
            let first = four * 4;
            let weights = weights.get(first / BLOCK * block + first % BLOCK * DEPTH..).unwrap_or(&[]);
            let mut steps = weights.chunks(BLOCK * DEPTH).filter_map(|step| step.first_chunk::<16>());
            let mut acc = *bias;
            for (x, step) in words.iter().zip(&mut steps) {
                accumulate(&mut acc, u32::from_le_bytes(*x), step);
            }
            if let Some(step) = steps.next() {
                let word = tail.iter().rev().fold(0, |word, &q| word << 8 | u32::from(q));
                accumulate(&mut acc, word, step);
            }
            for ((y, &acc), &multiplier) in y.iter_mut().zip(&acc).zip(multiplier) {
                *y = requantize(acc, multiplier, zero) as u8;
            }
        }
    }
}

/// Four inputs, four outputs.
#[inline(always)]
fn accumulate(acc: &mut [i32; 4], x: u32, weights: &[i8; 16]) {
    let (even, odd) = (uxtb16(x), uxtb16_odd(x));
    for (acc, w) in acc.iter_mut().zip(weights.as_chunks::<4>().0) {
        let w = u32::from_le_bytes(w.map(|w| w as u8));
        *acc = smlad(sxtb16_odd(w), odd, smlad(sxtb16(w), even, *acc));
    }
}
