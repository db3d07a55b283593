//! Depthwise convolution 3 x 3 by SDOT. The three rows of a column are interleaved, so that each
//! channel has them side by side (TBL); such a column meets the weights of every kernel column and
//! so serves up to three outputs, whose sums are under way at the same time.

use super::depthwise::{Block, Kernel, blocks};
use super::dot::dot;
use crate::kernels::call::RowCall;
use core::arch::aarch64::*;
use core::arch::asm;

pub(in crate::kernels) fn depthwise(call: RowCall) {
    // SAFETY: the set is handed out only where the processor has the dot product extension.
    unsafe {
        let sixteen =
            [[dense::<4, false> as Kernel, sparse::<4, false>], [dense::<4, true>, sparse::<4, true>]];
        blocks(
            call,
            sixteen,
            [[dense::<2, false>, sparse::<2, false>], [dense::<2, true>, sparse::<2, true>]],
        )
    }
}

/// For each channel its three rows of a column (or three weights of a kernel column) and a 0, four
/// channels a vector.
type Column<const Q: usize> = [int8x16_t; Q];

/// Sums of `4 * Q` channels.
type Sums<const Q: usize> = [int32x4_t; Q];

/// Stride 1: every column is the right one of an output, the middle one of the next, and the left
/// one of that after it.
///
/// # Safety
/// As [`super::depthwise::Kernel`], `4 * Q` channels.
#[target_feature(enable = "neon,dotprod")]
unsafe fn dense<const Q: usize, const RELU: bool>(block: &Block) {
    let (mut at, ahead) = (0, 2 * block.count);
    // SAFETY: the caller's promise; `pixels + 2` columns are read and `pixels` written.
    unsafe {
        let weights = kernel_columns::<Q>(block);
        let [left, middle, right] = &weights;
        let interleave = interleave();
        let first = column::<Q>(block, 0, &interleave);
        let second = column::<Q>(block, block.count, &interleave);
        let mut a = add(add(block.start(), &first, left), &second, middle);
        let mut b = add(block.start(), &second, left);
        // An output's registers serve the one after the next, and the two change roles: no moves between
        // registers.
        for _ in 0..block.pixels / 2 {
            let third = step::<Q>(block, at + ahead, &interleave, [right, middle], [&mut a, &mut b]);
            store::<Q, RELU>(block, &a, at);
            a = add(block.start(), &third, left);
            at += block.count;
            let third = step::<Q>(block, at + ahead, &interleave, [right, middle], [&mut b, &mut a]);
            store::<Q, RELU>(block, &b, at);
            b = add(block.start(), &third, left);
            at += block.count;
        }
        if block.pixels % 2 == 1 {
            store::<Q, RELU>(block, &add(a, &column::<Q>(block, at + ahead, &interleave), right), at);
        }
    }
}

/// Stride 2: every other column is the right one of an output and the left one of the next.
///
/// # Safety
/// As [`dense`].
#[target_feature(enable = "neon,dotprod")]
unsafe fn sparse<const Q: usize, const RELU: bool>(block: &Block) {
    // SAFETY: the caller's promise; `2 * pixels + 1` columns are read and `pixels` written.
    unsafe {
        let [left, middle, right] = &kernel_columns::<Q>(block);
        let interleave = interleave();
        let mut acc = add(block.start(), &column::<Q>(block, 0, &interleave), left);
        let (mut at, mut x) = (0, block.count);
        while at != block.pixels * block.count {
            acc = add(acc, &column::<Q>(block, x, &interleave), middle);
            let column = column::<Q>(block, x + block.count, &interleave);
            store::<Q, RELU>(block, &add(acc, &column, right), at);
            acc = add(block.start(), &column, left);
            at += block.count;
            x += 2 * block.count;
        }
    }
}

/// [`INTERLEAVE`] in registers.
#[inline(always)]
fn interleave() -> [uint8x16_t; 4] {
    // SAFETY: an index is 16 bytes.
    INTERLEAVE.each_ref().map(|index| unsafe { vld1q_u8(index.as_ptr()) })
}

