//! Depthwise convolution 3 x 3, what both sets share: an output row in blocks of 16 or 8 channels.

use super::requantize::Requantize;
use crate::kernels::call::RowCall;
use crate::kernels::layout::{DEPTH, padded};
use crate::kernels::scalar;
use core::arch::aarch64::*;

/// Channels that are computed side by side at least; fewer are left to the scalar kernel.
pub(super) const LEAST: usize = 8;

/// Computes the output row of a block, at a stride of 1 or of 2.
///
/// # Safety
/// The machine has what the kernel needs, and the block's pointers are good for as many channels as
/// it takes: in every column of three rows, of which there are `(pixels - 1) * stride + 3`, in
/// `pixels` outputs, weights and numbers.
pub(super) type Kernel = unsafe fn(&Block);

pub(super) struct Block {
    pub rows: [*const u8; 3],
    pub y: *mut u8,
    pub pixels: usize,
    /// Bytes from one column, or output pixel, to the next.
    pub count: usize,
    weights: *const i8,
    /// Bytes from the weights of one kernel row to those of the next.
    weight_row: usize,
    bias: *const i32,
    multiplier: *const f32,
    zero: u8,
}

/// Computes an output row. The first kernels are for any output, the last for one whose steps are
/// short and whose zero point is 0; each for strides of 1 and 2.
///
/// # Safety
/// The machine has what the kernels need; `sixteen` take 16 channels and `eight` take 8.
pub(super) unsafe fn blocks(mut call: RowCall, sixteen: [[Kernel; 2]; 2], eight: [[Kernel; 2]; 2]) {
    let (pixels, stride, count) = (call.pixels(), call.stride(), call.outputs());
    let (weights, channels) = (call.weights(), *call.channels());
    let relu = usize::from(call.short() && channels.zero() == 0);
    let [sixteen, eight] = [sixteen, eight].map(|kernels| kernels[relu][usize::from(stride == 2)]);
    let (rows, y) = call.slices();
    let &[above, middle, below] = rows else { return };
    if count < LEAST {
        return scalar::depthwise(call);
    }
    let y = y.as_mut_ptr();
    let mut first = 0;
    while first < count {
        let (channels_here, kernel) = if count - first >= 16 { (16, sixteen) } else { (8, eight) };
        // The last block begins earlier where it does not fit.
        first = first.min(count - channels_here);
        // SAFETY: the block's channels lie within every pixel, the channels' numbers and the weights; every
        // row holds `(pixels - 1) * stride + 3` columns and `y` as many pixels as the call says.
        unsafe {
            let block = Block {
                rows: [above, middle, below].map(|row| row.as_ptr().add(first)),
                y: y.add(first),
                pixels,
                count,
                weights: weights.as_ptr().add(first * DEPTH),
                weight_row: padded(count) * DEPTH,
                bias: channels.signed_bias().as_ptr().add(first),
                multiplier: channels.multiplier().as_ptr().add(first),
                zero: channels.zero(),
            };
            kernel(&block);
        }
        first += channels_here;
    }
}

impl Block {
    /// The three rows of the column at byte `at`: `4 * Q` channels.
    ///
    /// # Safety
    /// That column exists.
    #[inline(always)]
    pub unsafe fn column<const Q: usize>(&self, at: usize) -> [int8x16_t; 3] {
        // SAFETY: the caller's promise.
        self.rows.map(|row| unsafe {
            let x = row.add(at).cast();
            if Q == 4 { vld1q_s8(x) } else { vcombine_s8(vld1_s8(x), vdup_n_s8(0)) }
        })
    }

    /// Four channels' words of weights of a kernel row.
    ///
    /// # Safety
    /// The block has `4 * q + 4` channels.
    #[inline(always)]
    pub unsafe fn words(&self, row: usize, q: usize) -> int8x16_t {
        // SAFETY: the caller's promise.
        unsafe { vld1q_s8(self.weights.add(row * self.weight_row + 16 * q)) }
    }

    /// Sums before the first tap.
    ///
    /// # Safety
    /// The block has `4 * Q` channels.
    #[inline(always)]
    pub unsafe fn start<const Q: usize>(&self) -> [int32x4_t; Q] {
        // SAFETY: the caller's promise.
        unsafe {
            let mut acc = [vdupq_n_s32(0); Q];
            for (q, acc) in acc.iter_mut().enumerate() {
                *acc = vld1q_s32(self.bias.add(4 * q));
            }
            acc
        }
    }

    /// What makes outputs of sums.
    ///
    /// # Safety
    /// The block has `4 * Q` channels; `RELU` is for short steps and a zero point of 0.
    #[inline(always)]
    pub unsafe fn requantize<const Q: usize, const RELU: bool>(&self) -> Requantize<Q, RELU, RELU> {
        // SAFETY: the caller's promise.
        unsafe { Requantize::new(self.multiplier, self.zero) }
    }
}
