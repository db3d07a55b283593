//! Convolution over one channel: a kernel row's window is four bytes side by side, one step.

use super::requantize::Requantize;
use super::stores;
use crate::kernels::call::RowCall;
use crate::kernels::layout::{BLOCK, DEPTH};
use core::arch::x86_64::*;

/// As many as one register holds outputs of.
const PIXELS: usize = 4;

pub(in crate::kernels::x86_64) fn single_channel(call: RowCall) {
    // SAFETY: the set is handed out only where the processor has these features.
    unsafe { run(call) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn run(mut call: RowCall) {
    let (pixels, stride, outputs) = (call.pixels(), call.stride(), call.outputs());
    let (weights, channels) = (call.weights().as_ptr(), *call.channels());
    let requantize = Requantize::new(channels.zero());
    let (rows, y) = call.slices();
    let y = y.as_mut_ptr();
    let (mut x_offset, mut y_offset) = ([0; PIXELS], [0; PIXELS]);
    for i in 0..PIXELS {
        // Where there are fewer pixels than a tile has, the last one is computed several times.
        let pixel = i.min(pixels - 1);
        (x_offset[i], y_offset[i]) = (pixel * stride, pixel * outputs);
    }
    let tight = outputs == BLOCK && pixels >= PIXELS;
    for at in (0..outputs).step_by(BLOCK) {
        let count = (outputs - at).min(BLOCK);
        // SAFETY: there are biases, multipliers and weights for whole blocks.
        let (bias, multiplier, weights) = unsafe {
            (
                _mm512_loadu_si512(channels.bias().as_ptr().add(at).cast()),
                _mm512_loadu_ps(channels.multiplier().as_ptr().add(at)),
                weights.add(at * rows.len() * DEPTH),
            )
        };
        for first in (0..pixels).step_by(PIXELS) {
            // The last tile begins early enough to be a whole one.
            let first = first.min(pixels.saturating_sub(PIXELS));
            let mut acc = [bias; PIXELS];
            for (step, row) in rows.iter().enumerate() {
                // SAFETY: every row holds four bytes at every pixel; every row has one step of weights.
                unsafe {
                    let row = row.as_ptr().add(first * stride);
                    let weights = _mm512_loadu_si512(weights.add(step * BLOCK * DEPTH).cast());
                    for i in 0..PIXELS {
                        let window = _mm512_set1_epi32(row.add(x_offset[i]).cast::<i32>().read_unaligned());
                        acc[i] = _mm512_dpbusd_epi32(acc[i], window, weights);
                    }
                }
            }
            let mut steps = acc;
            for steps in &mut steps {
                *steps = requantize.steps(*steps, multiplier);
            }
            let four = requantize.outputs(steps);
            // SAFETY: the pixels exist, `count` outputs from `at` on too; four pixels in a row of 16
            // outputs are 64 bytes.
            unsafe {
                let y = y.add(first * outputs + at);
                if tight {
                    stores::whole(y, four, 64);
                } else {
                    for (which, &offset) in y_offset.iter().enumerate() {
                        stores::quarter(y.add(offset), four, which, count);
                    }
                }
            }
        }
    }
}
