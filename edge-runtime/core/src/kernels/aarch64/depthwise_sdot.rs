//! Depthwise convolution 3 x 3 by SDOT. The three rows of a column are interleaved, so that each channel has them side by side
//! (TBL); such a column meets the weights of every kernel column and so serves up to three outputs, whose sums are
//! under way at the same time.

use super::depthwise::{Block, blocks};
use super::dot::dot;
use crate::kernels::depthwise::Call;
use core::arch::aarch64::*;

pub(in crate::kernels) fn depthwise(call: Call) {
    // SAFETY: the set is handed out only where the processor has the dot product extension.
    unsafe { blocks(call, [dense::<4>, sparse::<4>], [dense::<2>, sparse::<2>]) }
}

/// For each channel its three rows of a column (or three weights of a kernel column) and a 0, four channels a vector.
type Column<const Q: usize> = [int8x16_t; Q];

/// Sums of `4 * Q` channels.
type Sums<const Q: usize> = [int32x4_t; Q];

/// Stride 1: every column is the right one of an output, the middle one of the next, and the left one of that after it.
///
/// # Safety
/// As [`super::depthwise::Kernel`], `4 * Q` channels.
#[target_feature(enable = "neon,dotprod")]
unsafe fn dense<const Q: usize>(block: &Block) {
    let mut at = 0;
    // SAFETY: the caller's promise; `pixels + 2` columns are read and `pixels` written.
    unsafe {
        let weights = &kernel_columns::<Q>(block);
        let [left, middle, _] = weights;
        let first = column::<Q>(block, 0);
        let second = column::<Q>(block, block.count);
        let mut a = add(add(block.start(), &first, left), &second, middle);
        let mut b = add(block.start(), &second, left);
        let mut c = b;
        // The sums change roles from pixel to pixel: no moves between registers.
        loop {
            step(block, weights, at, &a, &mut b, &mut c);
            at += block.count;
            if at == block.pixels * block.count {
                break;
            }
            step(block, weights, at, &b, &mut c, &mut a);
            at += block.count;
            if at == block.pixels * block.count {
                break;
            }
            step(block, weights, at, &c, &mut a, &mut b);
            at += block.count;
            if at == block.pixels * block.count {
                break;
            }
        }
    }
}

/// Reads one column and writes the pixel at byte `at`, whose right column it is.
///
/// # Safety
/// As [`dense`]; that pixel exists.
#[inline(always)]
unsafe fn step<const Q: usize>(
    block: &Block,
    [left, middle, right]: &[Column<Q>; 3],
    at: usize,
    done: &Sums<Q>,
    next: &mut Sums<Q>,
    after: &mut Sums<Q>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let column = column::<Q>(block, at + 2 * block.count);
        block.store(&add(*done, &column, right), at);
        *next = add(*next, &column, middle);
        *after = add(block.start(), &column, left);
    }
}

/// Stride 2: every other column is the right one of an output and the left one of the next.
///
/// # Safety
/// As [`dense`].
#[target_feature(enable = "neon,dotprod")]
unsafe fn sparse<const Q: usize>(block: &Block) {
    // SAFETY: the caller's promise; `2 * pixels + 1` columns are read and `pixels` written.
    unsafe {
        let [left, middle, right] = &kernel_columns::<Q>(block);
        let mut acc = add(block.start(), &column::<Q>(block, 0), left);
        let (mut at, mut x) = (0, block.count);
        while at != block.pixels * block.count {
            acc = add(acc, &column::<Q>(block, x), middle);
            let column = column::<Q>(block, x + block.count);
            block.store(&add(acc, &column, right), at);
            acc = add(block.start(), &column, left);
            at += block.count;
            x += 2 * block.count;
        }
    }
}

/// The column at byte `at`.
///
/// # Safety
/// That column exists.
#[inline(always)]
unsafe fn column<const Q: usize>(block: &Block, at: usize) -> Column<Q> {
    // SAFETY: the caller's promise; an index is 16 bytes.
    unsafe {
        let [a, b, c] = block.column::<Q>(at);
        let mut column = [vdupq_n_s8(0); Q];
        for (column, index) in column.iter_mut().zip(&INTERLEAVE) {
            *column = vreinterpretq_s8_u8(vqtbl3q_u8(uint8x16x3_t(a, b, c), vld1q_u8(index.as_ptr())));
        }
        column
    }
}

/// # Safety
/// The processor has the dot product extension.
#[inline(always)]
unsafe fn add<const Q: usize>(mut acc: Sums<Q>, x: &Column<Q>, w: &Column<Q>) -> Sums<Q> {
    for ((acc, &x), &w) in acc.iter_mut().zip(x).zip(w) {
        // SAFETY: the caller's promise.
        *acc = unsafe { dot(*acc, x, w) };
    }
    acc
}

/// The weights of each kernel column.
///
/// # Safety
/// The block has `4 * Q` channels.
#[inline(always)]
unsafe fn kernel_columns<const Q: usize>(block: &Block) -> [Column<Q>; 3] {
    // SAFETY: the caller's promise; an index is 16 bytes.
    unsafe {
        let mut columns = [[vdupq_n_s8(0); Q]; 3];
        for q in 0..Q {
            let rows = int8x16x3_t(block.words(0, q), block.words(1, q), block.words(2, q));
            for (column, index) in columns.iter_mut().zip(&COLUMNS) {
                column[q] = vqtbl3q_s8(rows, vld1q_u8(index.as_ptr()));
            }
        }
        columns
    }
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
