//! Depthwise convolution of 3 x 3, four channels at a time, in three passes over a buffer on the
//! stack.
//!
//! 1. Two columns of a group of four channels become a *chunk*: for each channel the upper two
//!    rows' bytes of the first column as a pair, those of the second column, and the third row's
//!    bytes of both columns. 31 instructions for 8 bytes of each row.
//! 2. Channel after channel, with its weights in registers, five multiplications give an output;
//!    accumulators overwrite the chunk.
//! 3. Chunks are requantized and stored, two pixels of four channels at once.
//!
//! All passes walk from the end of the buffer down to the stack pointer.

use super::assembly::{clamp, pack, processor, steps};
use crate::kernels::call::RowCall;
use crate::kernels::layout::{DEPTH, padded};
use crate::kernels::scalar;
use core::arch::naked_asm;
use core::mem::offset_of;

const GROUP: usize = 4;
/// Columns that are read for a tile of the row, two less than room is for: 1,584 bytes.
const TILE: usize = 64;

pub(super) fn depthwise(mut call: RowCall) {
    let (pixels, stride, count) = (call.pixels(), call.stride(), call.outputs());
    let covered = call.kernel() == [3, 3] && call.dilation() == 1 && stride <= 2;
    if !covered || pixels < 2 || count < GROUP {
        return scalar::depthwise(call);
    }
    let (weights, channels) = (call.weights(), *call.channels());
    let (&[row0, row1, row2], y) = call.slices() else { return scalar::depthwise(call) };
    let kernel = if stride == 1 { stride_1 } else { stride_2 };
    let mut done = 0;
    while done < pixels {
        // The last pixel, where it has no other one beside it, makes a pair together with the one before
        // it.
        let pixel = done.min(pixels - 2);
        let pairs = (pixels - pixel).min(if stride == 1 { TILE } else { TILE / 2 }) / 2;
        let mut compute = |channel: usize, groups: usize| {
            let (from, to) = (pixel * stride * count + channel, pixel * count + channel);
            let mut tile = Tile {
                rows: [row0, row1, row2].map(|row| row.as_ptr().wrapping_add(from)),
                column: count,
                weights: weights.as_ptr().wrapping_add(channel * DEPTH),
                bias: channels.bias().as_ptr().wrapping_add(channel),
                multiplier: channels.multiplier().as_ptr().wrapping_add(channel),
                y: y.as_mut_ptr().wrapping_add(to),
                weights_row: padded(count) * DEPTH,
                zero: channels.zero().into(),
                chunks: pairs * stride + 1,
                groups,
            };
            // SAFETY: `channel + 4 * groups` is at most `count`, and `pixel + 2 * pairs` is at most `pixels`,
            // so the windows of these pixels lie within the rows, the pixels within `y`, and the
            // channels' numbers exist.
            unsafe { kernel(&mut tile) };
        };
        compute(0, count / GROUP);
        // So do channels that are no whole group.
        if !count.is_multiple_of(GROUP) {
            compute(count - GROUP, 1);
        }
        done = pixel + pairs * 2;
    }
}

/// Groups of channels of two or more neighbouring pixels, an even number of them. Pointers, which
/// all lie in the first eight words, move on with the groups.
#[repr(C)]
struct Tile {
    /// Where the first window begins in each row.
    rows: [*const u8; 3],
    /// Bytes from one column to the next.
    column: usize,
    /// The first channel's taps of the first row.
    weights: *const i8,
    bias: *const i32,
    multiplier: *const f32,
    y: *mut u8,
    /// Bytes from one row of taps to the next.
    weights_row: usize,
    zero: u32,
    /// Pairs of columns that are read, the last one, which may be half, included.
    chunks: usize,
    /// Groups to do, 1 or more; counted down.
    groups: usize,
}

/// Words 0 and 1 of four channels, as pairs of bytes with one channel each: channels 0 and 1 in
/// `$low`, 2 and 3 in `$high`.
macro_rules! interleave {
    ($low:literal, $high:literal) => {
        concat!("pkhbt ", $low, ", r10, r11, lsl #16\n", "pkhtb ", $high, ", r11, r10, asr #16\n")
    };
}

