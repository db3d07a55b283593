//! Convolution over one channel: a kernel row's window is four bytes side by side, one step.

use super::tile::{Block, PIXELS, step};
use crate::kernels::call::RowCall;
use crate::kernels::layout::{BLOCK, DEPTH};

pub(in crate::kernels::x86_64) fn single_channel(call: RowCall) {
    // SAFETY: the set is handed out only where the processor has AVX2.
    unsafe { if call.narrow() { run::<true>(call) } else { run::<false>(call) } }
}

#[target_feature(enable = "avx2")]
fn run<const NARROW: bool>(mut call: RowCall) {
    let (pixels, stride, outputs) = (call.pixels(), call.stride(), call.outputs());
    let (all_weights, channels) = (call.weights().as_ptr(), *call.channels());
    let (rows, y) = call.slices();
    let y = y.as_mut_ptr();
    for at in (0..outputs).step_by(BLOCK) {
        // SAFETY: `at` is an output; weights are there for whole blocks.
        let (block, weights) =
            unsafe { (Block::new(&channels, at, outputs), all_weights.add(at * rows.len() * DEPTH)) };
        for first in (0..pixels).step_by(PIXELS) {
            // Where fewer pixels are left, the last one is computed several times.
            let (mut column, mut to) = ([0; PIXELS], [y; PIXELS]);
            for i in 0..PIXELS {
                let pixel = (first + i).min(pixels - 1);
                column[i] = pixel * stride;
                // SAFETY: the output row holds `outputs` bytes for every pixel.
                to[i] = unsafe { y.add(pixel * outputs + at) };
            }
            let mut acc = block.start();
            for (k, row) in rows.iter().enumerate() {
                let mut words = [0; PIXELS];
                // SAFETY: every row holds four bytes at every pixel; every row has one step of weights.
                unsafe {
                    for i in 0..PIXELS {
                        words[i] = row.as_ptr().add(column[i]).cast::<i32>().read_unaligned();
                    }
                    step::<NARROW>(&mut acc, words, weights.add(k * BLOCK * DEPTH));
                }
            }
            // SAFETY: these are the block's outputs of pixels that exist.
            unsafe { block.store(&acc, to) };
        }
    }
}
