//! Convolution over one channel by SMULL and SMLAL, 3 x 3 at a stride of 2: nine taps as five
//! pairs, each of which meets the weights of eight outputs. Products of two pairs are added in 16
//! bits, or of four where weights have 7 bits, then widened and added in pairs, to one sum an output. Other windows are left to the
//! scalar kernel.

use super::long::{mlal_high, mull_high};
use super::pack::tiles;
use super::requantize::Requantize;
use crate::kernels::Kernels;
use crate::kernels::call::RowCall;
use crate::kernels::layout::{BLOCK, DEPTH};
use core::arch::aarch64::*;

const PIXELS: usize = 8;

pub(in crate::kernels) fn single_channel(mut call: RowCall) {
    let (rows, _) = call.slices();
    let done = match rows {
        // SAFETY: NEON is part of every processor that the set is handed out on.
        &[a, b, c] if call.stride() == 2 && call.pixels() >= PIXELS => unsafe {
            match (call.channels().zero(), call.narrow()) {
                (0, true) => run::<true, true>(&mut call, [a, b, c]),
                (0, false) => run::<true, false>(&mut call, [a, b, c]),
                (_, true) => run::<false, true>(&mut call, [a, b, c]),
                (_, false) => run::<false, false>(&mut call, [a, b, c]),
            }
        },
        _ => None,
    };
    if done.is_none() {
        (Kernels::SCALAR.single_channel)(call);
    }
}

/// None where the kernel has a fourth column.
#[target_feature(enable = "neon")]
fn run<const RELU: bool, const NARROW: bool>(call: &mut RowCall, rows: [&[u8]; 3]) -> Option<()> {
    let (pixels, outputs) = (call.pixels(), call.outputs());
    let (weights, channels) = (call.weights(), *call.channels());
    let y = call.slices().1.as_mut_ptr();
    for first in (0..outputs).step_by(BLOCK) {
        let count = BLOCK.min(outputs - first);
        // SAFETY: weights and numbers reach to the end of the block; the zero point is 0 for `RELU`. Every
        // row holds the windows of all pixels: the 18 bytes of a tile's. `y` holds `outputs` bytes
        // for each pixel.
        unsafe {
            let block = Block::<RELU, NARROW>::new(
                weights.as_ptr().add(first * 3 * DEPTH),
                channels.signed_bias().as_ptr().add(first),
                Requantize::new(channels.multiplier().as_ptr().add(first), channels.zero()),
            )?;
            for pixel in tiles(pixels, PIXELS) {
                let windows = rows.map(|row| row.as_ptr().add(2 * pixel));
                let y = y.add(pixel * outputs + first);
                if count == BLOCK {
                    block.tile(windows, y, outputs);
                } else {
                    let mut tile = [[0u8; BLOCK]; PIXELS];
                    block.tile(windows, tile.as_mut_ptr().cast(), BLOCK);
                    for (pixel, block) in tile.iter().enumerate() {
                        y.add(pixel * outputs).copy_from_nonoverlapping(block.as_ptr(), count);
                    }
                }
            }
        }
    }
    Some(())
}

/// Two neighbouring bytes a lane, a lane a pixel (or an output): columns 0 and 1 of each row,
/// column 2 of the first two rows, and column 2 of the last row with whatever follows it (or 0).
type Pairs = [int16x8_t; 5];

/// `NARROW` is for weights of 7 bits.
struct Block<const RELU: bool, const NARROW: bool> {
    /// Eight outputs each.
    weights: [Pairs; 2],
    bias: *const i32,
    requantize: Requantize<4, RELU, false>,
}

