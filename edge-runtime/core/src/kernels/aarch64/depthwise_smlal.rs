//! Depthwise convolution 3 x 3 by SMULL and SMLAL: 16 channels side by side, nine taps in
//! registers; two taps' products are added in 16 bits, or four taps' where weights have 7 bits, then
//! widened.

use super::depthwise::{Block, Kernel, blocks};
use super::long::{mlal_high, mull_high};
use super::requantize::Requantize;
use crate::kernels::call::RowCall;
use core::arch::aarch64::*;

pub(in crate::kernels) fn depthwise(call: RowCall) {
    // SAFETY: NEON is part of every processor that the set is handed out on.
    unsafe {
        if call.narrow() {
            blocks(call, kernels::<4, true>(), kernels::<2, true>())
        } else {
            blocks(call, kernels::<4, false>(), kernels::<2, false>())
        }
    }
}

/// By zero point and stride, as [`blocks`] takes them; `NARROW` for weights of 7 bits.
fn kernels<const Q: usize, const NARROW: bool>() -> [[Kernel; 2]; 2] {
    [
        [dense::<Q, false, NARROW>, sparse::<Q, false, NARROW>],
        [dense::<Q, true, NARROW>, sparse::<Q, true, NARROW>],
    ]
}

/// The three rows of a column (or of a kernel column's weights), 16 channels each, or 8 in the
/// lower half.
type Column = [int8x16_t; 3];

/// What all pixels of a block share: weights of each kernel column, bias, multipliers.
struct Numbers<const Q: usize, const RELU: bool> {
    weights: [Column; 3],
    bias: [int32x4_t; Q],
    requantize: Requantize<Q, RELU, RELU>,
}

impl<const Q: usize, const RELU: bool> Numbers<Q, RELU> {
    /// # Safety
    /// As [`Block::requantize`].
    #[inline(always)]
    unsafe fn new(block: &Block) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            Self { weights: kernel_columns::<Q>(block), bias: block.start(), requantize: block.requantize() }
        }
    }
}

/// Stride 1: one more column a pixel.
///
/// # Safety
/// As [`super::depthwise::Kernel`], `4 * Q` channels.
#[target_feature(enable = "neon")]
unsafe fn dense<const Q: usize, const RELU: bool, const NARROW: bool>(block: &Block) {
    let (mut at, end, ahead) = (0, block.pixels * block.count, 2 * block.count);
    // SAFETY: the caller's promise; `pixels + 2` columns are read and `pixels` written.
    unsafe {
        let numbers = &Numbers::<Q, RELU>::new(block);
        let mut a = block.column::<Q>(0);
        let mut b = block.column::<Q>(block.count);
        // The columns change roles from pixel to pixel: no moves between registers.
        loop {
            let c = block.column::<Q>(at + ahead);
            pixel::<Q, RELU, NARROW>(block, [&a, &b, &c], numbers, at);
            at += block.count;
            if at == end {
                break;
            }
            a = block.column::<Q>(at + ahead);
            pixel::<Q, RELU, NARROW>(block, [&b, &c, &a], numbers, at);
            at += block.count;
            if at == end {
                break;
            }
            b = block.column::<Q>(at + ahead);
            pixel::<Q, RELU, NARROW>(block, [&c, &a, &b], numbers, at);
            at += block.count;
            if at == end {
                break;
            }
        }
    }
}

/// Stride 2: two more columns a pixel.
///
/// # Safety
/// As [`dense`].
#[target_feature(enable = "neon")]
unsafe fn sparse<const Q: usize, const RELU: bool, const NARROW: bool>(block: &Block) {
    let (mut at, mut x, end) = (0, block.count, block.pixels * block.count);
    // SAFETY: the caller's promise; `2 * pixels + 1` columns are read and `pixels` written.
    unsafe {
        let numbers = &Numbers::<Q, RELU>::new(block);
        let mut a = block.column::<Q>(0);
        while at != end {
            let (b, c) = (block.column::<Q>(x), block.column::<Q>(x + block.count));
            pixel::<Q, RELU, NARROW>(block, [&a, &b, &c], numbers, at);
            a = c;
            at += block.count;
            x += 2 * block.count;
        }
    }
}

/// The output pixel at byte `at` from its three columns.
///
/// # Safety
/// That pixel exists.
#[inline(always)]
unsafe fn pixel<const Q: usize, const RELU: bool, const NARROW: bool>(
    block: &Block,
    x: [&Column; 3],
    numbers: &Numbers<Q, RELU>,
    at: usize,
) {
    let Numbers { weights: w, bias, requantize } = numbers;
    // SAFETY: the caller's promise.
    unsafe {
        let mut acc = *bias;
        // Products that fit 16 bits together.
        let most = if NARROW { 4 } else { 2 };
        for group in 0..9usize.div_ceil(most) {
            let tap = group * most;
            let (x0, w0) = (x[tap / 3][tap % 3], w[tap / 3][tap % 3]);
            let mut low = vmull_s8(vget_low_s8(x0), vget_low_s8(w0));
            let mut high = if Q == 4 { mull_high(x0, w0) } else { low };
            for next in tap + 1..9.min(tap + most) {
                let (x1, w1) = (x[next / 3][next % 3], w[next / 3][next % 3]);
                low = vmlal_s8(low, vget_low_s8(x1), vget_low_s8(w1));
                high = if Q == 4 { mlal_high(high, x1, w1) } else { low };
            }
            acc[0] = vaddw_s16(acc[0], vget_low_s16(low));
            acc[1] = vaddw_high_s16(acc[1], low);
            if Q == 4 {
                acc[2] = vaddw_s16(acc[2], vget_low_s16(high));
                acc[3] = vaddw_high_s16(acc[3], high);
            }
        }
        requantize.store(&acc, block.y.add(at));
    }
}

/// The weights of each kernel column, by row, a byte a channel.
///
/// # Safety
/// The block has `4 * Q` channels.
#[inline(always)]
unsafe fn kernel_columns<const Q: usize>(block: &Block) -> [Column; 3] {
    // SAFETY: the caller's promise; an index is 16 bytes.
    unsafe {
        let mut columns = [[vdupq_n_s8(0); 3]; 3];
        for row in 0..3 {
            let mut words = [vdupq_n_s8(0); 4];
            for (q, words) in words.iter_mut().enumerate().take(Q) {
                *words = block.words(row, q);
            }
            let words = int8x16x4_t(words[0], words[1], words[2], words[3]);
            for (column, index) in columns.iter_mut().zip(&COLUMNS) {
                column[row] = vqtbl4q_s8(words, vld1q_u8(index.as_ptr()));
            }
        }
        columns
    }
}

/// For kernel column `c` of a table of 16 channels' words, the place of each channel's byte.
const COLUMNS: [[u8; 16]; 3] = {
    let mut index = [[0; 16]; 3];
    let mut i = 0;
    while i < 48 {
        index[i / 16][i % 16] = (i % 16 * 4 + i / 16) as u8;
        i += 1;
    }
    index
};
