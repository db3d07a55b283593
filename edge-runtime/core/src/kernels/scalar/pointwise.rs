//! Pointwise convolution, one output after the other.

use crate::kernels::call::PointwiseCall;
use crate::kernels::call::proven;
use crate::kernels::layout::{BLOCK, DEPTH};
use crate::kernels::requantize;

pub(super) fn pointwise(mut call: PointwiseCall) {
    let (depth, outputs, weights, channels) =
        (call.depth(), call.outputs(), call.weights(), *call.channels());
    let (x_stride, y_stride) = (call.x_stride(), call.y_stride());
    let block = depth.div_ceil(DEPTH) * BLOCK * DEPTH;
    let numbers = channels.bias().iter().zip(channels.multiplier());
    let (x, y) = call.slices();
    for (pixel, y) in x.chunks(x_stride.max(1)).zip(y.chunks_mut(y_stride.max(1))) {
        for ((output, y), (&bias, &multiplier)) in y.iter_mut().take(outputs).enumerate().zip(numbers.clone())
        {
            let weights = proven(weights, output / BLOCK * block..);
            let mut acc = bias;
            let steps = weights.chunks_exact(BLOCK * DEPTH).zip(proven(pixel, ..depth).chunks(DEPTH));
            for (step, pixel) in steps {
                let four = proven(step, output % BLOCK * DEPTH..);
                for (&w, &q) in four.iter().zip(pixel) {
                    acc = acc.wrapping_add(i32::from(w) * i32::from(q));
                }
            }
            *y = requantize(acc, multiplier, channels.zero());
        }
    }
}
