//! Pointwise convolution that is too deep or too narrow for the buffers of the fast one: one pixel,
//! four outputs at a time, weights expanded where they are used. 25 instructions for 16 products.

use super::assembly::processor;
use super::instructions::requantize;
use crate::kernels::call::PointwiseCall;
use crate::kernels::call::proven;
use crate::kernels::layout::{BLOCK, DEPTH};
use core::arch::naked_asm;

pub(super) fn pointwise(mut call: PointwiseCall) {
    let (depth, outputs, weights, channels) =
        (call.depth(), call.outputs(), call.weights(), *call.channels());
    let (x_stride, y_stride, zero) = (call.x_stride().max(1), call.y_stride().max(1), channels.zero());
    let block = depth.div_ceil(DEPTH) * BLOCK * DEPTH;
    let (biases, multipliers) =
        (channels.bias().as_chunks::<4>().0, channels.multiplier().as_chunks::<4>().0);
    let (x, y) = call.slices();
    for (pixel, y) in x.chunks(x_stride).zip(y.chunks_mut(y_stride)) {
        let (words, tail) = proven(pixel, ..depth).as_chunks::<DEPTH>();
        // A pixel may be followed by outputs of others, and is never shorter.
        let (y, _) = y.split_at_mut(outputs.min(y.len()));
        for ((four, y), (bias, multiplier)) in y.chunks_mut(4).enumerate().zip(biases.iter().zip(multipliers))
        {
            let first = four * 4;
            let weights = weights.as_ptr().wrapping_add(first / BLOCK * block + first % BLOCK * DEPTH);
            let mut acc = *bias;
            // SAFETY: the pixel has as many steps, the last of which is filled up here, and each has weights
            // for the block that holds these outputs.
            unsafe {
                if !words.is_empty() {
                    four_outputs(&mut acc, words.as_ptr(), weights, words.len());
                }
                if !tail.is_empty() {
                    let mut word = [0; DEPTH];
                    word.iter_mut().zip(tail).for_each(|(to, &from)| *to = from);
                    four_outputs(&mut acc, &word, weights.wrapping_add(words.len() * BLOCK * DEPTH), 1);
                }
            }
            for ((y, &acc), &multiplier) in y.iter_mut().zip(&acc).zip(multiplier) {
                *y = requantize(acc, multiplier, zero) as u8;
            }
        }
    }
}

/// Adds to four accumulators the products of a pixel's `steps` steps, 1 or more, with four outputs'
/// weights.
///
/// # Safety
/// So many words of the pixel can be read, and four words of weights for each, a step of a block
/// apart.
#[unsafe(naked)]
unsafe extern "C" fn four_outputs(
    acc: &mut [i32; 4],
    pixel: *const [u8; DEPTH],
    weights: *const i8,
    steps: usize,
) {
    naked_asm!(
        processor!(),
        "push {{r0, r4-r11, lr}}",
        "ldm r0, {{r4-r7}}",
        "2:",
        "ldr r8, [r1], #4",
        "ldr r11, [r2, #4]",
        "ldr r12, [r2, #8]",
        "ldr lr, [r2, #12]",
        "ldr r10, [r2], #64",
        "uxtb16 r9, r8, ror #8",
        "uxtb16 r8, r8",
        "sxtb16 r0, r10",
        "smlad r4, r0, r8, r4",
        "sxtb16 r0, r10, ror #8",
        "smlad r4, r0, r9, r4",
        "sxtb16 r0, r11",
        "smlad r5, r0, r8, r5",
        "sxtb16 r0, r11, ror #8",
        "smlad r5, r0, r9, r5",
        "sxtb16 r0, r12",
        "smlad r6, r0, r8, r6",
        "sxtb16 r0, r12, ror #8",
        "smlad r6, r0, r9, r6",
        "sxtb16 r0, lr",
        "smlad r7, r0, r8, r7",
        "sxtb16 r0, lr, ror #8",
        "smlad r7, r0, r9, r7",
        "subs r3, r3, #1",
        "bne 2b",
        "pop {{r0}}",
        "stm r0, {{r4-r7}}",
        "pop {{r4-r11, pc}}",
    )
}
