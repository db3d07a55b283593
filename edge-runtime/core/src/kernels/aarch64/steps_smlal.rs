//! Steps of packed pixels times weights by SMULL and SMLAL, for the tiles of
//! [`pointwise_smlal`](super::pointwise_smlal): products of two steps are added in 16 bits before they
//! are widened, or of four where weights have 7 bits.

use core::arch::aarch64::*;
use core::arch::asm;

/// Pixels of a tile: two by eight accumulators of half an output each.
pub(super) const PIXELS: usize = 2;

/// Sums of four outputs, each in two parts.
pub(super) type Four = [int32x4_t; 2];

/// Sums of a tile: `4 * Q` outputs of each pixel.
pub(super) type Tile<const Q: usize> = [[Four; Q]; PIXELS];

/// Adds `steps` steps of packed pixels times weights. `NEW` is for sums that are 0 still: the first
/// steps do not read them; `NARROW` for weights of 7 bits.
///
/// # Safety
/// `x` points to 16 bytes for each step and each of two pixels, `weights` to 64 bytes a step.
#[inline(always)]
pub(super) unsafe fn accumulate<const Q: usize, const NEW: bool, const NARROW: bool>(
    acc: &mut Tile<Q>,
    mut x: *const i8,
    mut weights: *const i8,
    steps: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut fours = steps / 4;
        if NEW && fours > 0 {
            four_steps::<Q, true, NARROW, 0>(acc, x, weights);
            x = x.add(128);
            weights = weights.add(256);
            fours -= 1;
        }
        for _ in 0..fours / 2 {
            four_steps::<Q, false, NARROW, 0>(acc, x, weights);
            four_steps::<Q, false, NARROW, 256>(acc, x.add(128), weights);
            x = x.add(256);
            weights = weights.add(512);
        }
        if fours % 2 == 1 {
            four_steps::<Q, false, NARROW, 0>(acc, x, weights);
            x = x.add(128);
            weights = weights.add(256);
        }
        if steps % 4 >= 2 {
            two_steps::<Q, false, 0, 0>(acc, x, weights);
            x = x.add(64);
            weights = weights.add(128);
        }
        if steps % 2 == 1 {
            last_step(acc, x, weights);
        }
    }
}

/// Four steps, whose weights begin at byte `AT` of `weights`; `NEW` sets the sums.
///
/// # Safety
/// `x` points to 16 bytes for each of four steps and two pixels, `weights` to `AT` bytes and 64 for
/// each step; `Q` is 2 or 4.
#[inline(always)]
unsafe fn four_steps<const Q: usize, const NEW: bool, const NARROW: bool, const AT: usize>(
    acc: &mut Tile<Q>,
    x: *const i8,
    weights: *const i8,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if NARROW {
            four_narrow_steps::<Q, NEW, AT>(acc, x, weights);
        } else {
            two_steps::<Q, NEW, AT, 0>(acc, x, weights);
            two_steps::<Q, false, AT, 128>(acc, x.add(64), weights);
        }
    }
}

/// Takes a macro for eight outputs as often as a tile of `4 * Q` wants it; where `NEW`, the sums are
/// set.
macro_rules! all_outputs {
    ($eight_outputs:ident, $Q:expr, $NEW:expr, $acc:expr, $weights:expr, $at:expr, $x:expr) => {
        let [a, b] = $acc;
        if $NEW {
            $eight_outputs!("saddlp", out, a, b, 0, $weights, $at, $x);
        } else {
            $eight_outputs!("sadalp", inout, a, b, 0, $weights, $at, $x);
        }
        if $Q == 4 && $NEW {
            $eight_outputs!("saddlp", out, a, b, 2, $weights, $at + 32, $x);
        } else if $Q == 4 {
            $eight_outputs!("sadalp", inout, a, b, 2, $weights, $at + 32, $x);
        }
    };
}

