//! The memory that the suite works in.

/// Memory that the suite works in; each slice at least as long as [`Memory`]'s constants say.
#[derive(Debug)]
pub struct Memory<'a> {
    /// [`Memory::VALUE`] bytes: a value.
    pub x: &'a mut [u8],
    /// [`Memory::VALUE`] bytes: another value.
    pub y: &'a mut [u8],
    /// [`Memory::VALUE`] bytes: what is expected.
    pub expected: &'a mut [u8],
    /// [`Memory::VALUE`] bytes: scratch memory of the operators.
    pub scratch: &'a mut [u8],
    /// [`Memory::WEIGHTS`] weights in ONNX's order.
    pub onnx: &'a mut [i8],
    /// [`Memory::WEIGHTS`] weights in the kernels' layout.
    pub packed: &'a mut [i8],
    /// [`Memory::CHANNELS`] biases, and as many again and again: ONNX's, unsigned, signed.
    pub biases: [&'a mut [i32]; 3],
    /// [`Memory::CHANNELS`] multipliers of accumulators.
    pub multipliers: &'a mut [f32],
    /// [`Memory::CHANNELS`] sums of the pool.
    pub sums: &'a mut [u32],
}

impl Memory<'_> {
    /// Bytes of a value.
    pub const VALUE: usize = 20 * 1024;
    /// Weights of an operator.
    pub const WEIGHTS: usize = 24 * 1024;
    /// Channels, rounded up to blocks.
    pub const CHANNELS: usize = 256;
}
