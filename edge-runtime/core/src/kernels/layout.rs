//! How weights lie in memory: one layout that all kernels read in place, and the functions that
//! make it from ONNX's.
//!
//! **Blocks** (pointwise, first and general convolution): outputs in blocks of [`BLOCK`]; in a
//! block, inputs in steps of [`DEPTH`]; in a step, for each output its four weights side by side.
//!
//! ```text
//! block 0: step 0: [out 0: w0 w1 w2 w3] [out 1: w0 w1 w2 w3] ... [out 15]   step 1: ...   block 1: ...
//! ```
//!
//! One step is a 512-bit register for VPDPBUSD, four 128-bit ones for SDOT or SMULL, and a word an
//! output for SXTB16/SMLAD. Outputs and inputs that fill up a block or a step have weights 0.
//!
//! **Taps** (depthwise): for each kernel row, for each step of four kernel columns, for each
//! channel (rounded up to a block) its four weights side by side; missing columns have weights 0.

use super::size::product;

/// Output channels in a block.
pub const BLOCK: usize = 16;
/// Inputs in a step.
pub const DEPTH: usize = 4;

/// Channels rounded up to whole blocks.
pub const fn padded(channels: usize) -> usize {
    channels.div_ceil(BLOCK).saturating_mul(BLOCK)
}

/// Bytes of the weights of `outputs` that read `depth` inputs each; none above
/// [`MAX_BYTES`](super::MAX_BYTES).
pub fn block_bytes(outputs: usize, depth: usize) -> Option<usize> {
    product(&[padded(outputs), depth.div_ceil(DEPTH), DEPTH])
}

/// Bytes of the weights of a depthwise convolution; none above [`MAX_BYTES`](super::MAX_BYTES).
pub fn tap_bytes(channels: usize, kernel: [usize; 2]) -> Option<usize> {
    product(&[kernel[0], kernel[1].div_ceil(DEPTH), padded(channels), DEPTH])
}

/// Where the weight of `output` for `input` of `depth` lies.
pub const fn block_index(output: usize, input: usize, depth: usize) -> usize {
    let steps = depth.div_ceil(DEPTH);
    ((output / BLOCK * steps + input / DEPTH) * BLOCK + output % BLOCK) * DEPTH + input % DEPTH
}

/// Where the weight of `channel` at a kernel row and column lies.
pub const fn tap_index(channel: usize, row: usize, column: usize, channels: usize, width: usize) -> usize {
    let steps = width.div_ceil(DEPTH);
    ((row * steps + column / DEPTH) * padded(channels) + channel) * DEPTH + column % DEPTH
}

/// Writes blocks, asking `weight(output, input)` for every pair; `to` has [`block_bytes`].
pub fn write_blocks(outputs: usize, depth: usize, to: &mut [i8], weight: impl Fn(usize, usize) -> i8) {
    to.fill(0);
    for output in 0..outputs {
        for input in 0..depth {
            if let Some(slot) = to.get_mut(block_index(output, input, depth)) {
                *slot = weight(output, input);
            }
        }
    }
}

/// Writes taps. `weight(channel, row, column)` is asked for every place of the kernel; `to` has
/// [`tap_bytes`].
pub fn write_taps(
    channels: usize,
    kernel: [usize; 2],
    to: &mut [i8],
    weight: impl Fn(usize, usize, usize) -> i8,
) {
    to.fill(0);
    for channel in 0..channels {
        for row in 0..kernel[0] {
            for column in 0..kernel[1] {
                if let Some(slot) = to.get_mut(tap_index(channel, row, column, channels, kernel[1])) {
                    *slot = weight(channel, row, column);
                }
            }
        }
    }
}