/// An `asm!` over the sums of eight outputs of both pixels, from the `$q`-th four on: LLVM's own
/// order of these instructions, and of their loads, takes more registers than there are.
macro_rules! on_sums {
    ($sum:ident, $a:expr, $b:expr, $q:expr, [$($line:expr),* $(,)?], $($operand:tt)*) => {
        asm!(
            $($line,)*
            a0 = $sum(vreg) $a[$q][0],
            a1 = $sum(vreg) $a[$q][1],
            a2 = $sum(vreg) $a[$q + 1][0],
            a3 = $sum(vreg) $a[$q + 1][1],
            b0 = $sum(vreg) $b[$q][0],
            b1 = $sum(vreg) $b[$q][1],
            b2 = $sum(vreg) $b[$q + 1][0],
            b3 = $sum(vreg) $b[$q + 1][1],
            w0 = out(vreg) _,
            w1 = out(vreg) _,
            w2 = out(vreg) _,
            w3 = out(vreg) _,
            t0 = out(vreg) _,
            t1 = out(vreg) _,
            t2 = out(vreg) _,
            t3 = out(vreg) _,
            $($operand)*
            options(pure, readonly, nostack, preserves_flags),
        )
    };
}

/// Eight outputs' products of two steps, added in 16 bits and then to the sums (or as the sums).
macro_rules! eight_outputs {
    ($add:literal, $sum:ident, $a:expr, $b:expr, $q:expr, $weights:expr, $at:expr, $x:expr) => {
        on_sums!($sum, $a, $b, $q, [
            "ldp {w0:q}, {w1:q}, [{weights}, #{first}]",
            "ldp {w2:q}, {w3:q}, [{weights}, #{second}]",
            "smull  {t0:v}.8h, {w0:v}.8b,  {x0:v}.8b",
            "smull2 {t1:v}.8h, {w0:v}.16b, {x0:v}.16b",
            "smull  {t2:v}.8h, {w0:v}.8b,  {y0:v}.8b",
            "smull2 {t3:v}.8h, {w0:v}.16b, {y0:v}.16b",
            "smlal  {t0:v}.8h, {w2:v}.8b,  {x1:v}.8b",
            "smlal2 {t1:v}.8h, {w2:v}.16b, {x1:v}.16b",
            "smlal  {t2:v}.8h, {w2:v}.8b,  {y1:v}.8b",
            "smlal2 {t3:v}.8h, {w2:v}.16b, {y1:v}.16b",
            concat!($add, " {a0:v}.4s, {t0:v}.8h"),
            concat!($add, " {a1:v}.4s, {t1:v}.8h"),
            concat!($add, " {b0:v}.4s, {t2:v}.8h"),
            concat!($add, " {b1:v}.4s, {t3:v}.8h"),
            "smull  {t0:v}.8h, {w1:v}.8b,  {x0:v}.8b",
            "smull2 {t1:v}.8h, {w1:v}.16b, {x0:v}.16b",
            "smull  {t2:v}.8h, {w1:v}.8b,  {y0:v}.8b",
            "smull2 {t3:v}.8h, {w1:v}.16b, {y0:v}.16b",
            "smlal  {t0:v}.8h, {w3:v}.8b,  {x1:v}.8b",
            "smlal2 {t1:v}.8h, {w3:v}.16b, {x1:v}.16b",
            "smlal  {t2:v}.8h, {w3:v}.8b,  {y1:v}.8b",
            "smlal2 {t3:v}.8h, {w3:v}.16b, {y1:v}.16b",
            concat!($add, " {a2:v}.4s, {t0:v}.8h"),
            concat!($add, " {a3:v}.4s, {t1:v}.8h"),
            concat!($add, " {b2:v}.4s, {t2:v}.8h"),
            concat!($add, " {b3:v}.4s, {t3:v}.8h"),
            ],
            weights = in(reg) $weights,
            first = const $at,
            second = const $at + 64,
            x0 = in(vreg) $x[0],
            y0 = in(vreg) $x[1],
            x1 = in(vreg) $x[2],
            y1 = in(vreg) $x[3],
        )
    };
}

