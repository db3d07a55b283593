//! Text that several naked functions share.

/// Begins every naked function: the compiler does not tell the assembler what the processor has.
/// The Cortex-M4 has what all that are meant have in common.
macro_rules! processor {
    () => {
        ".cpu cortex-m4\n"
    };
}

/// Requantizes accumulators in `s` registers whose products with the multipliers `m` follow the
/// formula of [`super::instructions`]: leaves whole numbers of steps, without the zero point.
macro_rules! steps {
    ($($s:literal * $m:literal),+) => {
        concat! {
            $("vcvt.f32.s32 ", $s, ", ", $s, "\n",)+
            $("vmul.f32 ", $s, ", ", $s, ", ", $m, "\n",)+
            $("vcvtr.s32.f32 ", $s, ", ", $s, "\n",)+
        }
    };
}

/// Adds the zero point to steps and clamps them to 8 bits. `zero` is a low register; where it is 0,
/// as it is after every ReLU, one branch saves the additions. `skip` is a label of its own.
macro_rules! clamp {
    ($zero:literal, $skip:literal, $($r:literal),+) => {
        concat! {
            "cbz ", $zero, ", ", $skip, "f\n",
            $("qadd ", $r, ", ", $r, ", ", $zero, "\n",)+
            $skip, ":\n",
            $("usat ", $r, ", #8, ", $r, "\n",)+
        }
    };
}

/// Four bytes as one word, in `a`; `c` is overwritten.
macro_rules! pack {
    ($a:literal, $b:literal, $c:literal, $d:literal) => {
        concat! {
            "orr ", $a, ", ", $a, ", ", $b, ", lsl #8\n",
            "orr ", $c, ", ", $c, ", ", $d, ", lsl #8\n",
            "orr ", $a, ", ", $a, ", ", $c, ", lsl #16\n",
        }
    };
}

pub(super) use {clamp, pack, processor, steps};