/// Expands two channels' three words: the first channel's stay, the second's go to r10, r11, r12.
macro_rules! expand {
    ($a:literal, $b:literal, $c:literal) => {
        concat! {
            "uxtb16 r10, ", $a, ", ror #8\n",
            "uxtb16 r11, ", $b, ", ror #8\n",
            "uxtb16 r12, ", $c, ", ror #8\n",
            "uxtb16 ", $a, ", ", $a, "\n",
            "uxtb16 ", $b, ", ", $b, "\n",
            "uxtb16 ", $c, ", ", $c, "\n",
            "stmdb lr!, {{", $a, ", ", $b, ", ", $c, ", r10, r11, r12}}\n",
        }
    };
}

/// Saves registers and expands a group: r0 to r2 walk along the rows, lr down the buffer, which
/// ends where the stack pointer was. `$last` is the room for a last chunk of one column. Keeps in
/// s14 the argument, in s15 the end of the buffer.
macro_rules! expand_tile {
    ($last:literal) => {
        concat! {
            processor!(),
            "push {{r0, r4-r11, lr}}\n",
            "mov lr, sp\n",
            "1:\n",
            "ldr r1, [r0, #{chunks}]\n",
            "add r1, r1, r1, lsl #1\n",
            "vmov s14, s15, r0, lr\n",
            "sub r1, lr, r1, lsl #4\n",
            "add r1, r1, #", $last, "\n",
            "mov sp, r1\n",
            "ldm r0, {{r0-r3}}\n",
            "2:\n",
            "ldr r10, [r0]\n",
            "ldr r11, [r1]\n",
            interleave!("r4", "r7"),
            "ldr r10, [r0, r3]\n",
            "ldr r11, [r1, r3]\n",
            interleave!("r5", "r8"),
            "ldr r10, [r2]\n",
            "ldr r11, [r2, r3]\n",
            interleave!("r6", "r9"),
            expand!("r7", "r8", "r9"),
            expand!("r4", "r5", "r6"),
            "add r0, r0, r3, lsl #1\n",
            "add r1, r1, r3, lsl #1\n",
            "add r2, r2, r3, lsl #1\n",
            "cmp sp, lr\n",
            "bne 2b\n",
        }
    };
}

/// Begins the loop over channels, with the registers that the multiplications use: weights of the
/// upper rows' three columns in r7, r6, r8, of the third row's first two in r9 and last two in r10,
/// bias in r11; r12 walks down to lr. s12 and s13 keep where the next channel's r12 and lr begin,
/// s10 and s11 where its weights and bias are, s9 the bytes between rows of weights.
macro_rules! begin_channels {
    () => {
        concat! {
            "vmov r0, r1, s14, s15\n",
            "sub r1, r1, #48\n",
            "mov r2, sp\n",
            "vmov s12, s13, r1, r2\n",
            "ldr r1, [r0, #{weights_row}]\n",
            "vmov s9, r1\n",
            "ldrd r1, r2, [r0, #{weights}]\n",
            "vmov s10, s11, r1, r2\n",
            "3:\n",
            "vmov r12, lr, s12, s13\n",
            "vmov r1, r0, s10, s11\n",
            "vmov r2, s9\n",
            "add r3, r12, #12\n",
            "add r4, lr, #12\n",
            "vmov s12, s13, r3, r4\n",
            "ldr r4, [r1, r2]\n",
            "ldr r5, [r1, r2, lsl #1]\n",
            "ldr r3, [r1], #4\n",
            "ldr r11, [r0], #4\n",
            "vmov s10, s11, r1, r0\n",
            "sxtb16 r6, r3\n",
            "sxtb16 r8, r4\n",
            "sxtb16 r10, r5\n",
            "sxtb16 r3, r3, ror #8\n",
            "sxtb16 r4, r4, ror #8\n",
            "sxtb16 r5, r5, ror #8\n",
            "pkhbt r7, r6, r8, lsl #16\n",
            "pkhtb r8, r8, r6, asr #16\n",
            "pkhbt r6, r3, r4, lsl #16\n",
            "pkhbt r9, r10, r5, lsl #16\n",
            "pkhbt r10, r5, r10\n",
        }
    };
}

