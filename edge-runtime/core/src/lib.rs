//! What every Pneumoscope target shares: the trainer, the Linux runtime and the firmware call this
//! code and no copy of it, so that a model is trained on exactly the bytes that a device will show
//! it.
//!
//! A frame flows through one file a stage:
//!
//! ```text
//! frame -> preprocess -> gate -> infer (kernels over the packed model) -> gate -> decide -> agree -> signal
//!                          ^ model (metadata)     ^ packed                         ^ model
//! ```
//!
//! [`pipeline`] is that way in one arena, for a device that never holds a whole frame; [`device`]
//! says what is indicated after which frames, faults and presses; [`ports`] is what a board gives
//! it.
//!
//! Principles:
//!
//! 1. No allocator, no panic on any input: every operation is total or returns a small error enum.
//!    `unsafe` in the fast kernels only.
//! 2. Arithmetic is integer, or float written so that every machine gives the same bits (no fused
//!    multiply-add, `libm` in place of the platform's mathematics).
//! 3. Rows stream: preprocessing never holds a whole frame.
//! 4. Bytes from outside become a checked view once; behind the check no access can fail.
#![no_std]
#![deny(unsafe_code)]
#![warn(missing_docs)]

#[cfg(feature = "std")]
extern crate std;

pub mod agree;
pub mod decide;
pub mod device;
mod divide;
pub mod frame;
pub mod gate;
pub mod infer;
pub mod kernels;
pub mod model;
pub mod packed;
pub mod pipeline;
pub mod ports;
pub mod preprocess;
pub mod reason;
pub mod signal;

pub use decide::{Decision, State, decide};
pub use frame::{Frame, FrameError, Geometry, PixelFormat};
pub use infer::Engine;
pub use model::{Metadata, MetadataError, MetadataView};
pub use packed::Packed;
pub use pipeline::Pipeline;
pub use preprocess::{PixelStats, Preprocess, Scratch, preprocess};
pub use reason::Reason;
