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
//!   multiplies signed by signed reads them as `q ^ 0x80`, or has the rows of a depthwise convolution
//!   copied so, and starts from [`RequantParams::signed_bias`].
//! - Weights are signed bytes in the layouts of [`layout`]. Where all of them have 7 bits
//!   ([`WeightBits`]), a set may add products in 16 bits: two by unsigned activations (VPMADDUBSW),
//!   four by signed ones (SMULL, SMLAL). The input's zero point is folded into
//!   the bias, so padding is filled with that zero point and nothing is subtracted in a loop.
//! - An accumulator becomes an output by [`requantize`], the formula of ONNX QLinearConv in
//!   onnxruntime.
//! - A row kernel cannot fail: the constructor of its call has refused every slice that is too
//!   short. Where safe code still has to ask for a part of one, it says so with `proven`.

pub mod add;
mod call;
pub mod convolution;
pub mod depthwise;
mod dispatch;
pub mod layout;
mod params;
pub mod pointwise;
pub mod pool;
mod requantize;
mod rows;
mod sets;
pub mod single_channel;
mod size;
pub mod suite;
mod weights;
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

pub use dispatch::{Kernels, Set};
pub use params::{RequantParams, ShapeMismatch};
pub use requantize::requantize;
pub use sets::{ALL, best, by_name};
pub use size::MAX_BYTES;
pub use weights::{NARROW_MAX, WeightBits, Weights};
pub use window::{Shape, Window};
