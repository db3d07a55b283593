//! The truth: every operator's row kernel in plain Rust. The fast sets must give the same bytes.

mod add;
mod depthwise;
mod first;
mod pointwise;
mod pool;

use super::Kernels;

pub(super) use depthwise::depthwise;

pub(super) const KERNELS: Kernels = Kernels {
    name: "scalar",
    pointwise: pointwise::pointwise,
    first: first::first,
    depthwise: depthwise::depthwise,
    add: add::add,
    sums: pool::sums,
};
