//! Depthwise convolution 3 x 3 by SDOT. The three rows of a column are interleaved, so that each channel has them side by side
//! (TBL); such a column meets the weights of every kernel column and so serves up to three outputs, whose sums are
//! under way at the same time.

use super::dot::dot;
use super::requantize::Requantize;
use crate::kernels::depthwise::Call;
use crate::kernels::layout::{DEPTH, padded};
use crate::kernels::scalar;
use core::arch::aarch64::*;

pub(in crate::kernels) fn depthwise(call: Call) {
    if call.count() < 8 {
        return scalar::depthwise(call);
    }
    // SAFETY: the set is handed out only where the processor has the dot product extension.
    unsafe { run(call) }
}

#[target_feature(enable = "neon,dotprod")]
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

/// Four channels a vector.
type Channels<const Q: usize> = [int8x16_t; Q];

impl Block {
    /// Stride 1: every column is the right one of an output, the middle one of the next, and the left one of that after it.
    ///
    /// # Safety
    /// The block's pointers are good for `4 * Q` channels of every pixel; `weights` for those channels in each of three rows,
    /// `row` apart.
    #[target_feature(enable = "neon,dotprod")]
    unsafe fn dense<const Q: usize>(mut self, weights: *const i8, row: usize, requantize: Requantize<Q>) {
        // SAFETY: the caller's promise; `pixels + 2` columns are read and `pixels` written.
        unsafe {
            let [left, middle, right] = columns::<Q>(weights, row);
            let column = self.column::<Q>();
            let mut a = add(self.start(), &column, &left);
            let column = self.column::<Q>();
            a = add(a, &column, &middle);
            let mut b = add(self.start(), &column, &left);
            for _ in 0..self.pixels {
                let column = self.column::<Q>();
                self.store(&add(a, &column, &right), &requantize);
                a = add(b, &column, &middle);
                b = add(self.start(), &column, &left);
            }
        }
    }

    /// Stride 2: every other column is the right one of an output and the left one of the next.
    ///
    /// # Safety
    /// As [`Block::dense`].
    #[target_feature(enable = "neon,dotprod")]
    unsafe fn sparse<const Q: usize>(mut self, weights: *const i8, row: usize, requantize: Requantize<Q>) {
        // SAFETY: the caller's promise; `2 * pixels + 1` columns are read and `pixels` written.
        unsafe {
            let [left, middle, right] = columns::<Q>(weights, row);
            let mut a = add(self.start(), &self.column::<Q>(), &left);
            for _ in 0..self.pixels {
                a = add(a, &self.column::<Q>(), &middle);
                let column = self.column::<Q>();
                self.store(&add(a, &column, &right), &requantize);
                a = add(self.start(), &column, &left);
            }
        }
    }

    /// The next column: for each channel its three rows and a 0.
    ///
    /// # Safety
    /// The rows have one more column.
    #[inline]
    #[target_feature(enable = "neon,dotprod")]
    unsafe fn column<const Q: usize>(&mut self) -> Channels<Q> {
        let mut rows = [vdupq_n_u8(0); 3];
        for (from, row) in self.rows.iter_mut().zip(&mut rows) {
            // SAFETY: the caller's promise.
            let q =
                unsafe { if Q == 4 { vld1q_u8(*from) } else { vcombine_u8(vld1_u8(*from), vdup_n_u8(0)) } };
            *row = veorq_u8(q, vdupq_n_u8(0x80));
            *from = from.wrapping_add(self.count);
        }
        let rows = uint8x16x3_t(rows[0], rows[1], rows[2]);
        let mut column = [vdupq_n_s8(0); Q];
        for (column, index) in column.iter_mut().zip(&INTERLEAVE) {
            // SAFETY: an index is 16 bytes.
            *column = vreinterpretq_s8_u8(unsafe { vqtbl3q_u8(rows, vld1q_u8(index.as_ptr())) });
        }
        column
    }

    #[inline]
    #[target_feature(enable = "neon,dotprod")]
    fn start<const Q: usize>(&self) -> [int32x4_t; Q] {
        let mut acc = [vdupq_n_s32(0); Q];
        for (q, acc) in acc.iter_mut().enumerate() {
            // SAFETY: `bias` points to the numbers of `4 * Q` channels.
            *acc = unsafe { vld1q_s32(self.bias.add(4 * q)) };
        }
        acc
    }

    /// # Safety
    /// `y` has one more pixel.
    #[inline]
    #[target_feature(enable = "neon,dotprod")]
    unsafe fn store<const Q: usize>(&mut self, acc: &[int32x4_t; Q], requantize: &Requantize<Q>) {
        // SAFETY: the caller's promise.
        unsafe { requantize.store(acc, self.y, 4 * Q) };
        self.y = self.y.wrapping_add(self.count);
    }
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add<const Q: usize>(mut acc: [int32x4_t; Q], x: &Channels<Q>, w: &Channels<Q>) -> [int32x4_t; Q] {
    for q in 0..Q {
        acc[q] = dot(acc[q], x[q], w[q]);
    }
    acc
}

/// The weights of each kernel column: for each channel those of its three rows and a 0.
///
/// # Safety
/// `weights` points to the words of `4 * Q` channels in each of three rows, `row` apart.
#[target_feature(enable = "neon,dotprod")]
unsafe fn columns<const Q: usize>(weights: *const i8, row: usize) -> [Channels<Q>; 3] {
    let mut columns = [[vdupq_n_s8(0); Q]; 3];
    for q in 0..Q {
        // SAFETY: the caller's promise.
        let rows = unsafe {
            let weights = weights.add(16 * q);
            int8x16x3_t(vld1q_s8(weights), vld1q_s8(weights.add(row)), vld1q_s8(weights.add(2 * row)))
        };
        for (column, index) in columns.iter_mut().zip(&COLUMNS) {
            // SAFETY: an index is 16 bytes.
            column[q] = vqtbl3q_s8(rows, unsafe { vld1q_u8(index.as_ptr()) });
        }
    }
    columns
}

/// For channel `4 * q + i` of a table of three rows of 16 channels, the places of its three bytes; 255 gives 0.
const INTERLEAVE: [[u8; 16]; 4] = {
    let mut index = [[255; 16]; 4];
    let mut i = 0;
    while i < 48 {
        let (channel, row) = (i / 3, i % 3);
        index[channel / 4][channel % 4 * 4 + row] = (16 * row + channel) as u8;
        i += 1;
    }
    index
};

/// For kernel column `c` of a table of three rows of four channels' words, the places of each channel's three bytes.
const COLUMNS: [[u8; 16]; 3] = {
    let mut index = [[255; 16]; 3];
    let mut i = 0;
    while i < 36 {
        let (column, channel, row) = (i / 12, i / 3 % 4, i % 3);
        index[column][channel * 4 + row] = (16 * row + channel * 4 + column) as u8;
        i += 1;
    }
    index
};
