//! Depthwise convolution of any kernel, one output after the other.

use crate::kernels::call::RowCall;
use crate::kernels::call::proven;
use crate::kernels::layout::tap_index;
use crate::kernels::requantize;

pub(in crate::kernels) fn depthwise(mut call: RowCall) {
    let (stride, dilation, count) = (call.stride(), call.dilation(), call.outputs());
    let ([_, width], weights, channels) = (call.kernel(), call.weights(), *call.channels());
    let numbers = channels.bias().iter().zip(channels.multiplier());
    let (rows, y) = call.slices();
    for (pixel, y) in y.chunks_exact_mut(count.max(1)).enumerate() {
        for ((channel, y), (&bias, &multiplier)) in y.iter_mut().enumerate().zip(numbers.clone()) {
            let mut acc = bias;
            for (ky, row) in rows.iter().enumerate() {
                let window = proven(row, pixel * stride * count + channel..);
                for (kx, &q) in window.iter().step_by((dilation * count).max(1)).take(width).enumerate() {
                    let tap = tap_index(channel, ky, kx, count, width);
                    let weight = proven(weights, tap..=tap).iter();
                    acc = weight.fold(acc, |acc, &w| acc.wrapping_add(i32::from(w) * i32::from(q)));
                }
            }
            *y = requantize(acc, multiplier, channels.zero());
        }
    }
}
