//! AVX2. Its byte multiply saturates in the middle of a sum, so bytes are widened and VPMADDWD
//! multiplies pairs of 16-bit numbers, which is exact.

mod add;
mod depthwise;
mod pointwise;
mod pool;
mod requantize;
mod single_channel;
mod tile;

pub(super) use add::add;
pub(super) use depthwise::depthwise;
pub(super) use pointwise::pointwise;
pub(super) use pool::sums;
pub(super) use single_channel::single_channel;
