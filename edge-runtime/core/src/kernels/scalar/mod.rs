//! The truth: every operator's row kernel in plain Rust. The fast sets must give the same bytes.

mod add;
mod depthwise;
mod pointwise;
mod pool;
mod single_channel;

use super::Kernels;

pub(super) use depthwise::depthwise;

impl Kernels {
    /// The truth, on every machine.
    pub const SCALAR: Kernels = Kernels {
        name: "scalar",
        pointwise: pointwise::pointwise,
        single_channel: single_channel::single_channel,
        depthwise: depthwise::depthwise,
        signed_from: usize::MAX,
        add: add::add,
        sums: pool::sums,
    };
}
