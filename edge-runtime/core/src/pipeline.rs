//! The frame's way through a device in one arena: rows in, one decision out, the full frame never
//! held.
//!
//! ```text
//! begin(geometry) -> row, row, ... -> finish -> judge (gate, layers, gate, decide)
//! ```
//!
//! [`Pipeline::judge`] tells an observer which [`Stage`] begins, so that lights go on blinking, a
//! crash record knows where it was, and instructions can be counted a stage.

use crate::decide::{Decision, decide};
use crate::frame::Geometry;
use crate::gate::QualityMetrics;
use crate::infer::{Engine, InferError, part, split};
use crate::kernels::Kernels;
use crate::model::MetadataView;
use crate::packed::{Packed, PackedError};
use crate::preprocess::{PixelStats, Preprocess, PreprocessError, Scratch};

/// Where a device's loop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Stage {
    /// Nothing is under way between two frames.
    Wait,
    /// Rows come in and are summed up.
    Rows,
    /// The sums become the network's input.
    Standardise,
    /// The gate before the network.
    Gate,
    /// The layer of that number.
    Layer(u8),
    /// The head, and the gate after the network.
    Features,
    /// The logit becomes score and state.
    Decide,
}

impl Stage {
    /// One number for all of them: what a crash record keeps.
    pub const fn code(self) -> u16 {
        match self {
            Stage::Wait => 0,
            Stage::Rows => 1,
            Stage::Standardise => 2,
            Stage::Gate => 3,
            Stage::Features => 4,
            Stage::Decide => 5,
            Stage::Layer(number) => 0x100 + number as u16,
        }
    }

    /// The stage of a code; none for a code that no stage has.
    pub const fn from_code(code: u16) -> Option<Self> {
        match code {
            0 => Some(Stage::Wait),
            1 => Some(Stage::Rows),
            2 => Some(Stage::Standardise),
            3 => Some(Stage::Gate),
            4 => Some(Stage::Features),
            5 => Some(Stage::Decide),
            0x100..=0x1FF => Some(Stage::Layer((code & 0xFF) as u8)),
            _ => None,
        }
    }

    /// Its name in logs; a layer's number is apart.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Wait => "wait",
            Stage::Rows => "rows",
            Stage::Standardise => "standardise",
            Stage::Gate => "gate",
            Stage::Layer(_) => "layer",
            Stage::Features => "features",
            Stage::Decide => "decide",
        }
    }
}

/// A model and what it takes to judge frames by it.
///
/// ```
/// use edge_core::infer::InferError;
/// use edge_core::{Geometry, Packed, Pipeline, PixelFormat, State, kernels};
///
/// # #[repr(align(8))]
/// # struct Aligned<T: ?Sized>(T);
/// # const MODEL: &Aligned<[u8]> =
/// #     &Aligned(*include_bytes!("../../../models/pneumonia/model.packed"));
/// let pipeline = Pipeline::new(Packed::new(&MODEL.0)?, kernels::best());
/// let mut memory = vec![0u64; pipeline.engine().model().arena_bytes().div_ceil(8)];
/// let arena: &mut [u8] = bytemuck::cast_slice_mut(&mut memory);
///
/// let geometry = Geometry::new(320, 240, PixelFormat::Gray8).expect("a picture's size");
/// let mut frame = pipeline.begin(geometry, arena)?;
/// for _ in 0..240 {
///     frame.row(&[0; 320])?; // the cap is on
/// }
/// let stats = frame.finish()?;
/// let result = pipeline.judge(geometry, &stats, arena, &mut |stage| println!("{}", stage.name()))?;
/// assert_eq!((result.decision.state, result.decision.logit), (State::Invalid, None));
/// # Ok::<(), InferError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pipeline<B> {
    engine: Engine<B>,
}

/// What one frame gave.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FrameResult {
    /// State, reason, logit and score.
    pub decision: Decision,
    /// What the gate measured in the picture.
    pub figures: QualityMetrics,
}

/// A frame on its way in.
#[derive(Debug)]
pub struct Incoming<'a> {
    rows: Preprocess<'a>,
    input: &'a mut [u8],
}

impl Incoming<'_> {
    /// Takes the next row.
    pub fn row(&mut self, bytes: &[u8]) -> Result<(), PreprocessError> {
        self.rows.row(bytes)
    }

    /// All rows have come: writes the network's input into the arena and says what the exposure
    /// was.
    pub fn finish(self) -> Result<PixelStats, PreprocessError> {
        self.rows.finish(self.input)
    }
}

impl<B: AsRef<[u8]>> Pipeline<B> {
    /// The pipeline of a checked model.
    pub fn new(model: Packed<B>, kernels: Kernels) -> Self {
        Self { engine: Engine::new(model, kernels) }
    }

    /// The engine that computes the network.
    pub fn engine(&self) -> &Engine<B> {
        &self.engine
    }

