//! AVX-512 with VNNI: VPDPBUSD takes 64 products of unsigned activations and signed weights at a
//! time and adds each four to an output; masks store tails. VBMI's byte shuffles line up the
//! columns of a depthwise convolution.

mod add;
mod depthwise;
mod pointwise;
mod pool;
mod requantize;
mod single_channel;
mod stores;

pub(super) use add::add;
pub(super) use depthwise::depthwise;
pub(super) use pointwise::pointwise;
pub(super) use pool::sums;
pub(super) use single_channel::single_channel;
