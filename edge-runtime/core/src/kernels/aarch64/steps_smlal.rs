//! Steps of packed pixels times weights by SMULL and SMLAL, for the tiles of
//! [`pointwise_smlal`](super::pointwise_smlal): products of two steps are added in 16 bits before they
//! are widened, or of four where weights have 7 bits.

use core::arch::aarch64::*;
use core::arch::asm;

/// Pixels of a tile: four by four accumulators of two outputs' halves each.
pub(super) const PIXELS: usize = 4;

/// Sums of a tile: eight outputs of each pixel, two halves of two outputs a register.
pub(super) type Tile = [[int32x4_t; 4]; PIXELS];

/// A place in packed pixels and in weights.
type Place = (*const i8, *const i8);

/// Adds `steps` steps of packed pixels times weights. `NEW` is for sums that are 0 still: the first
/// steps do not read them; `NARROW` for weights of 7 bits.
///
/// # Safety
/// `x` points to chunks of 16 inputs for each pixel of the tile, as many as `steps` take; `weights` to
/// 64 bytes a step, the first 32 of which are the tile's.
#[inline(always)]
pub(super) unsafe fn accumulate<const NEW: bool, const NARROW: bool>(
    acc: &mut Tile,
    (mut x, mut weights): Place,
    steps: usize,
) {
    let mut fours = steps / 4;
    // SAFETY: the caller's promise: a chunk of inputs are four steps.
    unsafe {
        if NEW && fours > 0 {
            (x, weights) = four_steps::<true, NARROW>(acc, (x, weights));
            fours -= 1;
        }
        for _ in 0..fours / 2 {
            (x, weights) = four_steps::<false, NARROW>(acc, (x, weights));
            (x, weights) = four_steps::<false, NARROW>(acc, (x, weights));
        }
        if fours % 2 == 1 {
            (x, weights) = four_steps::<false, NARROW>(acc, (x, weights));
        }
        if steps % 4 >= 2 {
            weights = two_steps::<false>(acc, (x, weights)).1;
            x = x.add(8);
        }
        if steps % 2 == 1 {
            one_step(acc, (x, weights));
        }
    }
}

/// A chunk of inputs; `NEW` sets the sums. Returns the next place.
///
/// # Safety
/// The place has that chunk for each pixel, and 64 bytes of weights for each of four steps.
#[inline(always)]
unsafe fn four_steps<const NEW: bool, const NARROW: bool>(acc: &mut Tile, (x, weights): Place) -> Place {
    // SAFETY: the caller's promise.
    unsafe {
        if NARROW {
            return four_narrow_steps::<NEW>(acc, (x, weights));
        }
        let (next, weights) = two_steps::<NEW>(acc, (x, weights));
        (next, two_steps::<false>(acc, (x.add(8), weights)).1)
    }
}

/// A step's products of eight outputs of a pixel, in 16 bits: `$w` and `$v` are its weights, `$x` the
/// pixel's four inputs of the step, repeated to fill a register.
macro_rules! products {
    ($multiply:literal, $w:literal, $v:literal, $x:literal) => {
        concat! {
            $multiply, " v12.8h, v", $w, ".8b, v", $x, ".8b\n",
            $multiply, "2 v13.8h, v", $w, ".16b, v", $x, ".16b\n",
            $multiply, " v14.8h, v", $v, ".8b, v", $x, ".8b\n",
            $multiply, "2 v15.8h, v", $v, ".16b, v", $x, ".16b\n",
        }
    };
}

/// Adds the products to a pixel's sums, or makes them the sums.
macro_rules! widen {
    ($add:literal, [$a:literal, $b:literal, $c:literal, $d:literal]) => {
        concat! {
            $add, " v", $a, ".4s, v12.8h\n",
            $add, " v", $b, ".4s, v13.8h\n",
            $add, " v", $c, ".4s, v14.8h\n",
            $add, " v", $d, ".4s, v15.8h\n",
        }
    };
}

