//! The int8 kernels that every target shares, and the contract between the operators and the ways
//! to compute them.
//!
//! An operator (`pointwise`, `single_channel`, `convolution`, `depthwise`, `add`, `pool`) is a file
//! here: it checks its numbers once, walks over rows and padding in safe code, and calls a *row
//! kernel* of the [`Kernels`] it is given. Row kernels are the only part that differs between
//! machines, and twin files with one API hold them:
//!
//! | folder | needs | notes |
//! | --- | --- | --- |
//! | `scalar` | nothing | the truth: every other set must give the same bytes |
//! | `x86_64` | AVX2, or AVX-512 with VNNI and VBMI | found at run time |
//! | `aarch64` | NEON (SMLAL), or the dot product extension (SDOT) | found at run time |
//! | `cortex_m` | ARMv7E-M with DSP and FPU | the feature `cortex-m-dsp` |
//!
//! What they all agree on:
//!
//! - Activations are unsigned 8 bits, height x width x channels (NHWC), tight. A machine that
//!   multiplies signed by signed reads them as `q ^ 0x80` and starts from
//!   [`RequantParams::signed_bias`].
//! - Weights are signed 8 bits in the layouts of [`layout`]; the input's zero point is folded into
//!   the bias, so padding is filled with that zero point and nothing is subtracted in a loop.
//! - An accumulator becomes an output by [`requantize`], the formula of ONNX QLinearConv in
//!   onnxruntime.
//! - A row kernel cannot fail: the constructor of its `Call` has refused every slice that is too
//!   short. Where safe code still has to ask for a part of one, it says so with `proven`.

pub mod add;
pub mod convolution;
pub mod depthwise;
pub mod layout;
pub mod pointwise;
pub mod pool;
mod requantize;
pub mod row;
mod rows;
mod sets;
pub mod single_channel;
mod size;
pub mod suite;
pub mod window;

#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code)]
mod aarch64;
#[cfg(all(target_arch = "arm", feature = "cortex-m-dsp"))]
#[allow(unsafe_code)]
mod cortex_m;
mod scalar;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86_64;

pub use requantize::requantize;
pub use sets::{ALL, Set, best, by_name};
pub use size::MAX_BYTES;
pub use window::{Shape, Window};

use core::fmt;

/// One way to compute every operator. Only [`Set::kernels`] and [`Kernels::SCALAR`] hand one out,
/// after the machine was asked for what it needs.
#[derive(Clone, Copy)]
pub struct Kernels {
    name: &'static str,
    pointwise: fn(pointwise::Call),
    single_channel: fn(row::Call),
    depthwise: fn(row::Call),
    add: fn(add::Call),
    sums: fn(pool::Call),
}

impl Kernels {
    /// The truth, on every machine.
    pub const SCALAR: Kernels = scalar::KERNELS;

    /// The name, such as `scalar` or `vnni`.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernels({})", self.name)
    }
}

/// What turns an accumulator of each output channel into an output. Slices are as long as the
/// channels rounded up to [`layout::BLOCK`]; what lies beyond the channels is 0 and never stored.
#[derive(Clone, Copy, Debug)]
pub struct RequantParams<'a> {
    bias: &'a [i32],
    signed_bias: &'a [i32],
    multiplier: &'a [f32],
    zero: u8,
}

impl<'a> RequantParams<'a> {
    /// `bias` is that of the ONNX file minus the input's zero point times the sum of the weights,
    /// `signed_bias` is `bias` plus 128 times the sum of the weights, `multiplier` is `(x_scale
    /// * w_scale) / y_scale` in f32, `zero` the output's zero point.
    ///
    /// # Errors
    /// [`ShapeMismatch`] where a slice is not of the length for `count` channels.
    pub fn new(
        count: usize,
        bias: &'a [i32],
        signed_bias: &'a [i32],
        multiplier: &'a [f32],
        zero: u8,
    ) -> Result<Self, ShapeMismatch> {
        let expected = layout::padded(count);
        if bias.len() == expected && signed_bias.len() == expected && multiplier.len() == expected {
            Ok(Self { bias, signed_bias, multiplier, zero })
        } else {
            Err(ShapeMismatch { what: "numbers of the channels" })
        }
    }

    /// Accumulators start here where activations are read as unsigned.
    pub fn bias(&self) -> &'a [i32] {
        self.bias
    }

    /// Accumulators start here where activations are read as `q ^ 0x80`, signed.
    pub fn signed_bias(&self) -> &'a [i32] {
        self.signed_bias
    }

    /// Accumulator to steps of the output.
    pub fn multiplier(&self) -> &'a [f32] {
        self.multiplier
    }

    /// The output's zero point.
    pub fn zero(&self) -> u8 {
        self.zero
    }

    /// The same numbers for some of the channels, which begin at a multiple of [`layout::BLOCK`].
    fn part(&self, first: usize, count: usize) -> Result<Self, ShapeMismatch> {
        let range = first..first.saturating_add(layout::padded(count));
        let wrong = ShapeMismatch { what: "channels of a group" };
        Ok(Self {
            bias: self.bias.get(range.clone()).ok_or(wrong)?,
            signed_bias: self.signed_bias.get(range.clone()).ok_or(wrong)?,
            multiplier: self.multiplier.get(range).ok_or(wrong)?,
            zero: self.zero,
        })
    }
}

/// A part of a slice of which a `Call`'s constructor has proved that it is there. Were it not, it
/// would be empty: that keeps panics out of the linked program, and is no silent answer, because
/// tests are built with the assertion and the suite compares every byte of every set.
#[inline(always)]
fn proven<T>(slice: &[T], part: impl core::slice::SliceIndex<[T], Output = [T]>) -> &[T] {
    let part = slice.get(part);
    debug_assert!(part.is_some(), "a `Call` that proves too little");
    part.unwrap_or(&[])
}

/// Slices that do not fit an operator's shape: a mistake of the caller, or a damaged model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeMismatch {
    /// What does not fit.
    pub what: &'static str,
}

impl fmt::Display for ShapeMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} as long as the operator's shape says; pack the model again", self.what)
    }
}

impl core::error::Error for ShapeMismatch {}
