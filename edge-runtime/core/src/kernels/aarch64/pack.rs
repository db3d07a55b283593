//! Pixels of a tile side by side, read as signed, so that the loops over weights load them in order
//! and know no rests: done once for all outputs that read them.

use core::arch::aarch64::*;

/// Inputs that are packed at a time; a longer sum is computed in parts.
pub(super) const PART: usize = 512;

/// Writes chunks of 16 inputs: those of all `P` pixels side by side, then the next chunk.
///
/// # Safety
/// As [`signed`]; `to` points to `16 * P` bytes a chunk.
#[inline(always)]
pub(super) unsafe fn chunks<const P: usize>(
    x: *const u8,
    stride: usize,
    depth: usize,
    before: usize,
    to: *mut i8,
) {
    // SAFETY: the caller's promise.
    unsafe {
        signed::<P>(x, stride, depth, before, |chunk, pixels| {
            for (pixel, q) in pixels.into_iter().enumerate() {
                vst1q_s8(to.add((chunk * P + pixel) * 16), q);
            }
        });
    }
}

/// Calls `put(chunk, 16 inputs of each pixel)` for `depth` inputs of `P` pixels `stride` apart;
/// stores side by side go by pairs. Inputs beyond `depth` come as 0; the weights there are 0 too.
///
/// # Safety
/// `x` points to `P` such pixels. `before` bytes in front of each belong to the same pixel.
#[inline(always)]
unsafe fn signed<const P: usize>(
    x: *const u8,
    stride: usize,
    depth: usize,
    before: usize,
    mut put: impl FnMut(usize, [int8x16_t; P]),
) {
    // SAFETY: NEON is part of every processor that this is called on.
    let sign = unsafe { vdupq_n_u8(0x80) };
    let (chunks, rest) = (depth / 16, depth % 16);
    // SAFETY: as before.
    let mut pixels = unsafe { [vdupq_n_s8(0); P] };
    for chunk in 0..chunks {
        for (pixel, inputs) in pixels.iter_mut().enumerate() {
            // SAFETY: 16 inputs of the pixel.
            *inputs = unsafe {
                let q = vld1q_u8(x.add(pixel * stride + chunk * 16));
                vreinterpretq_s8_u8(veorq_u8(q, sign))
            };
        }
        put(chunk, pixels);
    }
    if rest == 0 {
        return;
    }
    for (pixel, inputs) in pixels.iter_mut().enumerate() {
        // SAFETY: where the pixel has 16 inputs up to `depth`, they are read and moved down, otherwise
        // `rest` bytes.
        *inputs = unsafe {
            let x = x.add(pixel * stride);
            let q = if depth + before >= 16 {
                let up_to_end = vld1q_u8(x.add(depth).sub(16));
                vqtbl1q_u8(up_to_end, vld1q_u8(DOWN.as_ptr().add(16 - rest)))
            } else {
                few(x, rest)
            };
            vreinterpretq_s8_u8(veorq_u8(q, sign))
        };
    }
    put(chunks, pixels);
}

/// The first `count` bytes, then zeros.
///
/// # Safety
/// `x` points to as many, at most 16.
#[cold]
#[target_feature(enable = "neon")]
unsafe fn few(x: *const u8, count: usize) -> uint8x16_t {
    let mut bytes = [0; 16];
    // SAFETY: the caller's promise.
    unsafe {
        bytes.as_mut_ptr().copy_from_nonoverlapping(x, count);
        vld1q_u8(bytes.as_ptr())
    }
}

/// Sixteen numbers from place `n` on are the indices that move a vector down by `n` bytes; 255
/// gives 0.
const DOWN: [u8; 32] = {
    let mut indices = [255; 32];
    let mut i = 0;
    while i < 16 {
        indices[i] = i as u8;
        i += 1;
    }
    indices
};

/// Where the tiles of `size` begin that cover `count`: the last one begins earlier where they do
/// not fit.
pub(super) fn tiles(count: usize, size: usize) -> impl Iterator<Item = usize> {
    (0..count).step_by(size).map(move |first| first.min(count - size))
}
