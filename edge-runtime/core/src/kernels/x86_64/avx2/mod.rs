//! AVX2. Its byte multiply, VPMADDUBSW, adds two products in 16 bits and saturates there, which
//! weights of 7 bits never reach. Where there are larger ones, bytes are widened and VPMADDWD
//! multiplies pairs of 16-bit numbers.

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
