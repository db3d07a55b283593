//! Depthwise convolution 3 x 3 by SMULL and SMLAL: 16 channels side by side, nine taps in registers; two taps' products are
//! added in 16 bits, then widened.

use super::requantize::Requantize;
use crate::kernels::depthwise::Call;
use crate::kernels::layout::{DEPTH, padded};
use crate::kernels::scalar;
use core::arch::aarch64::*;

pub(in crate::kernels) fn depthwise(call: Call) {
    if call.count() < 8 {
        return scalar::depthwise(call);
    }
    // SAFETY: NEON is part of every processor that the set is handed out on.
    unsafe { run(call) }
}

#[target_feature(enable = "neon")]
fn run(mut call: Call) {
    let (pixels, stride, count) = (call.pixels(), call.stride(), call.count());
    let (weights, channels) = (call.weights(), *call.channels());
    let (rows, y) = call.slices();
    let &[above, middle, below] = rows else { return };
    let y = y.as_mut_ptr();
    let mut first = 0;
    while first < count {
        // The last block begins earlier where it does not fit.
        let q = if count - first >= 16 { 4 } else { 2 };
        first = first.min(count - 4 * q);
        // SAFETY: `4 * q` channels from `first` on lie within every pixel, the channels' numbers and the weights; every row
        // holds `(pixels - 1) * stride + 3` columns and `y` as many pixels as the call says.
        unsafe {
            let block = Block {
                rows: [above, middle, below].map(|row| row.as_ptr().add(first)),
                y: y.add(first),
                bias: channels.signed_bias().as_ptr().add(first),
                pixels,
                count,
            };
            let (weights, row) = (weights.as_ptr().add(first * DEPTH), padded(count) * DEPTH);
            let multiplier = channels.multiplier().as_ptr().add(first);
            match (q, stride) {
                (4, 1) => block.dense::<4>(weights, row, Requantize::new(multiplier, channels.zero())),
                (4, _) => block.sparse::<4>(weights, row, Requantize::new(multiplier, channels.zero())),
                (_, 1) => block.dense::<2>(weights, row, Requantize::new(multiplier, channels.zero())),
                (_, _) => block.sparse::<2>(weights, row, Requantize::new(multiplier, channels.zero())),
            }
        }
        first += 4 * q;
    }
}

/// One output row of 16 or 8 channels.
struct Block {
    rows: [*const u8; 3],
    y: *mut u8,
    bias: *const i32,
    pixels: usize,
    count: usize,
}

/// The three rows of a column, 16 channels (or 8 in the lower half) each.
type Column = [int8x16_t; 3];

impl Block {
    /// Stride 1: a column a pixel.
    ///
    /// # Safety
    /// The block's pointers are good for `4 * Q` channels of every pixel; `weights` for those channels in each of three rows,
    /// `row` apart.
    #[target_feature(enable = "neon")]
    unsafe fn dense<const Q: usize>(mut self, weights: *const i8, row: usize, requantize: Requantize<Q>) {
        // SAFETY: the caller's promise; `pixels + 2` columns are read and `pixels` written.
        unsafe {
            let weights = columns::<Q>(weights, row);
            let mut left = self.column::<Q>();
            let mut middle = self.column::<Q>();
            for _ in 0..self.pixels {
                let right = self.column::<Q>();
                self.pixel([&left, &middle, &right], &weights, &requantize);
                (left, middle) = (middle, right);
            }
        }
    }

    /// Stride 2: two columns a pixel.
    ///
    /// # Safety
    /// As [`Block::dense`].
    #[target_feature(enable = "neon")]
    unsafe fn sparse<const Q: usize>(mut self, weights: *const i8, row: usize, requantize: Requantize<Q>) {
        // SAFETY: the caller's promise; `2 * pixels + 1` columns are read and `pixels` written.
        unsafe {
            let weights = columns::<Q>(weights, row);
            let mut left = self.column::<Q>();
            for _ in 0..self.pixels {
                let middle = self.column::<Q>();
                let right = self.column::<Q>();
                self.pixel([&left, &middle, &right], &weights, &requantize);
                left = right;
            }
        }
    }

    /// The next column.
    ///
    /// # Safety
    /// The rows have one more column.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn column<const Q: usize>(&mut self) -> Column {
        let mut column = [vdupq_n_s8(0); 3];
        for (from, row) in self.rows.iter_mut().zip(&mut column) {
            // SAFETY: the caller's promise.
            let q =
                unsafe { if Q == 4 { vld1q_u8(*from) } else { vcombine_u8(vld1_u8(*from), vdup_n_u8(0)) } };
            *row = vreinterpretq_s8_u8(veorq_u8(q, vdupq_n_u8(0x80)));
            *from = from.wrapping_add(self.count);
        }
        column
    }

    /// The next output pixel from its three columns.
    ///
    /// # Safety
    /// `y` has one more pixel.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn pixel<const Q: usize>(&mut self, x: [&Column; 3], w: &[Column; 3], requantize: &Requantize<Q>) {
        let mut acc = [vdupq_n_s32(0); Q];
        for (q, acc) in acc.iter_mut().enumerate() {
            // SAFETY: `bias` points to the numbers of `4 * Q` channels.
            *acc = unsafe { vld1q_s32(self.bias.add(4 * q)) };
        }
        for pair in 0..5 {
            let (tap, next) = (2 * pair, 2 * pair + 1);
            let (x0, w0) = (x[tap / 3][tap % 3], w[tap / 3][tap % 3]);
            let mut low = vmull_s8(vget_low_s8(x0), vget_low_s8(w0));
            let mut high = vmull_high_s8(x0, w0);
            if next < 9 {
                let (x1, w1) = (x[next / 3][next % 3], w[next / 3][next % 3]);
                low = vmlal_s8(low, vget_low_s8(x1), vget_low_s8(w1));
                high = vmlal_high_s8(high, x1, w1);
            }
            acc[0] = vaddw_s16(acc[0], vget_low_s16(low));
            acc[1] = vaddw_high_s16(acc[1], low);
            if Q == 4 {
                acc[2] = vaddw_s16(acc[2], vget_low_s16(high));
                acc[3] = vaddw_high_s16(acc[3], high);
            }
        }
        // SAFETY: the caller's promise.
        unsafe { requantize.store(&acc, self.y, 4 * Q) };
        self.y = self.y.wrapping_add(self.count);
    }
}

/// The weights of each kernel column, by row, a byte a channel.
///
/// # Safety
/// `weights` points to the words of `4 * Q` channels in each of three rows, `row` apart.
#[target_feature(enable = "neon")]
unsafe fn columns<const Q: usize>(weights: *const i8, row: usize) -> [Column; 3] {
    let mut columns = [[vdupq_n_s8(0); 3]; 3];
    for r in 0..3 {
        let mut words = [vdupq_n_s8(0); 4];
        for (q, words) in words.iter_mut().enumerate().take(Q) {
            // SAFETY: the caller's promise.
            *words = unsafe { vld1q_s8(weights.add(row * r + 16 * q)) };
        }
        let words = int8x16x4_t(words[0], words[1], words[2], words[3]);
        for (column, index) in columns.iter_mut().zip(&COLUMNS) {
            // SAFETY: an index is 16 bytes.
            column[r] = vqtbl4q_s8(words, unsafe { vld1q_u8(index.as_ptr()) });
        }
    }
    columns
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