    /// What the model says of itself.
    ///
    /// # Errors
    /// As [`Packed::plan`].
    pub fn metadata(&self) -> Result<MetadataView<'_>, PackedError> {
        self.engine.model().plan()?.metadata()
    }

    /// The network's input, as the last [`Incoming::finish`] wrote it; void after
    /// [`Pipeline::judge`].
    ///
    /// # Errors
    /// [`InferError`] as [`Engine::features`].
    pub fn input<'a>(&self, arena: &'a [u8]) -> Result<&'a [u8], InferError> {
        Ok(part(arena, self.engine.model().plan()?.value(0)?.range())?)
    }

    /// Begins a frame. `arena` has at least [`Packed::arena_bytes`] and lies at a multiple of 8.
    ///
    /// # Errors
    /// [`InferError`]: the arena does not do, or the model is not what it was.
    pub fn begin<'a>(&self, geometry: Geometry, arena: &'a mut [u8]) -> Result<Incoming<'a>, InferError> {
        let plan = self.engine.model().plan()?;
        let (expected, got) = (plan.arena_bytes(), arena.len());
        let side = plan.input_side()?;
        let arena = arena.get_mut(..expected).ok_or(InferError::Arena { expected, got })?;
        let [scratch, input] = split(arena, [plan.preprocess_range()?, plan.value(0)?.range()])?;
        let scratch = Scratch::of(scratch, side).ok_or(PreprocessError::Scratch { side })?;
        Ok(Incoming { rows: Preprocess::begin(geometry, side, scratch)?, input })
    }

    /// Judges the frame that [`Incoming::finish`] put into the arena, by [`judge`].
    ///
    /// # Errors
    /// [`InferError`]: the device's FAULT.
    pub fn judge(
        &self,
        geometry: Geometry,
        stats: &PixelStats,
        arena: &mut [u8],
        observe: &mut dyn FnMut(Stage),
    ) -> Result<FrameResult, InferError> {
        let (expected, got) = (self.engine.model().arena_bytes(), arena.len());
        if got < expected {
            return Err(InferError::Arena { expected, got });
        }
        judge(&self.metadata()?, geometry, stats, &mut InPlace { pipeline: self, arena }, observe)
    }
}

/// The core engine over the arena in which its input lies.
struct InPlace<'a, B> {
    pipeline: &'a Pipeline<B>,
    arena: &'a mut [u8],
}

impl<B: AsRef<[u8]>> Infer for InPlace<'_, B> {
    type Error = InferError;

    fn input(&self) -> Result<&[u8], InferError> {
        self.pipeline.input(self.arena)
    }

    fn infer(&mut self, observe: &mut dyn FnMut(Stage)) -> Result<f32, InferError> {
        let engine = &self.pipeline.engine;
        let last = engine.model().plan()?.layers();
        engine.infer_in_place(self.arena, &mut |done, _| {
            let next = done + 1;
            observe(if next < last { Stage::Layer(next as u8) } else { Stage::Features });
        })
    }

    fn features(&self) -> Result<&[u8], InferError> {
        self.pipeline.engine.features(self.arena)
    }
}

/// What computes the network for [`judge`], with the input that lies in it.
pub trait Infer {
    /// Why the network cannot be computed.
    type Error;

    /// The network's input as preprocessing wrote it, `side * side` bytes.
    ///
    /// # Errors
    /// There is none.
    fn input(&self) -> Result<&[u8], Self::Error>;

    /// The logit of the input. `observe` is told each stage after the first layer that it can tell
    /// apart.
    ///
    /// # Errors
    /// Whatever keeps it from computing.
    fn infer(&mut self, observe: &mut dyn FnMut(Stage)) -> Result<f32, Self::Error>;

    /// The last feature map of the input inferred, height x width x channels.
    ///
    /// # Errors
    /// There is none.
    fn features(&self) -> Result<&[u8], Self::Error>;
}

/// Judges a preprocessed frame: gate, network, gate, decision; the one order for every device. A
/// frame that must not be judged is no error but INVALID. `observe` is told each stage as it
/// begins.
///
/// # Errors
/// The engine's: the device's FAULT.
pub fn judge<I: Infer>(
    model: &MetadataView,
    geometry: Geometry,
    stats: &PixelStats,
    network: &mut I,
    observe: &mut dyn FnMut(Stage),
) -> Result<FrameResult, I::Error> {
    observe(Stage::Gate);
    let mut figures = QualityMetrics::of(geometry, stats, network.input()?, &model.gate);
    if let Err(reason) = figures.judge(&model.gate) {
        return Ok(FrameResult { decision: Decision::refused(reason), figures });
    }
    observe(Stage::Layer(0));
    let logit = network.infer(observe)?;
    if let Err(reason) = figures.judge_features(network.features()?, &model.gate) {
        return Ok(FrameResult { decision: Decision::refused(reason), figures });
    }
    observe(Stage::Decide);
    let decision = decide(logit, &model.calibration, &model.thresholds);
    let decision = match figures.unfamiliar(&model.gate) {
        Some(reason) => decision.referred(reason),
        None => decision,
    };
    Ok(FrameResult { decision, figures })
}
