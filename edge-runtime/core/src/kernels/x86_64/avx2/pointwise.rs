//! Pointwise convolution: block after block, in tiles of 4 pixels.

use super::tile::{Block, PIXELS, step};
use crate::kernels::call::PointwiseCall;
use crate::kernels::layout::{BLOCK, DEPTH};

pub(in crate::kernels::x86_64) fn pointwise(call: PointwiseCall) {
    // SAFETY: the set is handed out only where the processor has AVX2.
    unsafe { if call.narrow() { run::<true>(call) } else { run::<false>(call) } }
}

#[target_feature(enable = "avx2")]
fn run<const NARROW: bool>(mut call: PointwiseCall) {
    let (pixels, depth, outputs) = (call.pixels(), call.depth(), call.outputs());
    let (x_stride, y_stride, channels) = (call.x_stride(), call.y_stride(), *call.channels());
    let all_weights = call.weights().as_ptr();
    let (x, y) = call.slices();
    let (x, y) = (x.as_ptr(), y.as_mut_ptr());
    let (whole, rest) = (depth / DEPTH, depth % DEPTH);
    for at in (0..outputs).step_by(BLOCK) {
        // SAFETY: `at` is an output; weights are there for whole blocks.
        let (block, weights) = unsafe {
            (Block::new(&channels, at, outputs), all_weights.add(at * depth.div_ceil(DEPTH) * DEPTH))
        };
        for first in (0..pixels).step_by(PIXELS) {
            // Where fewer pixels are left, the last one is computed several times.
            let (mut from, mut to) = ([x; PIXELS], [y; PIXELS]);
            for i in 0..PIXELS {
                let pixel = (first + i).min(pixels - 1);
                // SAFETY: the call has proven that every pixel lies within `x` and `y`.
                unsafe {
                    from[i] = x.add(pixel * x_stride);
                    to[i] = y.add(pixel * y_stride + at);
                }
            }
            let mut acc = block.start();
            let mut words = [0; PIXELS];
            for k in 0..whole {
                // SAFETY: the step lies within the depth, of the pixels as of the weights.
                unsafe {
                    for i in 0..PIXELS {
                        words[i] = from[i].add(k * DEPTH).cast::<i32>().read_unaligned();
                    }
                    step::<NARROW>(&mut acc, words, weights.add(k * BLOCK * DEPTH));
                }
            }
            if rest > 0 {
                // SAFETY: weights fill up the last step; of a pixel only what exists is read.
                unsafe {
                    for i in 0..PIXELS {
                        let mut four = [0; DEPTH];
                        from[i].add(whole * DEPTH).copy_to_nonoverlapping(four.as_mut_ptr(), rest);
                        words[i] = i32::from_le_bytes(four);
                    }
                    step::<NARROW>(&mut acc, words, weights.add(whole * BLOCK * DEPTH));
                }
            }
            // SAFETY: these are the block's outputs of pixels that exist.
            unsafe { block.store(&acc, to) };
        }
    }
}
