//! Pointwise convolution, two pixels by four outputs.
//!
//! Four outputs' weights become a *record* on the stack, expanded to pairs; as many records as have
//! room are made at once. Then every two pixels are expanded once and multiplied with all records.
//! Expanding costs an instruction a weight and call, and one an input and set of records; the loop
//! in between needs 90 instructions for 128 products.

use super::assembly::{clamp, pack, processor, steps};
use super::plain;
use crate::kernels::call::PointwiseCall;
use crate::kernels::call::proven;
use crate::kernels::layout::{DEPTH, block_index};
use core::arch::naked_asm;
use core::mem::{MaybeUninit, offset_of};

/// Inputs of one round of the loop.
const ROUND: usize = 8;
const OUTPUTS: usize = 4;
/// Words of a record: biases, multipliers, and for each round and output four words of two weights.
const fn record_words(rounds: usize) -> usize {
    2 * OUTPUTS + rounds * OUTPUTS * (ROUND / 2)
}
/// Words for all records; the rest of the stack that is used is 32 bytes a round.
const ROOM: usize = 4 * record_words(80 / ROUND);
/// Most rounds of which a record has room.
const MAX_ROUNDS: usize = 256 / ROUND;
const _: () = assert!(record_words(MAX_ROUNDS) <= ROOM);

pub(super) fn pointwise(mut call: PointwiseCall) {
    let (depth, outputs, pixels) = (call.depth(), call.outputs(), call.pixels());
    let (x_stride, y_stride) = (call.x_stride(), call.y_stride());
    let rounds = depth.div_ceil(ROUND);
    if outputs < OUTPUTS || rounds > MAX_ROUNDS {
        return plain::pointwise(call);
    }
    let (weights, channels) = (call.weights(), *call.channels());
    let (x, y) = call.slices();
    // Whole rounds read up to 7 bytes beyond a pixel, which count nothing; the pixels for which these
    // lie within `x`. The others are computed from a copy, with the same answer. (Neither divisor
    // can be 0: a stride is a pixel at least.)
    let read = rounds * ROUND;
    let direct =
        x.len().checked_sub(read).map_or(0, |free| pixels.min(free.checked_div(x_stride).unwrap_or(0) + 1));
    let most = ROOM.checked_div(record_words(rounds)).unwrap_or(0);
    let pairs = if rounds.is_multiple_of(2) { pairs_even } else { pairs_odd };
    let mut records = [MaybeUninit::<u32>::uninit(); ROOM];
    let mut first = 0;
    while first < outputs {
        // The last outputs, where they are no whole record, make one together with outputs before them.
        let left = outputs - first;
        let (from, count) =
            if left < OUTPUTS { (outputs - OUTPUTS, 1) } else { (first, most.min(left / OUTPUTS)) };
        // SAFETY: `count` records have room. `from + count * OUTPUTS` is at most `outputs`, and so many
        // biases, multipliers and rows of weights exist.
        let end = unsafe {
            let mut record = records.as_mut_ptr().cast::<u32>();
            for output in (from..).step_by(OUTPUTS).take(count) {
                record
                    .cast::<[i32; OUTPUTS]>()
                    .write(channels.bias().as_ptr().add(output).cast::<[i32; OUTPUTS]>().read());
                let multipliers = channels.multiplier().as_ptr().add(output).cast::<[f32; OUTPUTS]>();
                record.add(OUTPUTS).cast::<[f32; OUTPUTS]>().write(multipliers.read());
                record = expand(
                    weights.as_ptr().add(block_index(output, 0, depth)),
                    weights.as_ptr().add(block_index(output + 1, 0, depth)),
                    weights.as_ptr().add(block_index(output + 2, 0, depth)),
                    weights.as_ptr().add(block_index(output + 3, 0, depth)),
                    record.add(2 * OUTPUTS),
                    depth.div_ceil(DEPTH),
                );
            }
            record
        };
        let all = Pairs {
            x: x.as_ptr(),
            x_stride,
            y: y.as_mut_ptr().wrapping_add(from),
            y_stride,
            zero: channels.zero().into(),
            end,
            pairs: direct / 2,
            records: records.as_ptr().cast(),
            rounds,
        };
        // SAFETY: `direct` pixels can be read by whole rounds, and each has `from + 4 * count` outputs or
        // more in `y`.
        unsafe {
            if all.pairs > 0 {
                pairs(&mut { all });
            }
        }
        for pixel in direct / 2 * 2..pixels {
            let y = all.y.wrapping_add(pixel * y_stride);
            // SAFETY: as above, for one pixel; and `records` are those that `all` names.
            unsafe { alone(pairs, proven(x, pixel * x_stride..), Pairs { y, ..all }) };
        }
        first = from + count * OUTPUTS;
    }
}