/// Two steps, whose products are added in 16 bits; `NEW` sets the sums. Their weights begin at byte
/// `AT + MORE` of `weights`.
///
/// # Safety
/// `x` points to 16 bytes for each of two steps and two pixels, `weights` to `AT + MORE` bytes and 64
/// for each step; `Q` is 2 or 4.
#[inline(always)]
unsafe fn two_steps<const Q: usize, const NEW: bool, const AT: usize, const MORE: usize>(
    acc: &mut Tile<Q>,
    x: *const i8,
    weights: *const i8,
) {
    // SAFETY: the caller's promise; each `asm!` reads 32 bytes of weights in both steps.
    unsafe {
        let x = [vld1q_s8(x), vld1q_s8(x.add(16)), vld1q_s8(x.add(32)), vld1q_s8(x.add(48))];
        all_outputs!(eight_outputs, Q, NEW, acc, weights, AT + MORE, x);
    }
}

/// Eight outputs' products of four steps, whose weights have 7 bits, added in 16 bits and then to the
/// sums (or as the sums); see [`eight_outputs`].
macro_rules! eight_narrow_outputs {
    ($add:literal, $sum:ident, $a:expr, $b:expr, $q:expr, $weights:expr, $at:expr, $x:expr) => {
        on_sums!($sum, $a, $b, $q, [
            "ldp {w0:q}, {w1:q}, [{weights}, #{first}]",
            "ldp {x0:q}, {x1:q}, [{x}]",
            "ldp {w2:q}, {w3:q}, [{weights}, #{second}]",
            "smull  {t0:v}.8h, {w0:v}.8b, {x0:v}.8b",
            "smull2 {t1:v}.8h, {w0:v}.16b, {x0:v}.16b",
            "smull  {t2:v}.8h, {w0:v}.8b, {x1:v}.8b",
            "smull2 {t3:v}.8h, {w0:v}.16b, {x1:v}.16b",
            "smull  {t4:v}.8h, {w1:v}.8b, {x0:v}.8b",
            "smull2 {t5:v}.8h, {w1:v}.16b, {x0:v}.16b",
            "smull  {t6:v}.8h, {w1:v}.8b, {x1:v}.8b",
            "smull2 {t7:v}.8h, {w1:v}.16b, {x1:v}.16b",
            "ldp {x0:q}, {x1:q}, [{x}, #32]",
            "ldp {w0:q}, {w1:q}, [{weights}, #{third}]",
            "smlal  {t0:v}.8h, {w2:v}.8b, {x0:v}.8b",
            "smlal2 {t1:v}.8h, {w2:v}.16b, {x0:v}.16b",
            "smlal  {t2:v}.8h, {w2:v}.8b, {x1:v}.8b",
            "smlal2 {t3:v}.8h, {w2:v}.16b, {x1:v}.16b",
            "smlal  {t4:v}.8h, {w3:v}.8b, {x0:v}.8b",
            "smlal2 {t5:v}.8h, {w3:v}.16b, {x0:v}.16b",
            "smlal  {t6:v}.8h, {w3:v}.8b, {x1:v}.8b",
            "smlal2 {t7:v}.8h, {w3:v}.16b, {x1:v}.16b",
            "ldp {x0:q}, {x1:q}, [{x}, #64]",
            "ldp {w2:q}, {w3:q}, [{weights}, #{fourth}]",
            "smlal  {t0:v}.8h, {w0:v}.8b, {x0:v}.8b",
            "smlal2 {t1:v}.8h, {w0:v}.16b, {x0:v}.16b",
            "smlal  {t2:v}.8h, {w0:v}.8b, {x1:v}.8b",
            "smlal2 {t3:v}.8h, {w0:v}.16b, {x1:v}.16b",
            "smlal  {t4:v}.8h, {w1:v}.8b, {x0:v}.8b",
            "smlal2 {t5:v}.8h, {w1:v}.16b, {x0:v}.16b",
            "smlal  {t6:v}.8h, {w1:v}.8b, {x1:v}.8b",
            "smlal2 {t7:v}.8h, {w1:v}.16b, {x1:v}.16b",
            "ldp {x0:q}, {x1:q}, [{x}, #96]",
            "smlal  {t0:v}.8h, {w2:v}.8b, {x0:v}.8b",
            "smlal2 {t1:v}.8h, {w2:v}.16b, {x0:v}.16b",
            "smlal  {t2:v}.8h, {w2:v}.8b, {x1:v}.8b",
            "smlal2 {t3:v}.8h, {w2:v}.16b, {x1:v}.16b",
            "smlal  {t4:v}.8h, {w3:v}.8b, {x0:v}.8b",
            "smlal2 {t5:v}.8h, {w3:v}.16b, {x0:v}.16b",
            "smlal  {t6:v}.8h, {w3:v}.8b, {x1:v}.8b",
            "smlal2 {t7:v}.8h, {w3:v}.16b, {x1:v}.16b",
            concat!($add, " {a0:v}.4s, {t0:v}.8h"),
            concat!($add, " {a1:v}.4s, {t1:v}.8h"),
            concat!($add, " {b0:v}.4s, {t2:v}.8h"),
            concat!($add, " {b1:v}.4s, {t3:v}.8h"),
            concat!($add, " {a2:v}.4s, {t4:v}.8h"),
            concat!($add, " {a3:v}.4s, {t5:v}.8h"),
            concat!($add, " {b2:v}.4s, {t6:v}.8h"),
            concat!($add, " {b3:v}.4s, {t7:v}.8h"),
            ],
            weights = in(reg) $weights,
            x = in(reg) $x,
            first = const $at,
            second = const $at + 64,
            third = const $at + 128,
            fourth = const $at + 192,
            x0 = out(vreg) _,
            x1 = out(vreg) _,
            t4 = out(vreg) _,
            t5 = out(vreg) _,
            t6 = out(vreg) _,
            t7 = out(vreg) _,
        )
    };
}