/// Ends the loop over channels, after four of them.
macro_rules! end_channels {
    () => {
        concat!("add r0, sp, #36\n", "cmp lr, r0\n", "bne 3b\n")
    };
}

/// Requantizes the accumulators of two pixels in each chunk, after which `$skip` moves on, and
/// stores them; then comes the next group.
macro_rules! store_tile {
    ($skip:literal) => {
        concat! {
            "vmov r1, r12, s14, s15\n",
            "ldr r2, [r1, #{multiplier}]\n",
            "vldmia r2, {{s12-s15}}\n",
            "ldr r10, [r1, #{multiplier} + 4]\n",
            "ldr r11, [r1, #{column}]\n",
            "ldr r0, [r1, #{zero}]\n",
            "mov r1, r12\n",
            "add lr, sp, #48\n",
            "8:\n",
            "vldmdb r12!, {{s0-s11}}\n",
            $skip,
            steps!("s0" * "s12", "s1" * "s12", "s3" * "s13", "s4" * "s13"),
            steps!("s6" * "s14", "s7" * "s14", "s9" * "s15", "s10" * "s15"),
            "vmov r2, r6, s0, s1\n",
            "vmov r3, r7, s3, s4\n",
            "vmov r4, r8, s6, s7\n",
            "vmov r5, r9, s9, s10\n",
            clamp!("r0", "9", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"),
            pack!("r2", "r3", "r4", "r5"),
            pack!("r6", "r7", "r8", "r9"),
            "str r2, [r10]\n",
            "str r6, [r10, r11]\n",
            "add r10, r10, r11, lsl #1\n",
            "cmp r12, lr\n",
            "bne 8b\n",
            // The next group.
            "ldr r0, [r1]\n",
            "ldr r2, [r0, #{groups}]\n",
            "subs r2, r2, #1\n",
            "beq 9f\n",
            "str r2, [r0, #{groups}]\n",
            "ldm r0, {{r3-r10}}\n",
            "add r3, r3, #4\n",
            "add r4, r4, #4\n",
            "add r5, r5, #4\n",
            "add r7, r7, #16\n",
            "add r8, r8, #16\n",
            "add r9, r9, #16\n",
            "add r10, r10, #4\n",
            "stm r0, {{r3-r10}}\n",
            "mov lr, r1\n",
            "b 1b\n",
            "9:\n",
            "mov sp, r1\n",
            "add sp, sp, #4\n",
            "pop {{r4-r11, pc}}\n",
        }
    };
}

/// Two outputs of a channel from one chunk in `$v0`, `$v1`, `$h0` and the next one, which is
/// loaded.
macro_rules! two_outputs {
    ($v0:literal, $v1:literal, $h0:literal, $v2:literal, $v3:literal, $h2:literal) => {
        concat! {
            "ldrd ", $v2, ", ", $v3, ", [r12, #-48]!\n",
            "ldr ", $h2, ", [r12, #8]\n",
            "smlad ", $v0, ", ", $v0, ", r7, r11\n",
            "smlad ", $v0, ", ", $v1, ", r6, ", $v0, "\n",
            "smlad ", $v0, ", ", $v2, ", r8, ", $v0, "\n",
            "smlad ", $v0, ", ", $h0, ", r9, ", $v0, "\n",
            "smlabt ", $v0, ", ", $h2, ", r10, ", $v0, "\n",
            "smlatb ", $h0, ", ", $h0, ", r9, r11\n",
            "smlad ", $h0, ", ", $v1, ", r7, ", $h0, "\n",
            "smlad ", $h0, ", ", $v2, ", r6, ", $h0, "\n",
            "smlad ", $h0, ", ", $v3, ", r8, ", $h0, "\n",
            "smlad ", $h0, ", ", $h2, ", r10, ", $h0, "\n",
            "strd ", $v0, ", ", $h0, ", [r12, #48]\n",
        }
    };
}

/// One output of a channel from one chunk in `$v0`, `$v1`, `$h0` and the next one, which is loaded;
/// stored at `$to`.
macro_rules! one_output {
    ($v0:literal, $v1:literal, $h0:literal, $v2:literal, $v3:literal, $h2:literal, $to:literal) => {
        concat! {
            "ldrd ", $v2, ", ", $v3, ", [r12, #-48]!\n",
            "ldr ", $h2, ", [r12, #8]\n",
            "smlad ", $v0, ", ", $v0, ", r7, r11\n",
            "smlad ", $v0, ", ", $v1, ", r6, ", $v0, "\n",
            "smlad ", $v0, ", ", $v2, ", r8, ", $v0, "\n",
            "smlad ", $v0, ", ", $h0, ", r9, ", $v0, "\n",
            "smlabt ", $v0, ", ", $h2, ", r10, ", $v0, "\n",
            "str ", $v0, ", [r12, #", $to, "]\n",
        }
    };
}

/// Computes a tile, one column from window to window.
///
/// # Safety
/// `2 * chunks` columns can be read, `2 * (chunks - 1)` pixels be written, and four channels'
/// weights, biases and multipliers be read.
#[unsafe(naked)]
unsafe extern "C" fn stride_1(tile: &mut Tile) {
    naked_asm!(
        expand_tile!("0"),
        begin_channels!(),
        // An odd number of rounds begins with the second half of the loop.
        "sub r0, r12, lr",
        "tst r0, #16",
        "beq 4f",
        "ldm r12, {{r3-r5}}",
        "b 6f",
        "4:",
        "ldm r12, {{r0-r2}}",
        "5:",
        two_outputs!("r0", "r1", "r2", "r3", "r4", "r5"),
        "6:",
        two_outputs!("r3", "r4", "r5", "r0", "r1", "r2"),
        "cmp r12, lr",
        "bne 5b",
        end_channels!(),
        store_tile!(""),
        column = const offset_of!(Tile, column),
        weights = const offset_of!(Tile, weights),
        weights_row = const offset_of!(Tile, weights_row),
        multiplier = const offset_of!(Tile, multiplier),
        zero = const offset_of!(Tile, zero),
        chunks = const offset_of!(Tile, chunks),
        groups = const offset_of!(Tile, groups),
    )
}

/// Computes a tile, two columns from window to window.
///
/// # Safety
/// `2 * chunks - 1` columns can be read, `chunks - 1` pixels be written, an even number of them,
/// and four channels' weights, biases and multipliers be read.
#[unsafe(naked)]
unsafe extern "C" fn stride_2(tile: &mut Tile) {
    naked_asm!(
        expand_tile!("48"),
        // The last chunk's second column does not exist: once more, now with the first one in its place.
        "cbz r3, 3f",
        "sub sp, sp, #48",
        "mov r3, #0",
        "b 2b",
        "3:",
        begin_channels!(),
        "ldm r12, {{r0-r2}}",
        "4:",
        one_output!("r0", "r1", "r2", "r3", "r4", "r5", "48"),
        one_output!("r3", "r4", "r5", "r0", "r1", "r2", "100"),
        "cmp r12, lr",
        "bne 4b",
        end_channels!(),
        store_tile!("sub r12, r12, #48\n"),
        column = const offset_of!(Tile, column),
        weights = const offset_of!(Tile, weights),
        weights_row = const offset_of!(Tile, weights_row),
        multiplier = const offset_of!(Tile, multiplier),
        zero = const offset_of!(Tile, zero),
        chunks = const offset_of!(Tile, chunks),
        groups = const offset_of!(Tile, groups),
    )
}
