//! What every Pneumoscope target shares: the trainer, the Linux runtime and the firmware call this
//! code and no copy of it, so that a model is trained on exactly the bytes that a device will show
//! it.
//!
//! A frame flows through one file a stage:
//!
//! ```text
//! frame -> preprocess -> gate -> infer (kernels) -> gate -> decide -> agree -> signal
//!                          ^ model  ^ packed                  ^ model
//! ```
//!
//! [`pipeline`] is that way in one arena, for a device that never holds a whole frame; [`device`]
//! says what is indicated after which frames, faults and presses, and [`worklist`] which of several
//! patients' answers; [`ports`] is what a board gives it.
//!
//! # From a packed model to a logit
//!
//! A packed model is read in place, in flash or in memory; all working memory is the caller's.
//!
//! ```
//! use edge_core::{Engine, Packed, kernels};
//!
//! /// A packed model lies at a multiple of 8.
//! #[repr(align(8))]
//! struct Aligned<T: ?Sized>(T);
//! const MODEL: &Aligned<[u8]> =
//!     &Aligned(*include_bytes!("../../../models/pneumonia/model.packed"));
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Packed::new(&MODEL.0)?; // checked once, here
//! let side = usize::from(model.plan()?.input_side()?);
//! let mut arena = vec![0; model.arena_bytes()];
//! let engine = Engine::new(model, kernels::best());
//! let logit = engine.infer(&mut arena, &vec![128; side * side])?;
//!
//! // Every set of kernels and every machine gives the same bits.
//! let plain = Engine::new(*engine.model(), kernels::Kernels::SCALAR);
//! assert_eq!(plain.infer(&mut arena, &vec![128; side * side])?.to_bits(), logit.to_bits());
//! # Ok(())
//! # }
//! ```
//!
//! # A board's loop
//!
//! Rows come from a [`FrameSource`](ports::FrameSource), here one that plays a script; [`Pipeline`]
//! judges them, [`DeviceState`](device::DeviceState) says what is indicated, and
//! [`PatternPlayer`](signal::PatternPlayer) drives the lamps.
//!
//! ```
//! use edge_core::agree::{AgreementPolicy, FrameStamp};
//! use edge_core::device::{DeviceEvent, DeviceState, Settings};
//! use edge_core::ports::{FrameSource, LampDriver, SourceError, SourceEvent};
//! use edge_core::signal::{LampSet, Levels, Pattern, PatternPlayer};
//! use edge_core::{Geometry, Packed, Pipeline, PixelFormat, Reason, State, kernels};
//! # #[repr(align(8))]
//! # struct Aligned<T: ?Sized>(T);
//! # const MODEL: &Aligned<[u8]> =
//! #     &Aligned(*include_bytes!("../../../models/pneumonia/model.packed"));
//!
//! /// One frame of 64 rows, from black to white, then the cable is pulled.
//! struct Script(u16, [u8; 64]);
//!
//! impl FrameSource for Script {
//!     fn request(&mut self) {}
//!
//!     fn poll(&mut self) -> Result<SourceEvent<'_>, SourceError> {
//!         self.0 += 1;
//!         match self.0 {
//!             1 => Ok(SourceEvent::Begin(geometry(), FrameStamp { sequence: 1, micros: 0 })),
//!             row @ 2..=65 => {
//!                 self.1.fill(row as u8 * 3);
//!                 Ok(SourceEvent::Row(&self.1))
//!             }
//!             66 => Ok(SourceEvent::End),
//!             _ => Err(SourceError::Lost),
//!         }
//!     }
//! }
//!
//! fn geometry() -> Geometry {
//!     Geometry::new(64, 64, PixelFormat::Gray8).expect("a size that a picture may have")
//! }
//!
//! /// Lamps that remember how they are lit.
//! struct Lamps(Levels);
//!
//! impl LampDriver for Lamps {
//!     fn set(&mut self, levels: &Levels, _heartbeat: bool) -> LampSet {
//!         self.0 = *levels;
//!         LampSet::NONE // all could be set
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pipeline = Pipeline::new(Packed::new(&MODEL.0)?, kernels::best());
//! let mut arena = vec![0u64; pipeline.engine().model().arena_bytes().div_ceil(8)];
//! let arena: &mut [u8] = bytemuck::cast_slice_mut(&mut arena);
//! let policy = AgreementPolicy { frames: 2, stale_after_ms: 1500 };
//! let mut device = DeviceState::new(Settings { policy, interval_ms: 0, settle_ms: 0, hold_ms: None }, 0);
//! let mut lights = PatternPlayer::new(Lamps(Levels::default()), Pattern::Idle, 0);
//! let mut source = Script(0, [0; 64]);
//! let mut shown = vec![];
//!
//! for now_ms in [100, 200] {
//!     source.request();
//!     // A board looks after its lamps between any two rows.
//!     match source.poll() {
//!         Ok(SourceEvent::Begin(geometry, stamp)) => {
//!             let mut frame = pipeline.begin(geometry, arena)?;
//!             while let Ok(SourceEvent::Row(row)) = source.poll() {
//!                 frame.row(row)?;
//!             }
//!             let stats = frame.finish()?;
//!             let judged = pipeline.judge(geometry, &stats, arena, &mut |_stage| ())?;
//!             let decision = &judged.decision;
//!             device.handle(DeviceEvent::Frame { taken_ms: now_ms, stamp, decision }, now_ms);
//!         }
//!         Ok(_) => device.handle(DeviceEvent::SourceWell, now_ms),
//!         Err(error) => device.handle(DeviceEvent::SourceFailed(error.reason()), now_ms),
//!     }
//!     let indication = device.indication(now_ms);
//!     lights.show(Pattern::of(indication), now_ms);
//!     lights.tick(now_ms, true);
//!     device.handle(DeviceEvent::LampsFailed(lights.failed()), now_ms);
//!     shown.extend(indication);
//! }
//!
//! // A ramp is no chest: the gate refuses it. Then there is no camera.
//! assert_eq!(shown[0].state, State::Invalid);
//! assert_eq!((shown[1].state, shown[1].reason), (State::Fault, Reason::CameraLost));
//! assert!(lights.lamps().0.amber, "a FAULT begins with amber");
//! # Ok(())
//! # }
//! ```
//!
//! Principles:
//!
//! 1. No allocator, no panic on any input: every operation is total or returns a small error enum.
//!    `unsafe` in the fast kernels only.
//! 2. Arithmetic is integer, or float written so that every machine gives the same bits (no fused
//!    multiply-add, `libm` in place of the platform's mathematics).
//! 3. Rows stream: preprocessing never holds a whole frame.
//! 4. Bytes from outside become a checked view once; behind the check no access can fail.
//! 5. What a device must handle case by case is exhaustive, so that a new [`State`], [`Reason`],
//!    [`PixelFormat`], [`ports::SourceEvent`] or [`ports::SourceError`] breaks every match that does
//!    not know it; what is only told or looked at may grow (`#[non_exhaustive]`).
//!
//! Features: `std` asks the processor for its kernels, `cortex-m-dsp` promises those of a Cortex-M;
//! `serde` and `defmt` derive their traits for states, results and settings, `defmt` for errors too.
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
pub mod worklist;

pub use decide::{Decision, State, decide};
pub use frame::{Frame, FrameError, Geometry, PixelFormat};
pub use infer::Engine;
pub use model::{Metadata, MetadataError, MetadataView};
pub use packed::Packed;
pub use pipeline::Pipeline;
pub use preprocess::{PixelStats, Preprocess, Scratch, preprocess};
pub use reason::Reason;
