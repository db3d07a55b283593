//! Convolution over one channel by SMULL and SMLAL, 3 x 3 at a stride of 2: nine taps as four
//! pairs, each of which meets the weights of eight outputs, and one that meets those of 16. Products
//! of two pairs are added in 16 bits, or of four where weights have 7 bits, then widened and added in
//! pairs, to one sum an output. Other windows are left to the scalar kernel.

use super::pack::tiles;
use super::requantize::Requantize;
use crate::kernels::Kernels;
use crate::kernels::call::RowCall;
use crate::kernels::layout::{BLOCK, DEPTH};
use core::arch::aarch64::*;
use core::arch::asm;

const PIXELS: usize = 8;

pub(in crate::kernels) fn single_channel(mut call: RowCall) {
    let (rows, _) = call.slices();
    let done = match rows {
        // SAFETY: NEON is part of every processor that the set is handed out on.
        &[a, b, c] if call.stride() == 2 && call.pixels() >= PIXELS => unsafe {
            match (call.short() && call.channels().zero() == 0, call.narrow()) {
                (true, true) => run::<true, true>(&mut call, [a, b, c]),
                (true, false) => run::<true, false>(&mut call, [a, b, c]),
                (false, true) => run::<false, true>(&mut call, [a, b, c]),
                (false, false) => run::<false, false>(&mut call, [a, b, c]),
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
        // SAFETY: weights and numbers reach to the end of the block; for `RELU` steps are short and the zero
        // point is 0. Every row holds the windows of all pixels: the 18 bytes of a tile's. `y` holds
        // `outputs` bytes for each pixel.
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

/// Products of the pair in `$x` with the weights of 16 outputs in `$a` and `$b`, in 16 bits, two lanes
/// an output.
macro_rules! products {
    ($multiply:literal, $x:literal, $a:literal, $b:literal) => {
        concat! {
            $multiply, " v5.8h, v", $x, ".8b, v", $a, ".8b\n",
            $multiply, "2 v6.8h, v", $x, ".16b, v", $a, ".16b\n",
            $multiply, " v7.8h, v", $x, ".8b, v", $b, ".8b\n",
            $multiply, "2 v8.8h, v", $x, ".16b, v", $b, ".16b\n",
        }
    };
}

/// Adds the products to the sums.
macro_rules! widen {
    () => {
        "sadalp v9.4s, v5.8h\nsadalp v10.4s, v6.8h\nsadalp v11.4s, v7.8h\nsadalp v12.4s, v8.8h"
    };
}

/// The sums of the pixel that is a lane of `$pairs` and `$last`: bias and the last tap, then the pairs
/// by `$line`s. An `asm!`, because LLVM computes several pixels at once and runs out of registers.
macro_rules! sums {
    ($block:ident, $pairs:ident, $last:ident, $lane:ident, [$($line:expr),*]) => {{
        let [[a0, a1, a2, a3], [b0, b1, b2, b3]] = $block.pairs;
        let (s0, s1, s2, s3);
        asm!(
            "dup v4.8h, v29.h[{lane}]",
            "dup v0.8h, v25.h[{lane}]",
            "ldp q9, q10, [{bias}]",
            "smull v5.8h, v4.8b, v24.8b",
            "smull2 v6.8h, v4.16b, v24.16b",
            "ldp q11, q12, [{bias}, #32]",
            "dup v1.8h, v26.h[{lane}]",
            "dup v2.8h, v27.h[{lane}]",
            "dup v3.8h, v28.h[{lane}]",
            "saddw v9.4s, v9.4s, v5.4h",
            "saddw2 v10.4s, v10.4s, v5.8h",
            "saddw v11.4s, v11.4s, v6.4h",
            "saddw2 v12.4s, v12.4s, v6.8h",
            $($line,)*
            bias = in(reg) $block.bias,
            lane = const $lane,
            in("v16") a0, in("v17") a1, in("v18") a2, in("v19") a3,
            in("v20") b0, in("v21") b1, in("v22") b2, in("v23") b3,
            in("v24") $block.last,
            in("v25") $pairs[0], in("v26") $pairs[1], in("v27") $pairs[2], in("v28") $pairs[3],
            in("v29") $last,
            out("v0") _, out("v1") _, out("v2") _, out("v3") _, out("v4") _,
            out("v5") _, out("v6") _, out("v7") _, out("v8") _,
            out("v9") s0, out("v10") s1, out("v11") s2, out("v12") s3,
            options(pure, readonly, nostack, preserves_flags),
        );
        [s0, s1, s2, s3]
    }};
}

/// Two neighbouring bytes a lane, a lane a pixel (or an output): columns 0 and 1 of each row, column
/// 2 of the first two rows.
type Pairs = [int16x8_t; 4];

/// `RELU` is for short steps and a zero point of 0, `NARROW` for weights of 7 bits.
struct Block<const RELU: bool, const NARROW: bool> {
    /// Eight outputs each.
    pairs: [Pairs; 2],
    /// Column 2 of the last row, a byte an output.
    last: int8x16_t,
    bias: *const i32,
    requantize: Requantize<4, RELU, RELU>,
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
        requantize: Requantize<4, RELU, RELU>,
    ) -> Option<Self> {
        let mut all = [[vdupq_n_s16(0); 4]; 2];
        let mut last = [vdupq_n_s16(0); 2];
        let mut fourth = vdupq_n_s16(0);
        for (half, pairs) in all.iter_mut().enumerate() {
            let mut right = [vdupq_n_s16(0); 3];
            for (row, right) in right.iter_mut().enumerate() {
                // SAFETY: the caller's promise.
                let (a, b) = unsafe {
                    let weights: *const i32 = weights.add(64 * row + 32 * half).cast();
                    (vld1q_s32(weights), vld1q_s32(weights.add(4)))
                };
                // Narrowed: of UZP1 and UZP2 LLVM makes LD2, whose registers it then moves about in pairs.
                pairs[row] = vmovn_high_s32(vmovn_s32(a), b);
                *right = vshrn_high_n_s32::<16>(vshrn_n_s32::<16>(a), b);
                fourth = vorrq_s16(fourth, vshrq_n_s16::<8>(*right));
            }
            pairs[3] = interleave(right[0], right[1]);
            last[half] = right[2];
        }
        if vmaxvq_u16(vreinterpretq_u16_s16(fourth)) != 0 {
            return None;
        }
        let [low, high] = last.map(|half| vreinterpretq_s8_s16(half));
        Some(Self { pairs: all, last: vuzp1q_s8(low, high), bias, requantize })
    }

    /// # Safety
    /// `rows` point to 18 bytes each, `y` to 16 bytes for each of eight pixels `stride` apart.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn tile(&self, rows: [*const u8; 3], y: *mut u8, stride: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let [a, b, c] = rows;
            let pairs = [signed(a), signed(b), signed(c), interleave(signed(a.add(2)), signed(b.add(2)))];
            let last = signed(c.add(2));
            let last = interleave(last, last);
            self.pixel::<0>(&pairs, last, y);
            self.pixel::<1>(&pairs, last, y.add(stride));
            self.pixel::<2>(&pairs, last, y.add(2 * stride));
            self.pixel::<3>(&pairs, last, y.add(3 * stride));
            self.pixel::<4>(&pairs, last, y.add(4 * stride));
            self.pixel::<5>(&pairs, last, y.add(5 * stride));
            self.pixel::<6>(&pairs, last, y.add(6 * stride));
            self.pixel::<7>(&pairs, last, y.add(7 * stride));
        }
    }

    /// # Safety
    /// `y` points to 16 bytes.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn pixel<const LANE: usize>(&self, pairs: &Pairs, last: int16x8_t, y: *mut u8) {
        macro_rules! run {
            ($($line:expr),*) => {
                sums!(self, pairs, last, LANE, [$($line),*])
            };
        }
        // SAFETY: the caller's promise; `bias` points to 16 numbers. `4 * 128 * 63` and `2 * 128 * 127`
        // fit 16 bits.
        unsafe {
            let acc = if NARROW {
                run!(
                    products!("smull", 0, 16, 20),
                    products!("smlal", 1, 17, 21),
                    products!("smlal", 2, 18, 22),
                    products!("smlal", 3, 19, 23),
                    widen!()
                )
            } else {
                run!(
                    products!("smull", 0, 16, 20),
                    products!("smlal", 1, 17, 21),
                    widen!(),
                    products!("smull", 2, 18, 22),
                    products!("smlal", 3, 19, 23),
                    widen!()
                )
            };
            self.requantize.store(&acc, y);
        }
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