/// An `asm!` over a tile: `$weights` are loaded, then each pixel's inputs (while the products before
/// them are widened), and multiplied by `$chain`. It takes all registers; LLVM's own order of these
/// instructions would take more.
macro_rules! tile {
    ($acc:ident, $place:ident, $sums:ident, $add:literal, $load:literal, [$($weights:literal),*], $chain:expr) => {{
        let [a, b, c, d] = $acc;
        let (mut x, mut weights) = $place;
        asm!(
            $load,
            $($weights,)*
            $chain,
            $load,
            widen!($add, [16, 17, 18, 19]),
            $chain,
            $load,
            widen!($add, [20, 21, 22, 23]),
            $chain,
            $load,
            widen!($add, [24, 25, 26, 27]),
            $chain,
            widen!($add, [28, 29, 30, 31]),
            x = inout(reg) x,
            chunk = in(reg) 16_usize,
            weights = inout(reg) weights,
            $sums("v16") a[0], $sums("v17") a[1], $sums("v18") a[2], $sums("v19") a[3],
            $sums("v20") b[0], $sums("v21") b[1], $sums("v22") b[2], $sums("v23") b[3],
            $sums("v24") c[0], $sums("v25") c[1], $sums("v26") c[2], $sums("v27") c[3],
            $sums("v28") d[0], $sums("v29") d[1], $sums("v30") d[2], $sums("v31") d[3],
            out("v0") _, out("v1") _, out("v2") _, out("v3") _,
            out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _,
            out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            options(pure, readonly, nostack, preserves_flags),
        );
        (x, weights)
    }};
}

/// Four steps of weights of 7 bits, as [`four_steps`].
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn four_narrow_steps<const NEW: bool>(acc: &mut Tile, place: Place) -> Place {
    macro_rules! run {
        ($sums:ident, $add:literal) => {
            tile!(
                acc,
                place,
                $sums,
                $add,
                "ld4r {{v0.4s - v3.4s}}, [{x}], {chunk}",
                [
                    "ldp q4, q5, [{weights}], #64",
                    "ldp q6, q7, [{weights}], #64",
                    "ldp q8, q9, [{weights}], #64",
                    "ldp q10, q11, [{weights}], #64"
                ],
                concat!(
                    products!("smull", 4, 5, 0),
                    products!("smlal", 6, 7, 1),
                    products!("smlal", 8, 9, 2),
                    products!("smlal", 10, 11, 3),
                )
            )
        };
    }
    // SAFETY: the caller's promise; `4 * 128 * 63` fits 16 bits.
    unsafe { if NEW { run!(out, "saddlp") } else { run!(inout, "sadalp") } }
}

/// Two steps, of eight bytes of each pixel; `NEW` sets the sums. Returns the same bytes of the next
/// chunk, and the next step's weights.
///
/// # Safety
/// `place` is good for two steps.
#[inline(always)]
unsafe fn two_steps<const NEW: bool>(acc: &mut Tile, place: Place) -> Place {
    macro_rules! run {
        ($sums:ident, $add:literal) => {
            tile!(
                acc,
                place,
                $sums,
                $add,
                "ld2r {{v0.4s, v1.4s}}, [{x}], {chunk}",
                ["ldp q4, q5, [{weights}], #64", "ldp q6, q7, [{weights}], #64"],
                concat!(products!("smull", 4, 5, 0), products!("smlal", 6, 7, 1))
            )
        };
    }
    // SAFETY: the caller's promise; `2 * 128 * 127` fits 16 bits.
    unsafe { if NEW { run!(out, "saddlp") } else { run!(inout, "sadalp") } }
}

/// The step that is left where their number is odd.
///
/// # Safety
/// `place` is good for one.
#[inline(always)]
unsafe fn one_step(acc: &mut Tile, place: Place) -> Place {
    // SAFETY: the caller's promise.
    unsafe {
        tile!(
            acc,
            place,
            inout,
            "sadalp",
            "ld1r {{v0.4s}}, [{x}], {chunk}",
            ["ldp q4, q5, [{weights}], #64"],
            products!("smull", 4, 5, 0)
        )
    }
}

/// Sums of neighbours: of four outputs from their halves. An `asm!`, because LLVM makes four
/// instructions of `vpaddq_s32` and an addition.
///
/// # Safety
/// NEON is there.
#[inline(always)]
pub(super) unsafe fn neighbours(low: int32x4_t, high: int32x4_t) -> int32x4_t {
    let sums;
    // SAFETY: computes on registers only.
    unsafe {
        asm!("addp {0:v}.4s, {1:v}.4s, {2:v}.4s", lateout(vreg) sums, in(vreg) low, in(vreg) high,
            options(pure, nomem, nostack, preserves_flags));
    }
    sums
}