/// Computes one pixel, at the beginning of `x`, as a pair with itself. Its copy, which is made
/// where whole rounds would read too far, takes stack only here.
///
/// # Safety
/// As that of `pairs`, for `all` and its `y`.
#[inline(never)]
unsafe fn alone(pairs: unsafe extern "C" fn(&mut Pairs), x: &[u8], all: Pairs) {
    let mut copy = [0; MAX_ROUNDS * ROUND];
    let x = match x.get(..all.rounds * ROUND) {
        Some(whole) => whole.as_ptr(),
        None => {
            copy.iter_mut().zip(x).for_each(|(to, &from)| *to = from);
            copy.as_ptr()
        }
    };
    // SAFETY: `x` is a whole pixel or the copy of one, no shorter than what is read; the rest is the
    // caller's word.
    unsafe { pairs(&mut Pairs { x, x_stride: 0, y_stride: 0, pairs: 1, ..all }) };
}

/// Expands the weights of four outputs, which begin at `w0` to `w3` and lie a step of a block
/// apart. Each step becomes the odd weights of outputs 2 and 3, the even ones of all, the odd ones
/// of 0 and 1: so the step's last load is at its beginning and can move the pointer on. Fills up
/// the round with zeros; returns where it stopped.
///
/// # Safety
/// As many steps can be read, and `to` has room for whole rounds of them.
#[unsafe(naked)]
unsafe extern "C" fn expand(
    w0: *const i8,
    w1: *const i8,
    w2: *const i8,
    w3: *const i8,
    to: *mut u32,
    steps: usize,
) -> *mut u32 {
    naked_asm!(
        processor!(),
        "push {{r4-r11, lr}}",
        "ldrd r12, lr, [sp, #36]",
        "mov r11, lr",
        "2:",
        "ldr r6, [r0], #64",
        "ldr r7, [r1], #64",
        "ldr r8, [r2], #64",
        "ldr r9, [r3], #64",
        "sxtb16 r10, r6, ror #8",
        "sxtb16 lr, r7, ror #8",
        "sxtb16 r4, r8, ror #8",
        "sxtb16 r5, r9, ror #8",
        "sxtb16 r6, r6",
        "sxtb16 r7, r7",
        "sxtb16 r8, r8",
        "sxtb16 r9, r9",
        "stmia r12!, {{r4-r10, lr}}",
        "subs r11, r11, #1",
        "bne 2b",
        "ldr r11, [sp, #40]",
        "tst r11, #1",
        "beq 3f",
        "mov r4, #0",
        "mov r5, #0",
        "mov r6, #0",
        "mov r7, #0",
        "stmia r12!, {{r4-r7}}",
        "stmia r12!, {{r4-r7}}",
        "3:",
        "mov r0, r12",
        "pop {{r4-r11, pc}}",
    )
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Pairs {
    /// The next pair's first pixel, moved on.
    x: *const u8,
    x_stride: usize,
    /// Where the first record's outputs for it go, moved on.
    y: *mut u8,
    y_stride: usize,
    zero: u32,
    end: *const u32,
    /// Pairs to do, 1 or more; counted down.
    pairs: usize,
    records: *const u32,
    rounds: usize,
}

/// Two pairs, one of each of two pixels, times four outputs' pairs: even inputs of a step or odd
/// ones.
macro_rules! half_step {
    ($w01:literal, $w23:literal) => {
        concat! {
            "ldrd r10, r11, [r0], #-8\n",
            "ldrd r12, lr, ", $w01, "\n",
            "smlad r2, r12, r10, r2\n",
            "smlad r6, r12, r11, r6\n",
            "smlad r3, lr, r10, r3\n",
            "smlad r7, lr, r11, r7\n",
            "ldrd r12, lr, ", $w23, "\n",
            "smlad r4, r12, r10, r4\n",
            "smlad r8, r12, r11, r8\n",
            "smlad r5, lr, r10, r5\n",
            "smlad r9, lr, r11, r9\n",
        }
    };
}

macro_rules! round {
    () => {
        concat! {
            half_step!("[r1, #8]", "[r1, #16]"),
            half_step!("[r1, #24]", "[r1], #32"),
            half_step!("[r1, #8]", "[r1, #16]"),
            half_step!("[r1, #24]", "[r1], #32"),
        }
    };
}

/// Computes all records' outputs for pairs of pixels. The expanded pair lies on the stack, its
/// first inputs at the highest address, above two words: the arguments, and where the pair begins.
/// The loop does two rounds; `$enter` says where it begins.
macro_rules! pairs {
    ($enter:literal) => {
        naked_asm!(
            processor!(),
            "push {{r4-r11, lr}}",
            "ldr r1, [r0, #{rounds}]",
            "lsl r1, r1, #5",
            "sub sp, sp, r1",
            "sub sp, sp, #8",
            "add r1, sp, r1",
            "strd r0, r1, [sp]",
            // A pair: expand it, from its end to the stack pointer.
            "2:",
            "ldrd r12, lr, [sp]",
            "ldm r12, {{r0-r5}}",
            "vmov s12, s13, r2, r3",
            "vmov s14, s15, r4, r5",
            "add r4, r0, r1, lsl #1",
            "add r5, r2, r3, lsl #1",
            "str r4, [r12]",
            "str r5, [r12, #{y}]",
            "add r1, r0, r1",
            "add r10, lr, #8",
            "add r11, sp, #8",
            "3:",
            "ldr r4, [r0, #4]",
            "ldr r5, [r1, #4]",
            "ldr r8, [r0], #8",
            "ldr r9, [r1], #8",
            "uxtb16 r2, r4, ror #8",
            "uxtb16 r3, r5, ror #8",
            "uxtb16 r4, r4",
            "uxtb16 r5, r5",
            "uxtb16 r6, r8, ror #8",
            "uxtb16 r7, r9, ror #8",
            "uxtb16 r8, r8",
            "uxtb16 r9, r9",
            "stmdb r10!, {{r2-r9}}",
            "cmp r10, r11",
            "bne 3b",
            // A record: r1 walks through all of them, r0 down the pair.
            "ldr r1, [r12, #{records}]",
            "4:",
            "ldr r0, [sp, #4]",
            "ldm r1, {{r2-r5}}",
            "ldm r1!, {{r6-r9}}",
            "vldmia r1!, {{s8-s11}}",
            $enter,
            "5:",
            round!(),
            "7:",
            round!(),
            "cmp sp, r0",
            "bne 5b",
            "vmov s0, s1, r2, r3",
            "vmov s2, s3, r4, r5",
            "vmov s4, s5, r6, r7",
            "vmov s6, s7, r8, r9",
            steps!("s0" * "s8", "s1" * "s9", "s2" * "s10", "s3" * "s11"),
            steps!("s4" * "s8", "s5" * "s9", "s6" * "s10", "s7" * "s11"),
            "vmov r2, r3, s0, s1",
            "vmov r4, r5, s2, s3",
            "vmov r6, r7, s4, s5",
            "vmov r8, r9, s6, s7",
            "vmov r10, r11, s12, s13",
            "vmov r0, lr, s14, s15",
            clamp!("r0", "6", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"),
            pack!("r2", "r3", "r4", "r5"),
            pack!("r6", "r7", "r8", "r9"),
            "cmp r1, lr",
            "str r6, [r10, r11]",
            "str r2, [r10], #4",
            "vmov s12, r10",
            "bne 4b",
            "ldr r12, [sp]",
            "ldr r0, [r12, #{pairs}]",
            "subs r0, r0, #1",
            "str r0, [r12, #{pairs}]",
            "bne 2b",
            "ldr r1, [r12, #{rounds}]",
            "lsl r1, r1, #5",
            "add sp, sp, #8",
            "add sp, sp, r1",
            "pop {{r4-r11, pc}}",
            y = const offset_of!(Pairs, y),
            pairs = const offset_of!(Pairs, pairs),
            records = const offset_of!(Pairs, records),
            rounds = const offset_of!(Pairs, rounds),
        )
    };
}

/// Computes all records' outputs for pairs of pixels, with an even number of rounds.
///
/// # Safety
/// Records lie up to `end`, four outputs each; both pixels of each pair can be read by whole
/// rounds, and their outputs of these records be written.
#[unsafe(naked)]
unsafe extern "C" fn pairs_even(arguments: &mut Pairs) {
    pairs!("")
}

/// The same with an odd number of rounds.
///
/// # Safety
/// As [`pairs_even`].
#[unsafe(naked)]
unsafe extern "C" fn pairs_odd(arguments: &mut Pairs) {
    pairs!("b 7f")
}