/// Four steps of weights of 7 bits, as [`four_steps`].
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn four_narrow_steps<const Q: usize, const NEW: bool, const AT: usize>(
    acc: &mut Tile<Q>,
    x: *const i8,
    weights: *const i8,
) {
    // SAFETY: the caller's promise; each `asm!` reads 32 bytes of weights in the four steps, and all of
    // the pixels.
    unsafe {
        all_outputs!(eight_narrow_outputs, Q, NEW, acc, weights, AT, x);
    }
}

/// Sums of neighbours. An `asm!`, because LLVM makes four instructions of `vpaddq_s32` and an
/// addition.
///
/// # Safety
/// NEON is there.
#[inline(always)]
pub(super) unsafe fn neighbours([low, high]: Four) -> int32x4_t {
    let sums;
    // SAFETY: computes on registers only.
    unsafe {
        asm!("addp {0:v}.4s, {1:v}.4s, {2:v}.4s", lateout(vreg) sums, in(vreg) low, in(vreg) high,
            options(pure, nomem, nostack, preserves_flags));
    }
    sums
}

/// The step that is left where their number is odd.
///
/// # Safety
/// `x` points to 16 bytes for each of two pixels, `weights` to 64 bytes.
#[inline(always)]
unsafe fn last_step<const Q: usize>(acc: &mut Tile<Q>, x: *const i8, weights: *const i8) {
    for (p, acc) in acc.iter_mut().enumerate() {
        for (q, acc) in acc.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            unsafe {
                let (w, x) = (vld1q_s8(weights.add(16 * q)), vld1q_s8(x.add(16 * p)));
                acc[0] = vpadalq_s16(acc[0], vmull_s8(vget_low_s8(w), vget_low_s8(x)));
                acc[1] = vpadalq_s16(acc[1], vmull_high_s8(w, x));
            }
        }
    }
}
