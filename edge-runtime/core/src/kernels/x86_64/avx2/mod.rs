//! AVX2. Its byte multiply saturates in the middle of a sum, so bytes are widened and VPMADDWD multiplies pairs of 16-bit
//! numbers, which is exact.

mod add;
mod depthwise;
mod first;
mod pointwise;
mod pool;
mod requantize;
mod tile;

pub(super) use add::add;
pub(super) use depthwise::depthwise;
pub(super) use first::first;
pub(super) use pointwise::pointwise;
pub(super) use pool::sums;
