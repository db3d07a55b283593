//! Kernels for ARMv7E-M with DSP instructions and FPU: Cortex-M4F, M7 and, built with `-C
//! target-cpu=cortex-m33` because its target alone does not promise the DSP instructions, M33.
//!
//! SMLAD multiplies two pairs of 16-bit halves and adds both products to an accumulator. So 8-bit
//! numbers are first expanded to pairs by SXTB16 and UXTB16, once for many uses, into buffers on
//! the stack; the loops that then multiply are naked functions, because they need every register,
//! the frame pointer and the stack pointer included: a buffer that begins where the stack pointer
//! points ends a loop that walks down to it without a register for the end.
//!
//! Memory is read by words at any address, which these processors can as long as it is one word at
//! a time.

mod add;
mod assembly;
mod depthwise;
mod instructions;
mod plain;
mod pointwise;
mod pool;
mod single_channel;

use super::{Kernels, Set};

/// Nothing to ask the machine: whoever builds with the feature `cortex-m-dsp` says that it has
/// them.
pub(super) const DSP: Set = Set {
    kernels: Kernels {
        name: "dsp",
        pointwise: pointwise::pointwise,
        single_channel: single_channel::single_channel,
        depthwise: depthwise::depthwise,
        signed_from: usize::MAX,
        add: add::add,
        sums: pool::sums,
    },
    runs_here: || true,
};