impl<const RELU: bool, const NARROW: bool> Block<RELU, NARROW> {
    /// None where a fourth column has weights.
    ///
    /// # Safety
    /// `weights` points to three rows of 64 bytes, `bias` to 16 numbers that outlive the block.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn new(
        weights: *const i8,
        bias: *const i32,
        requantize: Requantize<4, RELU, false>,
    ) -> Option<Self> {
        let mut all = [[vdupq_n_s16(0); 5]; 2];
        let mut fourth = vdupq_n_s16(0);
        for (half, pairs) in all.iter_mut().enumerate() {
            let mut right = [vdupq_n_s16(0); 3];
            for (row, right) in right.iter_mut().enumerate() {
                // SAFETY: the caller's promise.
                let (a, b) = unsafe {
                    let weights: *const i16 = weights.add(64 * row + 32 * half).cast();
                    (vld1q_s16(weights), vld1q_s16(weights.add(8)))
                };
                pairs[row] = vuzp1q_s16(a, b);
                *right = vuzp2q_s16(a, b);
                fourth = vorrq_s16(fourth, vshrq_n_s16::<8>(*right));
            }
            pairs[3] = interleave(right[0], right[1]);
            pairs[4] = right[2];
        }
        let zeros = vmaxvq_u16(vreinterpretq_u16_s16(fourth)) == 0;
        zeros.then_some(Self { weights: all, bias, requantize })
    }

    /// # Safety
    /// `rows` point to 18 bytes each, `y` to 16 bytes for each of eight pixels `stride` apart.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn tile(&self, rows: [*const u8; 3], y: *mut u8, stride: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let [a, b, c] = rows;
            let right = interleave(signed(a.add(2)), signed(b.add(2)));
            let pairs = [signed(a), signed(b), signed(c), right, signed(c.add(2))];
            self.pixel::<0>(&pairs, y);
            self.pixel::<1>(&pairs, y.add(stride));
            self.pixel::<2>(&pairs, y.add(2 * stride));
            self.pixel::<3>(&pairs, y.add(3 * stride));
            self.pixel::<4>(&pairs, y.add(4 * stride));
            self.pixel::<5>(&pairs, y.add(5 * stride));
            self.pixel::<6>(&pairs, y.add(6 * stride));
            self.pixel::<7>(&pairs, y.add(7 * stride));
        }
    }

    /// # Safety
    /// `y` points to 16 bytes.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn pixel<const LANE: i32>(&self, pairs: &Pairs, y: *mut u8) {
        let mut x = [vdupq_n_s8(0); 5];
        for (x, &pairs) in x.iter_mut().zip(pairs) {
            *x = vreinterpretq_s8_s16(vdupq_laneq_s16::<LANE>(pairs));
        }
        let mut acc = [vdupq_n_s32(0); 4];
        for (half, weights) in self.weights.iter().enumerate() {
            let w = weights.map(|w| vreinterpretq_s8_s16(w));
            // SAFETY: `bias` points to 16 numbers.
            let (mut low, mut high) =
                unsafe { (vld1q_s32(self.bias.add(8 * half)), vld1q_s32(self.bias.add(8 * half + 4))) };
            // Pairs whose products fit 16 bits together.
            let most = if NARROW { 4 } else { 2 };
            for first in (0..4).step_by(most) {
                let mut sums = vmull_s8(vget_low_s8(x[first]), vget_low_s8(w[first]));
                let mut more = mull_high(x[first], w[first]);
                for i in first + 1..first + most {
                    sums = vmlal_s8(sums, vget_low_s8(x[i]), vget_low_s8(w[i]));
                    more = mlal_high(more, x[i], w[i]);
                }
                low = vpadalq_s16(low, sums);
                high = vpadalq_s16(high, more);
            }
            acc[2 * half] = vpadalq_s16(low, vmull_s8(vget_low_s8(x[4]), vget_low_s8(w[4])));
            acc[2 * half + 1] = vpadalq_s16(high, mull_high(x[4], w[4]));
        }
        // SAFETY: the caller's promise.
        unsafe { self.requantize.store(&acc, y) };
    }
}

/// Sixteen bytes of a row, read as signed.
///
/// # Safety
/// `x` points to as many.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn signed(x: *const u8) -> int16x8_t {
    // SAFETY: the caller's promise.
    vreinterpretq_s16_u8(veorq_u8(unsafe { vld1q_u8(x) }, vdupq_n_u8(0x80)))
}

/// The lower bytes of both, side by side.
#[inline]
#[target_feature(enable = "neon")]
fn interleave(a: int16x8_t, b: int16x8_t) -> int16x8_t {
    vreinterpretq_s16_s8(vtrn1q_s8(vreinterpretq_s8_s16(a), vreinterpretq_s8_s16(b)))
}