/// The column at byte `at`. An `asm!`, so that it takes the registers of three rows and no more,
/// and no moves into them.
///
/// # Safety
/// That column exists.
#[inline(always)]
unsafe fn column<const Q: usize>(block: &Block, at: usize, index: &[uint8x16_t; 4]) -> Column<Q> {
    let rows = &block.rows;
    let (x0, x1): (int8x16_t, int8x16_t);
    // SAFETY: the caller's promise: `4 * Q` bytes are read in each row.
    unsafe {
        let mut column = [vdupq_n_s8(0); Q];
        if Q == 2 {
            asm!(
                "ldr d0, [{a}, {at}]",
                "ldr d1, [{b}, {at}]",
                "ldr d2, [{c}, {at}]",
                "tbl {x1:v}.16b, {{v0.16b - v2.16b}}, {i1:v}.16b",
                "tbl v0.16b, {{v0.16b - v2.16b}}, {i0:v}.16b",
                a = in(reg) rows[0], b = in(reg) rows[1], c = in(reg) rows[2], at = in(reg) at,
                i0 = in(vreg) index[0], i1 = in(vreg) index[1],
                x1 = out(vreg) x1, out("v0") x0, out("v1") _, out("v2") _,
                options(pure, readonly, nostack, preserves_flags),
            );
            column[0] = x0;
            column[1] = x1;
        } else {
            let (x2, x3): (int8x16_t, int8x16_t);
            asm!(
                "ldr q0, [{a}, {at}]",
                "ldr q1, [{b}, {at}]",
                "ldr q2, [{c}, {at}]",
                "tbl {x1:v}.16b, {{v0.16b - v2.16b}}, {i1:v}.16b",
                "tbl {x2:v}.16b, {{v0.16b - v2.16b}}, {i2:v}.16b",
                "tbl {x3:v}.16b, {{v0.16b - v2.16b}}, {i3:v}.16b",
                "tbl v0.16b, {{v0.16b - v2.16b}}, {i0:v}.16b",
                a = in(reg) rows[0], b = in(reg) rows[1], c = in(reg) rows[2], at = in(reg) at,
                i0 = in(vreg) index[0], i1 = in(vreg) index[1], i2 = in(vreg) index[2], i3 = in(vreg) index[3],
                x1 = out(vreg) x1, x2 = out(vreg) x2, x3 = out(vreg) x3,
                out("v0") x0, out("v1") _, out("v2") _,
                options(pure, readonly, nostack, preserves_flags),
            );
            for (column, x) in column.iter_mut().zip([x0, x1, x2, x3]) {
                *column = x;
            }
        }
        column
    }
}

/// The column at byte `at`, which is the right one of the first sums and the middle one of the
/// second. All in one `asm!`, because every register is taken.
///
/// # Safety
/// That column exists; the processor has the dot product extension.
#[inline(always)]
unsafe fn step<const Q: usize>(
    block: &Block,
    at: usize,
    index: &[uint8x16_t; 4],
    [right, middle]: [&Column<Q>; 2],
    [done, next]: [&mut Sums<Q>; 2],
) -> Column<Q> {
    // SAFETY: the caller's promise: 16 bytes are read in each row where the block has 16 channels.
    unsafe {
        if Q == 2 {
            let column = column::<Q>(block, at, index);
            *done = add(*done, &column, right);
            *next = add(*next, &column, middle);
            return column;
        }
        let rows = &block.rows;
        let mut column = [vdupq_n_s8(0); Q];
        asm!(
            "ldr q0, [{a}, {at}]",
            "ldr q1, [{b}, {at}]",
            "ldr q2, [{c}, {at}]",
            "tbl {x1:v}.16b, {{v0.16b - v2.16b}}, {i1:v}.16b",
            "tbl {x2:v}.16b, {{v0.16b - v2.16b}}, {i2:v}.16b",
            "tbl {x3:v}.16b, {{v0.16b - v2.16b}}, {i3:v}.16b",
            "tbl v0.16b, {{v0.16b - v2.16b}}, {i0:v}.16b",
            "sdot {d1:v}.4s, {x1:v}.16b, {r1:v}.16b",
            "sdot {d2:v}.4s, {x2:v}.16b, {r2:v}.16b",
            "sdot {d3:v}.4s, {x3:v}.16b, {r3:v}.16b",
            "sdot {d0:v}.4s, v0.16b, {r0:v}.16b",
            "sdot {n1:v}.4s, {x1:v}.16b, {m1:v}.16b",
            "sdot {n2:v}.4s, {x2:v}.16b, {m2:v}.16b",
            "sdot {n3:v}.4s, {x3:v}.16b, {m3:v}.16b",
            "sdot {n0:v}.4s, v0.16b, {m0:v}.16b",
            a = in(reg) rows[0], b = in(reg) rows[1], c = in(reg) rows[2], at = in(reg) at,
            i0 = in(vreg) index[0], i1 = in(vreg) index[1], i2 = in(vreg) index[2], i3 = in(vreg) index[3],
            r0 = in(vreg) right[0], r1 = in(vreg) right[1], r2 = in(vreg) right[2], r3 = in(vreg) right[3],
            m0 = in(vreg) middle[0], m1 = in(vreg) middle[1], m2 = in(vreg) middle[2], m3 = in(vreg) middle[3],
            d0 = inout(vreg) done[0], d1 = inout(vreg) done[1], d2 = inout(vreg) done[2], d3 = inout(vreg) done[3],
            n0 = inout(vreg) next[0], n1 = inout(vreg) next[1], n2 = inout(vreg) next[2], n3 = inout(vreg) next[3],
            x1 = out(vreg) column[1], x2 = out(vreg) column[2], x3 = out(vreg) column[3],
            out("v0") column[0], out("v1") _, out("v2") _,
            options(pure, readonly, nostack, preserves_flags),
        );
        column
    }
}

/// Writes the output pixel at byte `at`.
///
/// # Safety
/// That pixel exists; `Q` and `RELU` as [`Block::requantize`] takes them.
#[inline(always)]
unsafe fn store<const Q: usize, const RELU: bool>(block: &Block, sums: &Sums<Q>, at: usize) {
    // SAFETY: the caller's promise. Multipliers are loaded anew: registers are dearer than loads here.
    unsafe { block.requantize::<Q, RELU>().store(sums, block.y.add(at)) };
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

/// For channel `4 * q + i` of a table of three rows of 16 channels, the places of its three bytes;
/// 255 gives 0.
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

/// For kernel column `c` of a table of three rows of four channels' words, the places of each
/// channel's three bytes.
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
