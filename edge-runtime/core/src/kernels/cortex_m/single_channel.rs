//! Convolution of 3 x 3 over one channel: a window is five pairs in registers, and all outputs'
//! weights pass by.
//!
//! Of a row's three bytes the outer two are a pair (UXTB16 gives them at once), the middle ones of
//! the first two rows are another.

use super::assembly::{clamp, pack, processor, steps};
use super::instructions::{sxtb16, sxtb16_odd};
use crate::kernels::Kernels;
use crate::kernels::call::RowCall;
use crate::kernels::layout::{BLOCK, DEPTH, block_index};
use core::arch::naked_asm;
use core::mem::{MaybeUninit, offset_of};

const ROWS: usize = 3;
/// Bytes from a row's weights to the next row's.
const STEP: usize = BLOCK * DEPTH;
const OUTPUTS: usize = 4;
/// Words of a record: multipliers, then for each output its bias and five pairs of weights.
const RECORD: usize = OUTPUTS + OUTPUTS * 6;
/// Records for which there is room: 1,792 bytes.
const RECORDS: usize = 16;

pub(super) fn single_channel(mut call: RowCall) {
    let (pixels, stride, outputs) = (call.pixels(), call.stride(), call.outputs());
    let (weights, channels) = (call.weights(), *call.channels());
    let (&[row0, row1, row2], y) = call.slices() else { return (Kernels::SCALAR.single_channel)(call) };
    if outputs < OUTPUTS {
        return (Kernels::SCALAR.single_channel)(call);
    }
    let mut records = [MaybeUninit::<u32>::uninit(); RECORD * RECORDS];
    let mut first = 0;
    while first < outputs {
        // The last outputs, where they are no whole record, make one together with outputs before them.
        let from = first.min(outputs - OUTPUTS);
        let count = ((outputs - from) / OUTPUTS).min(RECORDS);
        // A fourth column, where a kernel has one, spoils the pairs.
        let mut fourth = 0;
        // SAFETY: `count` records have room. `from + count * OUTPUTS` is at most `outputs`, and so many
        // biases, multipliers and rows of weights of three steps exist.
        let end = unsafe {
            let mut to = records.as_mut_ptr().cast::<u32>();
            for record in (from..).step_by(OUTPUTS).take(count) {
                to.cast::<[f32; OUTPUTS]>()
                    .write(channels.multiplier().as_ptr().add(record).cast::<[f32; OUTPUTS]>().read());
                to = to.add(OUTPUTS);
                for output in record..record + OUTPUTS {
                    to.cast::<i32>().write(channels.bias().as_ptr().add(output).read());
                    let at = block_index(output, 0, ROWS * DEPTH);
                    let rows = [0, 1, 2]
                        .map(|row| weights.as_ptr().add(at + row * STEP).cast::<u32>().read_unaligned());
                    fourth |= rows[0] >> 24 | rows[1] >> 24;
                    to.add(1).cast::<[u32; 5]>().write(expand(rows));
                    to = to.add(6);
                }
            }
            to.cast_const()
        };
        if fourth != 0 {
            return (Kernels::SCALAR.single_channel)(call);
        }
        let mut row = Row {
            rows: [row0.as_ptr(), row1.as_ptr(), row2.as_ptr()],
            stride,
            zero: channels.zero().into(),
            end,
            y: y.as_mut_ptr().wrapping_add(from),
            jump: outputs - count * OUTPUTS,
            records: records.as_ptr().cast(),
            pixels,
        };
        // SAFETY: four bytes at each window's column can be read in each row; `y` has `outputs` bytes for
        // each pixel, at least `from + 4 * count`.
        unsafe { windows(&mut row) };
        first = from + count * OUTPUTS;
    }
}

/// The pairs of weights, in the order of a window's pairs.
fn expand([a, b, c]: [u32; ROWS]) -> [u32; 5] {
    let middle = (sxtb16_odd(a) & 0xFFFF) | sxtb16_odd(b) << 16;
    [sxtb16(a), sxtb16(b), sxtb16(c), middle, sxtb16_odd(c)]
}

#[repr(C)]
struct Row {
    /// Where the next window begins in each row, moved on.
    rows: [*const u8; ROWS],
    /// Columns from one window to the next.
    stride: usize,
    zero: u32,
    end: *const u32,
    records: *const u32,
    y: *mut u8,
    /// Outputs that others compute, between one pixel and the next.
    jump: usize,
    /// Pixels to do, 1 or more; counted down.
    pixels: usize,
}

/// One output in `$acc`: bias and weights from r12 on, the window in r0 to r4.
macro_rules! output {
    ($acc:literal) => {
        concat! {
            "ldm r12!, {{", $acc, ", r7-r11}}\n",
            "smlad ", $acc, ", r0, r7, ", $acc, "\n",
            "smlad ", $acc, ", r1, r8, ", $acc, "\n",
            "smlad ", $acc, ", r2, r9, ", $acc, "\n",
            "smlad ", $acc, ", r3, r10, ", $acc, "\n",
            "smlad ", $acc, ", r4, r11, ", $acc, "\n",
        }
    };
}

/// Computes all records' outputs for a row of pixels; lr walks along the outputs.
///
/// # Safety
/// Records lie up to `end`, four outputs each; four bytes at each window's column can be read, and
/// `y` be written.
#[unsafe(naked)]
unsafe extern "C" fn windows(row: &mut Row) {
    naked_asm!(
        processor!(),
        "push {{r0, r4-r11, lr}}",
        "ldr lr, [r0, #{y}]",
        "ldrd r1, r2, [r0, #{zero}]",
        "vmov s8, s9, r1, r2",
        "2:",
        "ldr r12, [sp]",
        "ldm r12, {{r0-r3}}",
        "ldr r5, [r0]",
        "ldr r6, [r1]",
        "ldr r7, [r2]",
        "add r0, r0, r3",
        "add r1, r1, r3",
        "add r2, r2, r3",
        "stm r12, {{r0-r2}}",
        "uxtb16 r0, r5",
        "uxtb16 r1, r6",
        "uxtb16 r2, r7",
        "uxtb16 r5, r5, ror #8",
        "uxtb16 r6, r6, ror #8",
        "uxtb16 r4, r7, ror #8",
        "pkhbt r3, r5, r6, lsl #16",
        "ldr r12, [r12, #{records}]",
        "3:",
        "vldmia r12!, {{s4-s7}}",
        output!("r5"),
        output!("r6"),
        "vmov s0, s1, r5, r6",
        output!("r5"),
        output!("r6"),
        "vmov s2, s3, r5, r6",
        steps!("s0" * "s4", "s1" * "s5", "s2" * "s6", "s3" * "s7"),
        "vmov r8, r9, s0, s1",
        "vmov r10, r11, s2, s3",
        "vmov r5, r6, s8, s9",
        clamp!("r5", "4", "r8", "r9", "r10", "r11"),
        pack!("r8", "r9", "r10", "r11"),
        "cmp r12, r6",
        "str r8, [lr], #4",
        "bne 3b",
        "ldr r12, [sp]",
        "ldrd r0, r1, [r12, #{jump}]",
        "add lr, lr, r0",
        "subs r1, r1, #1",
        "str r1, [r12, #{pixels}]",
        "bne 2b",
        "add sp, sp, #4",
        "pop {{r4-r11, pc}}",
        zero = const offset_of!(Row, zero),
        records = const offset_of!(Row, records),
        y = const offset_of!(Row, y),
        jump = const offset_of!(Row, jump),
        pixels = const offset_of!(Row, pixels),
    )
}
