//! Convolution over one channel.

use crate::kernels::call::RowCall;
use crate::kernels::call::proven;
use crate::kernels::layout::{BLOCK, DEPTH};
use crate::kernels::requantize;

pub(super) fn single_channel(mut call: RowCall) {
    let (stride, outputs, weights, channels) =
        (call.stride(), call.outputs(), call.weights(), *call.channels());
    let numbers = channels.bias().iter().zip(channels.multiplier());
    let (rows, y) = call.slices();
    let block = rows.len() * BLOCK * DEPTH;
    for (pixel, y) in y.chunks_exact_mut(outputs.max(1)).enumerate() {
        for ((output, y), (&bias, &multiplier)) in y.iter_mut().enumerate().zip(numbers.clone()) {
            let weights = proven(weights, output / BLOCK * block..);
            let mut acc = bias;
            for (step, row) in weights.chunks_exact(BLOCK * DEPTH).zip(rows) {
                let four = proven(step, output % BLOCK * DEPTH..);
                let window = proven(row, pixel * stride..);
                for (&w, &q) in four.iter().zip(window).take(DEPTH) {
                    acc = acc.wrapping_add(i32::from(w) * i32::from(q));
                }
            }
            *y = requantize(acc, multiplier, channels.zero());
        }
    }
}
